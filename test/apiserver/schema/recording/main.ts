/**
 * `npm run record:reference -- --kubeconfig FILE`: asks a Kubernetes API again for what the tests beside this folder compare with,
 * and keeps the answers. Of values and rules it takes those that the recorded files name.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { realEnvironment } from '../../../../cli/environment.ts'
import { area, type Bench } from '../../../conformance/case.ts'
import { createSuite } from '../../../conformance/suite.ts'
import { recordedLines } from '../recorded.ts'
import { rules } from './cost-rules.ts'
import { recordCosts } from './costs.ts'
import { drawnRules } from './drawn-rules.ts'
import { recordObjects } from './objects.ts'
import { recordRules } from './rules.ts'

const folder = join(import.meta.dirname, '..')

function read(name: string) {
  return recordedLines(folder, name).map(line => JSON.parse(line))
}

function keep(name: string, answers: readonly unknown[]): void {
  writeFileSync(join(folder, name), `${answers.map(answer => JSON.stringify(answer)).join('\n')}\n`)
}

const recordings = area('record', {
  async objects(bench: Bench) {
    keep('recorded-objects.jsonl', await recordObjects(bench, read('recorded-objects.jsonl')))
  },
  async rules(bench: Bench) {
    const [trials, ...lines] = read('recorded-rules.jsonl')
    const tried = [...new Set(lines.map(({ rule }) => rule))]
    keep('recorded-rules.jsonl', [trials, ...(await recordRules(bench, trials, tried))])
  },
  async costs({ api }: Bench) {
    keep('recorded-costs.jsonl', await recordCosts(api, [...new Set([...rules, ...drawnRules(400)])]))
  },
})

const { values } = parseArgs({ options: { kubeconfig: { type: 'string', default: '' }, only: { type: 'string' } } })
await using suite = createSuite(values.kubeconfig, realEnvironment())
for (const recording of recordings.cases) {
  if (values.only !== undefined && values.only !== recording.title) continue
  const { failure = 'recorded' } = await suite.run(recordings, recording)
  process.stdout.write(`${recording.title}: ${failure}\n`)
}
