/** The embedded server in a process of its own: prints its kubeconfig, and runs until it is killed. */
import { serve } from '../../../apiserver/serving/serve.ts'
import { realEnvironment } from '../../../cli/environment.ts'

const [home = ''] = process.argv.slice(2)
const server = await serve({ home, environment: realEnvironment() })
process.stdout.write(`${server.kubeconfigPath}\n`)
