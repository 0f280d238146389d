/** The embedded API server's own thread: it serves the home over TLS, and the controllers of this process over a port. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Logger } from '../apiserver/logger.ts'
import { serve } from '../apiserver/serving/serve.ts'
import { StorageError } from '../apiserver/storage/durable-log.ts'
import { servePort } from '../controllers/api/port-transport.ts'
import { createLogger } from '../controllers/log.ts'
import { admissionOf } from '../crds/admission.ts'
import { kinds } from '../crds/kinds.ts'
import type { ApiServerReply, ApiServerRequest } from './api-server.ts'
import { realEnvironment } from './environment.ts'

const { home, port, storageLimit, audit, limits, logLevel = 'warn', controllersPort } = workerData as ApiServerRequest
const environment = realEnvironment()
const reply = (message: ApiServerReply) => parentPort?.postMessage(message)

try {
  const server = await serve({
    home,
    port,
    environment,
    logger: loggerOf(),
    admission: admissionOf(kinds),
    ...(storageLimit !== undefined && { store: { sizeLimit: storageLimit } }),
    ...(audit !== undefined && { audit }),
    ...(limits !== undefined && { limits }),
  })
  const bridge = servePort(controllersPort, request => server.handle(request))
  parentPort?.once('message', async () => {
    bridge.close()
    await server.close()
    reply({ event: 'Closed' })
    controllersPort.close()
    parentPort?.close()
  })
  // The thread ends, and the process with it: a restart mends it, or says why not.
  server.failed.then(error => {
    throw error
  })
  reply({ event: 'Serving', url: server.url, kubeconfigPath: server.kubeconfigPath })
} catch (error) {
  reply({ event: 'Failed', message: messageOf(error) })
  parentPort?.close()
}

function loggerOf(): Logger {
  const logger = createLogger({ level: logLevel, clock: environment.clock })
  return { error: ({ error, ...fields }, message) => logger.error({ ...fields, err: error }, message) }
}

function messageOf(error: unknown): string {
  if (error instanceof StorageError && error.code === 'Locked') {
    return `Cannot use the home ${home}: another skystead is running there`
  }
  return error instanceof Error ? error.message : String(error)
}
