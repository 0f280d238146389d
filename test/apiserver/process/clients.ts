/** Many clients of one API at a time: kept connections, nothing parsed that need not be. */
import { Agent, request as send } from 'undici'
import { realEnvironment } from '../../../cli/environment.ts'
import { createCredentials } from '../../../controllers/api/credentials.ts'
import { loadKubeConfig } from '../../../controllers/api/kube-config.ts'

/** One request. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: string
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What a call took, in ms, and how many bytes it was answered with. */
export interface Timed {
  readonly milliseconds: number
  readonly bytes: number
}

/** How to connect. */
export interface ConnectOptions {
  /** Default: the kubeconfig's current one. */
  readonly context?: string
  /**
   * `h2`, as client-go does it: a connection for each call under way, and up to 50 for the watches, shared. `http/1.1`:
   * a connection for each call and each watch. Default `h2`.
   */
  readonly protocol?: 'h2' | 'http/1.1'
}

/** Clients of an API. */
export interface Clients extends AsyncDisposable {
  /** Sends one request; throws where its status is none of success. */
  call(call: Call): Promise<Timed>
  /** The JSON of an answer. */
  read(path: string): Promise<unknown>
  /** Follows a watch: `told` hears of every piece of bytes. Resolves when it is open. */
  watch(path: string, told: (bytes: Uint8Array) => void, signal: AbortSignal): Promise<void>
}

/** Connects by the token of a kubeconfig. */
export async function connectMany(kubeconfig: string, options: ConnectOptions = {}): Promise<Clients> {
  const { context, protocol = 'h2' } = options
  const config = loadKubeConfig(kubeconfig, context === undefined ? {} : { context })
  const cluster = config.getCurrentCluster()
  const origin = cluster?.server ?? ''
  const credentials = createCredentials(config, realEnvironment().clock)
  const { headers } = await credentials.current()
  const connect = { ca: Buffer.from(cluster?.caData ?? '', 'base64').toString() }
  const allowH2 = protocol === 'h2'
  const calls = new Agent({ connect, allowH2, connections: 64, pipelining: 1, bodyTimeout: 0 })
  const watches = new Agent({
    connect,
    allowH2,
    ...(allowH2 ? { connections: 50, pipelining: 20 } : { connections: 1_100, pipelining: 1 }),
    bodyTimeout: 0,
  })

  /** Hands over the body in pieces: what measures others shall itself cost little. */
  function ask(call: Call, take: (chunk: Buffer) => void): Promise<void> {
    const { method, path, body, type = 'application/json' } = call
    const typed = body === undefined ? {} : { 'content-type': type }
    const all = { accept: 'application/json', ...headers, ...typed, ...call.headers }
    return new Promise((resolve, reject) => {
      let code = 0
      let refusal = ''
      calls.dispatch(
        { origin, method, path, headers: all, ...(body !== undefined && { body }) },
        {
          onRequestStart() {},
          onResponseStart(_controller, status) {
            code = status
          },
          onResponseData(_controller, chunk) {
            if (code < 300) take(chunk)
            else refusal += chunk
          },
          onResponseEnd() {
            if (code < 300) resolve()
            else reject(new Error(`${method} ${path}: ${code} ${refusal}`))
          },
          onResponseError(_controller, error) {
            reject(error)
          },
        },
      )
    })
  }

  return {
    async call(call) {
      let bytes = 0
      const began = performance.now()
      await ask(call, chunk => {
        bytes += chunk.length
      })
      return { milliseconds: performance.now() - began, bytes }
    },
    async read(path) {
      const chunks: Buffer[] = []
      await ask({ method: 'GET', path }, chunk => chunks.push(chunk))
      return JSON.parse(Buffer.concat(chunks).toString())
    },
    async watch(path, told, signal) {
      const all = { ...headers, accept: 'application/json' }
      const response = await send(`${origin}${path}`, { dispatcher: watches, headers: all, signal })
      if (response.statusCode !== 200) throw new Error(`GET ${path}: ${response.statusCode}`)
      response.body.on('data', told)
      response.body.on('error', () => undefined)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([calls.destroy(), watches.destroy()])
      await credentials.close()
    },
  }
}
