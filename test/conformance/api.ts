/** A Kubernetes API as a case asks it: raw requests with a kubeconfig's credentials, answers as they come. */
import { request as send } from 'undici'
import { createCredentials } from '../../controllers/api/credentials.ts'
import { type KubeConfigOptions, loadKubeConfig } from '../../controllers/api/kube-config.ts'
import type { Environment } from '../../crds/environment.ts'
import { startWatch, type Watching } from './watching.ts'

/** An answer, whatever its status. */
export interface Answer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Uint8Array
  readonly text: string
  /** The text read as JSON; undefined where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: cases read answers as they expect them
  readonly body: any
}

/** What goes with a request. */
export interface CallOptions {
  /** Sent as it is where it is a string or bytes, as JSON otherwise. */
  readonly body?: unknown
  /** Media type of the body. Default `application/json`. */
  readonly type?: string
  /** Media type wished for. Default `application/json`. */
  readonly accept?: string
  /** Several values of one name are several headers. */
  readonly headers?: Readonly<Record<string, string | string[]>>
}

/** Media types of patches. */
export const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

/** Options of a server-side apply. */
export interface ApplyOptions {
  /** Default `applier`. */
  readonly manager?: string
  readonly force?: boolean
  /** More of the query, as in `dryRun=All`. */
  readonly query?: string
}

/** The API of a kubeconfig. */
export interface Api extends AsyncDisposable {
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  get(path: string, options?: CallOptions): Promise<Answer>
  post(path: string, body: unknown, options?: CallOptions): Promise<Answer>
  put(path: string, body: unknown, options?: CallOptions): Promise<Answer>
  patch(path: string, type: keyof typeof patchTypes, body: unknown): Promise<Answer>
  apply(path: string, body: unknown, options?: ApplyOptions): Promise<Answer>
  /** `options` become the body, as DeleteOptions. */
  remove(path: string, options?: object): Promise<Answer>
  /** Opens a watch. Where it is refused its `refusal` says how. */
  watch(path: string, accept?: string): Promise<Watching>
}

/** Connects to the API of a kubeconfig; nothing is sent yet. */
export function connect(kubeconfig: string, environment: Environment, options: KubeConfigOptions = {}): Api {
  const config = loadKubeConfig(kubeconfig, options)
  const server = config.getCurrentCluster()?.server.replace(/\/+$/, '') ?? ''
  const credentials = createCredentials(config, environment.clock)

  async function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const { headers, dispatcher } = await credentials.current()
    const { body, type = 'application/json', accept = 'application/json' } = options
    const response = await send(`${server}${path}`, {
      // The edge: undici names the methods, and cases ask for others too.
      method: method as 'GET',
      headers: {
        accept,
        ...(body !== undefined && { 'content-type': type }),
        ...lowerCase(headers),
        ...options.headers,
      },
      dispatcher,
      ...(body !== undefined && { body: encoded(body) }),
    })
    const bytes = await response.body.bytes()
    const text = Buffer.from(bytes).toString()
    return { status: response.statusCode, headers: plain(response.headers), bytes, text, body: decoded(text) }
  }

  return {
    call,
    get: (path, options) => call('GET', path, options),
    post: (path, body, options) => call('POST', path, { ...options, body }),
    put: (path, body, options) => call('PUT', path, { ...options, body }),
    patch: (path, type, body) => call('PATCH', path, { body, type: patchTypes[type] }),
    apply(path, body, { manager = 'applier', force = false, query = '' } = {}) {
      const more = [`fieldManager=${manager}`, ...(force ? ['force=true'] : []), ...(query === '' ? [] : [query])]
      return call('PATCH', `${path}?${more.join('&')}`, { body, type: patchTypes.apply })
    },
    remove(path, options) {
      return call('DELETE', path, options && { body: { kind: 'DeleteOptions', apiVersion: 'v1', ...options } })
    },
    async watch(path, accept = 'application/json') {
      const { headers, dispatcher } = await credentials.current()
      return startWatch(`${server}${path}`, { headers: { ...headers, accept }, dispatcher })
    },
    [Symbol.asyncDispose]: () => credentials.close(),
  }
}

/** Names are the same however they are written: what a case sends replaces what is sent for it. */
function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function encoded(body: unknown): string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function plain(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]))
}
