import { ApiError, apiErrorOf } from '../../../controllers/api/api-error.ts'
import type {
  Transport,
  TransportRequest,
  TransportResponse,
  WatchEventType,
  WatchOptions,
} from '../../../controllers/api/transport.ts'

/** An object as the fake keeps it. */
export interface FakeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid: string
    readonly resourceVersion: string
    readonly finalizers?: readonly string[]
  }
  readonly [member: string]: unknown
}

interface OpenWatch {
  readonly path: string
  readonly options: WatchOptions
  readonly settle: PromiseWithResolvers<void>
}

/** A scripted transport: a versioned set of objects of one kind, watches that the test drives, every request recorded. */
export interface FakeApi {
  readonly transport: Transport
  readonly requests: TransportRequest[]
  readonly watches: OpenWatch[]
  /** Paths of all watches ever opened. */
  readonly watched: string[]
  /** Changes the set and tells open watches. */
  put(name: string, members?: Record<string, unknown>): FakeObject
  drop(name: string): void
  /** Changes the set without telling anybody: a lost event. */
  putUnseen(name: string): FakeObject
  dropUnseen(name: string): void
  bookmark(): void
  /** Sends any event to every open watch. */
  send(type: WatchEventType, object: unknown): void
  /** Ends every open watch: closed by the server, or broken by an error. */
  end(error?: unknown): void
  /** The next answers to requests (instead of the real ones), or errors. */
  readonly script: (undefined | TransportResponse | ApiError)[]
  /** The next watches are refused with these. */
  readonly refusals: ApiError[]
}

/** A JSON answer. */
export function jsonAnswer(status: number, body: unknown, headers: Record<string, string> = {}): TransportResponse {
  return { status, headers, body: Buffer.from(JSON.stringify(body)) }
}

/** A Status as Kubernetes answers it. */
export function statusAnswer(code: number, reason: string, details: Record<string, unknown> = {}): TransportResponse {
  return jsonAnswer(code, {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: `it is ${reason}`,
    reason,
    details,
    code,
  })
}

/** An `Expired` error. */
export function expired(): ApiError {
  return apiErrorOf(410, { reason: 'Expired', message: 'too old resource version' })
}

/** A broken connection. */
export function broken(): ApiError {
  return new ApiError('Cannot reach the API: connection reset', { status: 0, reason: 'Unavailable' })
}

/** Makes an empty fake. */
export function fakeApi(): FakeApi {
  const objects = new Map<string, FakeObject>()
  const watches: OpenWatch[] = []
  const watched: string[] = []
  const requests: TransportRequest[] = []
  const script: FakeApi['script'] = []
  const refusals: ApiError[] = []
  let version = 100

  function store(name: string, members: Record<string, unknown> = {}): FakeObject {
    const uid = objects.get(name)?.metadata.uid ?? `uid-${name}-${version}`
    const metadata = { name, uid, resourceVersion: String(++version) }
    const object = { apiVersion: 'test.dev/v1', kind: 'Thing', metadata, ...members }
    objects.set(name, object)
    return object
  }

  function send(type: WatchEventType, object: unknown): void {
    for (const { options } of [...watches]) options.onEvent(type, object)
  }

  function answer(request: TransportRequest): TransportResponse {
    const query = new URL(request.path, 'http://fake').searchParams
    if (request.method !== 'GET')
      return jsonAnswer(200, request.body === undefined ? {} : JSON.parse(String(request.body)))
    const all = [...objects.values()]
    const from = Number(query.get('continue') ?? 0)
    const limit = Number(query.get('limit') ?? 500)
    const next = from + limit < all.length ? { continue: String(from + limit) } : {}
    return jsonAnswer(200, {
      kind: 'ThingList',
      metadata: { resourceVersion: String(version), ...next },
      items: all.slice(from, from + limit),
    })
  }

  return {
    requests,
    watches,
    watched,
    script,
    refusals,
    send,
    put(name, members) {
      const existed = objects.has(name)
      const object = store(name, members)
      send(existed ? 'MODIFIED' : 'ADDED', object)
      return object
    },
    putUnseen: name => store(name),
    drop(name) {
      const object = objects.get(name)
      objects.delete(name)
      if (object !== undefined)
        send('DELETED', { ...object, metadata: { ...object.metadata, resourceVersion: String(++version) } })
    },
    dropUnseen: name => void objects.delete(name),
    bookmark: () => send('BOOKMARK', { kind: 'Thing', metadata: { resourceVersion: String(++version) } }),
    end(error) {
      for (const { settle } of watches.splice(0)) {
        if (error === undefined) settle.resolve()
        else settle.reject(error)
      }
    },
    transport: {
      async request(request) {
        requests.push(request)
        request.signal?.throwIfAborted()
        const scripted = script.shift()
        if (scripted instanceof ApiError) throw scripted
        return scripted ?? answer(request)
      },
      async watch(path, options) {
        watched.push(path)
        const refusal = refusals.shift()
        if (refusal !== undefined) throw refusal
        const settle = Promise.withResolvers<void>()
        const open = { path, options, settle }
        watches.push(open)
        options.signal.addEventListener('abort', () => {
          const index = watches.indexOf(open)
          if (index !== -1) watches.splice(index, 1)
          settle.resolve()
        })
        await settle.promise
      },
      async close() {},
    },
  }
}

/** The kind that the fake serves. */
export const thing = { apiVersion: 'test.dev/v1', kind: 'Thing', plural: 'things', namespaced: false } as const
