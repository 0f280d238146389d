import { workerData } from 'node:worker_threads'
import { servePort } from '../../../controllers/api/port-transport.ts'
import { echoHandler } from './echo-handler.ts'

const { handle, state } = echoHandler()
state.chunks.push(Buffer.from('{"type":"ADDED","object":{"from":"worker"}}\n'), undefined)
servePort(workerData.port, handle)
