import { parentPort, workerData } from 'node:worker_threads'
import { serve } from '../../../apiserver/serving/serve.ts'
import { realEnvironment } from '../../../cli/environment.ts'

const { url } = await serve({ home: workerData.home, environment: realEnvironment() })
parentPort?.postMessage(url)
