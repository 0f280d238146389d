/**
 * `npm run test:reference`: runs the cases against a Kubernetes API as it really is, and keeps which of them hold there.
 * With `--cached` nothing is built: where the programs are missing it says so and ends well.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { projectPath } from '../../../cli/repository.ts'
import { runAll } from '../runner.ts'
import { buildPrograms, builtPrograms, version } from './build.ts'
import { startReference } from './server.ts'

const { values } = parseArgs({
  options: { cached: { type: 'boolean', default: false }, filter: { type: 'string', default: '' } },
})
const programs = values.cached ? builtPrograms() : await buildPrograms()
if (programs === undefined) {
  process.stdout.write(
    'skipped: the reference server was not built on this machine: npm run test:reference builds it\n',
  )
} else {
  await using server = await startReference(programs)
  const results = await runAll(server.kubeconfig, values.filter)
  const failed = results.filter(({ failure }) => failure !== undefined)
  if (values.filter === '') {
    const cases = results.map(({ area, title, failure }) => ({ area, title, holds: failure === undefined }))
    const record = { reference: `kube-apiserver ${version}`, cases }
    writeFileSync(projectPath('test/conformance/reference/results.json'), `${JSON.stringify(record, undefined, 2)}\n`)
  }
  process.stdout.write(`# pass ${results.length - failed.length}\n# fail ${failed.length}\n`)
  process.exitCode = failed.length === 0 ? 0 : 1
}
