/** The embedded server in a process of its own: prints its kubeconfig, and ends when its input does. */
import { serve } from '../../../../apiserver/serving/serve.ts'
import { realEnvironment } from '../../../../cli/environment.ts'

const [home = ''] = process.argv.slice(2)
const server = await serve({ home, environment: realEnvironment() })
process.stdout.write(`${server.kubeconfigPath}\n`)
process.stdin.on('end', () => void server.close().then(() => process.exit()))
process.stdin.resume()
