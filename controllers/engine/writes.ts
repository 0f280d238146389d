import type { AnyKind } from '../../crds/define-kind.ts'
import { type Environment, type Timer, timestamp } from '../../crds/environment.ts'
import type { Manifest, ObjectMeta, Resource } from '../../crds/meta.ts'
import { ApiError, type ApiErrorReason } from '../api/api-error.ts'
import type { Client } from '../api/client.ts'
import type { Logger } from '../log.ts'
import { type Assumption, type DesiredCache, keyOf } from './desired-cache.ts'

/** When a write that was not answered is sent again, in ms: first, and at most. */
const pause = { first: 200, most: 30_000 }

/** What writes work with. */
export interface WritesOptions {
  readonly client: Client
  readonly desired: DesiredCache
  readonly environment: Environment
  readonly logger: Logger
}

/** A write that may be sent again: once it is decided, none that was sent before can take effect any more. */
interface Write {
  readonly kind: AnyKind
  readonly metadata: Pick<ObjectMeta, 'name' | 'namespace'>
  readonly assumption: Assumption
  readonly send: () => Promise<Resource | undefined>
  /** The refusal by which the API says that there is nothing to do. */
  readonly done?: ApiErrorReason
}

/**
 * Writes to the API, assumed in the desired cache until the API has decided. One that nobody answered stays undecided,
 * so that nothing rests on its object, and is sent again until it is: by its name, uid or version it can take effect once
 * at most. One that failed because the object is another by now is decided by what the API shows then.
 */
export class Writes {
  readonly #options: WritesOptions
  readonly #timers = new Set<Timer>()
  readonly #repeating = new Set<Promise<void>>()
  #stopped = false

  constructor(options: WritesOptions) {
    this.#options = options
  }

  /** Creates an object. One of that name that is there already is a success: it is shown. */
  async create(kind: AnyKind, manifest: Manifest): Promise<void> {
    const { client, desired, environment } = this.#options
    const assumption = desired.assumeCreated(kind, manifest, timestamp(environment.clock))
    if (assumption === undefined) return
    const { metadata } = manifest
    const send = () => client.create(kind, manifest)
    await this.#carryOut({ kind, metadata, assumption, send, done: 'AlreadyExists' })
  }

  /** Replaces the spec of an object that is confirmed, if it is still of the version known. */
  async update(kind: AnyKind, known: Resource, spec: unknown): Promise<void> {
    const { client, desired } = this.#options
    const { metadata } = known
    const assumption = desired.assumeUpdated(kind, metadata, spec)
    if (assumption === undefined) return
    await this.#carryOut({ kind, metadata, assumption, send: () => client.replace(kind, { ...known, spec }) })
  }

  /** Deletes exactly this object, if it is confirmed. One that is gone is a success. */
  async delete(kind: AnyKind, metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid'>): Promise<void> {
    const { client, desired } = this.#options
    const assumption = desired.assumeDeleted(kind, metadata)
    if (assumption === undefined) return
    const { name, namespace, uid } = metadata
    const target = { name, uid, ...(namespace === undefined ? {} : { namespace }) }
    await this.#carryOut({ kind, metadata, assumption, send: () => client.remove(kind, target), done: 'NotFound' })
  }

  /** Sends nothing again; resolves when what is on its way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers) timer.cancel()
    await Promise.all(this.#repeating)
  }

  async #carryOut(write: Write): Promise<void> {
    try {
      await this.#send(write)
    } catch (error) {
      if (write.assumption.isOpen()) this.#repeatAfter(pause.first, write)
      if (!(error instanceof ApiError) || error.reason !== write.done) throw error
    }
  }

  /** Leaves the assumption open only where the API has not decided. */
  async #send({ kind, metadata, assumption, send }: Write, times: 'Once' | 'Again' = 'Once'): Promise<void> {
    try {
      assumption.confirm(await send())
    } catch (error) {
      const meaning = meaningOf(error, times)
      if (meaning === 'Refused') assumption.withdraw()
      if (meaning === 'Outdated') {
        const { name, namespace } = metadata
        assumption.confirm(await this.#options.client.get(kind, name, namespace))
      }
      throw error
    }
  }

  #repeatAfter(milliseconds: number, write: Write): void {
    if (this.#stopped) return
    const { clock, random } = this.#options.environment
    const timer = clock.after(milliseconds * (0.75 + 0.5 * random.next()), () => {
      this.#timers.delete(timer)
      const repeating = this.#repeat(milliseconds, write)
      this.#repeating.add(repeating)
      void repeating.finally(() => this.#repeating.delete(repeating))
    })
    this.#timers.add(timer)
  }

  async #repeat(waited: number, write: Write): Promise<void> {
    const { kind, metadata, assumption } = write
    if (!assumption.isOpen()) return
    try {
      await this.#send(write, 'Again')
    } catch (error) {
      if (!assumption.isOpen()) return
      const object = keyOf(metadata)
      this.#options.logger.warn({ err: error, kind: kind.kind, object }, 'whether a write took effect is not known')
      this.#repeatAfter(Math.min(pause.most, waited * 2), write)
    }
  }
}

/** Refusals of an object that is not, or no longer, what was known of it. */
const outdated: readonly ApiErrorReason[] = ['Conflict', 'NotFound', 'AlreadyExists']

/** Refusals before the object is looked at: they say nothing of what was sent before. */
const unheard: readonly number[] = [401, 403, 429]

/** What a failure says: the API has refused; it knows the object otherwise; or nothing, so that it may have been done. */
function meaningOf(error: unknown, times: 'Once' | 'Again'): 'Refused' | 'Outdated' | 'Unknown' {
  if (!(error instanceof ApiError)) return 'Unknown'
  if (outdated.includes(error.reason)) return 'Outdated'
  if (error.status < 400 || error.status === 408 || error.status >= 500) return 'Unknown'
  if (times === 'Once') return 'Refused'
  return unheard.includes(error.status) ? 'Unknown' : 'Outdated'
}
