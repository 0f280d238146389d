/** A way to a real API that knows whether anything is under way on it, so that a virtual clock can wait for it. */
import type {
  Transport,
  TransportRequest,
  TransportResponse,
  WatchOptions,
} from '../../../controllers/api/transport.ts'
import type { ObjectMeta } from '../../../crds/meta.ts'

/** A watch, and how far it has told. */
interface Following {
  readonly plural: string
  /** The newest version that it told, or began after. */
  seen: number
  /** uids whose deletion it told. */
  readonly gone: Set<string>
}

/** What is under way on all ways to one API. */
export class Traffic {
  #requests = 0
  readonly #watches = new Set<Following>()
  /** The newest version that was written, by plural. */
  readonly #written = new Map<string, number>()
  /** uids that were deleted at once, by plural. */
  readonly #deleted = new Map<string, Set<string>>()
  #changed = Promise.withResolvers<void>()

  /** Follows what goes over a transport. */
  through(transport: Transport): Transport {
    return {
      request: request => this.#request(transport, request),
      watch: (path, options) => this.#watch(transport, path, options),
      close: () => transport.close(),
    }
  }

  /** Whether every request was answered and every watch has told what was written. */
  get isIdle(): boolean {
    return this.#requests === 0 && this.late().length === 0
  }

  /** Plurals of watches that have not told yet what was written. */
  late(): readonly string[] {
    return [...this.#watches].filter(watch => this.#isLate(watch)).map(({ plural }) => plural)
  }

  /** Resolves when something has changed. */
  change(): Promise<void> {
    return this.#changed.promise
  }

  #isLate({ plural, seen, gone }: Following): boolean {
    if (seen < (this.#written.get(plural) ?? 0)) return true
    const deleted = this.#deleted.get(plural)
    return deleted !== undefined && [...deleted].some(uid => !gone.has(uid))
  }

  async #request(transport: Transport, request: TransportRequest): Promise<TransportResponse> {
    this.#requests += 1
    try {
      const answer = await transport.request(request)
      if (request.method !== 'GET' && answer.status < 300) this.#note(request.path, answer)
      return answer
    } finally {
      this.#requests -= 1
      this.#tell()
    }
  }

  #note(path: string, { body }: TransportResponse): void {
    const plural = pluralOf(path)
    if (new URLSearchParams(path.split('?')[1]).has('dryRun')) return
    const { kind, metadata, details } = JSON.parse(Buffer.from(body).toString()) as Answer
    const isGone = metadata?.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0
    const gone = kind === 'Status' ? details?.uid : isGone ? metadata.uid : undefined
    if (gone !== undefined) {
      const deleted = this.#deleted.get(plural) ?? new Set()
      this.#deleted.set(plural, deleted.add(gone))
    } else if (metadata?.resourceVersion !== undefined) {
      this.#written.set(plural, Math.max(this.#written.get(plural) ?? 0, Number(metadata.resourceVersion)))
    }
  }

  async #watch(transport: Transport, path: string, options: WatchOptions): Promise<void> {
    const query = new URLSearchParams(path.split('?')[1])
    // One that selects may never tell what was written.
    if (query.has('fieldSelector') || query.has('labelSelector')) return transport.watch(path, options)
    const plural = pluralOf(path)
    // What was deleted before is in the list that it begins after.
    const gone = new Set(this.#deleted.get(plural))
    const following = { plural, seen: Number(query.get('resourceVersion') ?? 0), gone }
    this.#watches.add(following)
    try {
      await transport.watch(path, {
        signal: options.signal,
        onEvent: (type, object) => {
          options.onEvent(type, object)
          const { metadata } = object as Answer
          if (metadata === undefined) return
          following.seen = Math.max(following.seen, Number(metadata.resourceVersion))
          if (type === 'DELETED') following.gone.add(metadata.uid)
          this.#tell()
        },
      })
    } finally {
      this.#watches.delete(following)
      this.#tell()
    }
  }

  #tell(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

interface Answer {
  readonly kind: string
  readonly metadata?: ObjectMeta
  readonly details?: { readonly uid?: string }
}

/** `hosts` of `/apis/infrastructure.skystead.dev/v1alpha1/hosts/host-1/status?...`. */
function pluralOf(path: string): string {
  const steps = path.split('?')[0]?.split('/').filter(Boolean) ?? []
  const [first, ...rest] = steps.slice(steps[0] === 'api' ? 2 : 3)
  return (first === 'namespaces' && rest.length > 1 ? rest[1] : first) ?? ''
}
