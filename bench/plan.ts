/**
 * Plans random edits of clouds that drift, does them on the same cloud in virtual time, and counts the plans that were
 * not what was done. What is done of a commit without changes is kept: a run that was ended goes on where it was.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Checked, checkPlans, differenceText } from '../test/cli/plan/check.ts'
import { benchRequest, percentile, rounded, sizeOf, tellFinding } from './measurement.ts'

const request = benchRequest()
const edits = sizeOf(request, 'edits')
const perCloud = 250
const isOfOneState = /^[0-9a-f]+$/.test(request.commit)
const progress = join(tmpdir(), `skystead-bench-plan-${request.commit}-${edits}.jsonl`)

/** A line for each cloud, in order of their seeds. */
function kept(): readonly Checked[] {
  if (!isOfOneState || !existsSync(progress)) return []
  const lines = readFileSync(progress, 'utf8').split('\n')
  return lines.filter(line => line !== '').map(line => JSON.parse(line) as Checked)
}

const clouds = [...kept()]
const sum = (of: (checked: Checked) => number) => clouds.reduce((total, checked) => total + of(checked), 0)
const made = () => sum(checked => checked.edits)
while (made() < edits) {
  const seed = clouds.length + 1
  const checked = await checkPlans({ edits: Math.min(perCloud, edits - made()), seed, together: 60 })
  clouds.push(checked)
  if (isOfOneState) appendFileSync(progress, `${JSON.stringify(checked)}\n`)
  const differing = sum(({ differences }) => differences.length)
  process.stderr.write(`plan: ${made()} of ${edits} edits, ${differing} differences\n`)
  for (const difference of checked.differences) process.stderr.write(`${differenceText(difference)}\n`)
}
const planMs = clouds.flatMap(checked => checked.planMs)
const figures = {
  differences: sum(({ differences }) => differences.length),
  plans: sum(({ plans }) => plans),
  operations: sum(({ operations }) => operations),
  quietPlans: sum(({ quietPlans }) => quietPlans),
  outsideChanges: sum(({ drifts }) => drifts),
  prunings: sum(({ prunings }) => prunings),
  planP50Ms: rounded(percentile(planMs, 50)),
  planP99Ms: rounded(percentile(planMs, 99)),
}
tellFinding({ name: 'plan', size: { edits: made() }, figures })
