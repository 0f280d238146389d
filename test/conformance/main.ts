/** `npm run test:conformance -- --kubeconfig F`: runs the cases against any Kubernetes API, with rights to everything. */
import { parseArgs } from 'node:util'
import { runAll } from './runner.ts'

const { values } = parseArgs({
  options: { kubeconfig: { type: 'string' }, filter: { type: 'string', default: '' } },
})
if (values.kubeconfig === undefined) {
  process.stderr.write('Cannot run: --kubeconfig names no file\n')
  process.exit(1)
}
const results = await runAll(values.kubeconfig, values.filter)
const failed = results.filter(({ failure }) => failure !== undefined).length
process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
