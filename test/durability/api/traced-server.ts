/** The embedded server under strace: forgets early, and ends in order when it is told to. */
import { serve } from '../../../apiserver/serving/serve.ts'
import { realEnvironment } from '../../../cli/environment.ts'

const [home = ''] = process.argv.slice(2)
const server = await serve({ home, environment: realEnvironment(), store: { compactionThreshold: 200 } })
process.once('SIGTERM', async () => {
  await server.close()
  process.exit(0)
})
process.stdout.write(`${server.kubeconfigPath}\n`)
