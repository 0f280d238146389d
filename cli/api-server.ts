import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { LimitOptions } from '../apiserver/limits/request-limits.ts'
import type { AuditOptions } from '../apiserver/serving/serve.ts'
import { portTransport } from '../controllers/api/port-transport.ts'
import type { Transport } from '../controllers/api/transport.ts'
import type { LogLevel } from '../controllers/log.ts'
import { UserError } from './user-error.ts'

/** Options of the API server's thread. */
export interface ApiServerOptions {
  readonly home: string
  /** 0: any free port. */
  readonly port: number
  /** How large the objects may become, in bytes. Default: that of the store. */
  readonly storageLimit?: number
  /** Default: there is no audit log. */
  readonly audit?: AuditOptions | undefined
  /** Default: as each limit says. */
  readonly limits?: LimitOptions | undefined
  /** Default `warn`. */
  readonly logLevel?: LogLevel
  /** The thread has ended by itself: the process cannot go on. */
  readonly died: (error: Error) => void
}

/** What the API server's thread is started with. */
export interface ApiServerRequest extends Omit<ApiServerOptions, 'died'> {
  /** Where it answers the controllers of this process: the same bytes, no TLS. */
  readonly controllersPort: MessagePort
}

/** What the API server's thread says. */
export type ApiServerReply =
  | { readonly event: 'Serving'; readonly url: string; readonly kubeconfigPath: string }
  | { readonly event: 'Failed'; readonly message: string }
  | { readonly event: 'Closed' }

/** An API server that runs in its own thread. */
export interface ApiServerThread {
  readonly url: string
  readonly kubeconfigPath: string
  readonly transport: Transport
  /** Ends connections and closes the storage; everything answered is durable. */
  close(): Promise<void>
}

/** Starts the embedded API server in a thread of its own. Rejects with one clear line. */
export async function startApiServer({ died, ...given }: ApiServerOptions): Promise<ApiServerThread> {
  const { port1, port2 } = new MessageChannel()
  const workerData: ApiServerRequest = { ...given, controllersPort: port2 }
  const worker = new Worker(new URL('./api-server-worker.ts', import.meta.url), { workerData, transferList: [port2] })
  let closing = false
  const serving = await new Promise<Extract<ApiServerReply, { event: 'Serving' }>>((resolve, reject) => {
    worker.once('error', reject)
    worker.once('exit', () => reject(new UserError('The API server ended before it could answer')))
    worker.once('message', (reply: ApiServerReply) => {
      if (reply.event === 'Serving') return resolve(reply)
      return reject(new UserError(reply.event === 'Failed' ? reply.message : 'The API server ended'))
    })
  })
  worker.removeAllListeners()
  worker.once('error', error => died(error instanceof Error ? error : new Error(String(error))))
  worker.once('exit', code => {
    if (!closing) died(new Error(`The API server's thread ended with code ${code}`))
  })
  const transport = portTransport(port1)
  return {
    url: serving.url,
    kubeconfigPath: serving.kubeconfigPath,
    transport,
    async close() {
      closing = true
      await transport.close()
      await new Promise<void>(resolve => {
        worker.once('exit', () => resolve())
        worker.postMessage('close')
      })
    },
  }
}
