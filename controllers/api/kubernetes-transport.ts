import { type KubeConfig, Watch } from '@kubernetes/client-node'
import { type Dispatcher, request as send } from 'undici'
import type { Environment } from '../../crds/environment.ts'
import { ApiError, apiErrorOf, noAnswer, pathOnly, silentWatch } from './api-error.ts'
import { type Credentials, createCredentials } from './credentials.ts'
import { loadKubeConfig } from './kube-config.ts'
import {
  headersOf,
  type Transport,
  type TransportRequest,
  type TransportResponse,
  type WatchEventType,
} from './transport.ts'

/** Options of a transport to a cluster. */
export interface KubernetesTransportOptions {
  /** Path of a kubeconfig, or one that is loaded. Its current context counts. */
  readonly kubeconfig: string | KubeConfig
  readonly environment: Pick<Environment, 'clock'>
  /** After how many ms without anything a watch is taken for dead. Default 60,000. */
  readonly silence?: number
}

/** Set by `Watch` itself; its declaration calls it private, and 30 s is shorter than what servers send bookmarks in. */
const watchTimeout = 'requestTimeoutMs'
/** Codes of a kept connection that the server had closed meanwhile. */
const staleConnection: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/** A transport to a cluster over TLS. Throws, in one clear line, where the kubeconfig cannot be used. */
export function kubernetesTransport({
  kubeconfig,
  environment,
  silence = 60_000,
}: KubernetesTransportOptions): Transport {
  const config = typeof kubeconfig === 'string' ? loadKubeConfig(kubeconfig) : kubeconfig
  const server = config.getCurrentCluster()?.server.replace(/\/+$/, '')
  if (server === undefined)
    throw new Error('Cannot reach a cluster: the kubeconfig has no current context with a cluster')
  const credentials = createCredentials(config, environment.clock)
  const closing = new AbortController()

  async function once(request: TransportRequest, { headers, dispatcher }: Credentials): Promise<TransportResponse> {
    const { method, path, body, signal } = request
    const aborted = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal])
    const response = await send(`${server}${path}`, {
      method,
      headers: { ...headers, ...headersOf(request) },
      dispatcher,
      signal: aborted,
      ...(body !== undefined && { body }),
    })
    return { status: response.statusCode, headers: plainHeaders(response), body: await response.body.bytes() }
  }

  async function request(request: TransportRequest): Promise<TransportResponse> {
    const { method, path, signal } = request
    signal?.throwIfAborted()
    try {
      const response = await retriedOnce(method, async () => once(request, await credentials.current()))
      if (response.status !== 401) return response
      // Tokens and certificates are renewed behind our back: read them again, once.
      return await once(request, await credentials.renewed())
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      throw error instanceof ApiError ? error : noAnswer(pathOnly(path), error)
    }
  }

  async function watch(
    path: string,
    options: { readonly signal: AbortSignal; readonly onEvent: (type: WatchEventType, object: unknown) => void },
  ): Promise<void> {
    const ended = AbortSignal.any([options.signal, closing.signal])
    if (ended.aborted) return
    const over = Promise.withResolvers<void>()
    const watcher = new Watch(config)
    Object.assign(watcher, { [watchTimeout]: silence })
    let failure: unknown
    const opened = watcher.watch(
      path,
      {},
      (type, object) => {
        if (ended.aborted || failure !== undefined) return
        try {
          // The edge: a watch of Kubernetes tells these types.
          options.onEvent(type as WatchEventType, object)
        } catch (error) {
          // `Watch` would swallow it, and the event with it.
          failure = error
          over.reject(error)
        }
      },
      error => (error ? over.reject(watchError(error, path, silence)) : over.resolve()),
    )
    opened.catch(error => over.reject(noAnswer(`a watch of ${pathOnly(path)}`, error)))
    const stop = () => over.resolve()
    ended.addEventListener('abort', stop, { once: true })
    try {
      await over.promise
    } catch (error) {
      if (!ended.aborted) throw error
    } finally {
      ended.removeEventListener('abort', stop)
      void opened.then(
        controller => controller.abort(),
        () => undefined,
      )
    }
  }

  return {
    request,
    watch,
    async close() {
      closing.abort(new Error('the transport was closed'))
      await credentials.close()
    },
  }
}

/** A reading request meets a connection that the server has closed meanwhile: once more, on another one. */
async function retriedOnce<T>(method: TransportRequest['method'], run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (method !== 'GET' || !staleConnection.has(code)) throw error
    return run()
  }
}

function plainHeaders({ headers }: Dispatcher.ResponseData): Record<string, string> {
  const plain: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value
  }
  return plain
}

function watchError(error: unknown, path: string, silence: number): ApiError {
  if (error instanceof DOMException && error.name === 'TimeoutError') return silentWatch(path, silence)
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : Number.NaN
  if (Number.isInteger(status))
    return apiErrorOf(status, { message: `Cannot watch ${pathOnly(path)}: HTTP status ${status}` })
  return noAnswer(`a watch of ${pathOnly(path)}`, error)
}
