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
  readonly accept?: string
}

/** What a call took, in ms, and how many bytes it was answered with. */
export interface Timed {
  readonly milliseconds: number
  readonly bytes: number
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

/** Connects by the token of a kubeconfig, with as many connections as are asked for at a time. */
export async function connectMany(kubeconfig: string, context?: string): Promise<Clients> {
  const config = loadKubeConfig(kubeconfig, context === undefined ? {} : { context })
  const cluster = config.getCurrentCluster()
  const server = cluster?.server ?? ''
  const authority = Buffer.from(cluster?.caData ?? '', 'base64').toString()
  const credentials = createCredentials(config, realEnvironment().clock)
  const { headers } = await credentials.current()
  const agent = new Agent({ connect: { ca: authority }, connections: 1_100, pipelining: 1, bodyTimeout: 0 })

  async function answerOf({ method, path, body, type = 'application/json', accept = 'application/json' }: Call) {
    const response = await send(`${server}${path}`, {
      method,
      dispatcher: agent,
      headers: { ...headers, accept, ...(body !== undefined && { 'content-type': type }) },
      ...(body !== undefined && { body }),
    })
    const content = Buffer.from(await response.body.arrayBuffer())
    if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${content}`)
    return content
  }

  return {
    async call(call) {
      const began = performance.now()
      const { length } = await answerOf(call)
      return { milliseconds: performance.now() - began, bytes: length }
    },
    async read(path) {
      return JSON.parse((await answerOf({ method: 'GET', path })).toString())
    },
    async watch(path, told, signal) {
      const response = await send(`${server}${path}`, {
        dispatcher: agent,
        headers: { ...headers, accept: 'application/json' },
        signal,
      })
      if (response.statusCode !== 200) throw new Error(`GET ${path}: ${response.statusCode}`)
      response.body.on('data', told)
      response.body.on('error', () => undefined)
    },
    async [Symbol.asyncDispose]() {
      await agent.destroy()
      await credentials.close()
    },
  }
}
