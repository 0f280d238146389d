/** Plans random edits, does them on the same cloud in virtual time, and counts the plans that were not what was done. */
import { checkPlans, differenceText } from '../test/cli/plan/check.ts'
import { benchRequest, percentile, rounded, sizeOf, tellFinding } from './measurement.ts'

const request = benchRequest()
const edits = sizeOf(request, 'edits')
const perCloud = 250
const totals = { edits: 0, plans: 0, operations: 0, quietPlans: 0, differences: 0 }
const planMs: number[] = []
for (let seed = 1; totals.edits < edits; seed++) {
  const checked = await checkPlans({ edits: Math.min(perCloud, edits - totals.edits), seed, together: 60 })
  totals.edits += checked.edits
  totals.plans += checked.plans
  totals.operations += checked.operations
  totals.quietPlans += checked.quietPlans
  totals.differences += checked.differences.length
  for (const milliseconds of checked.planMs) planMs.push(milliseconds)
  process.stderr.write(`plan: ${totals.edits} of ${edits} edits, ${totals.differences} differences\n`)
  for (const difference of checked.differences) process.stderr.write(`${differenceText(difference)}\n`)
}
const figures = {
  differences: totals.differences,
  plans: totals.plans,
  operations: totals.operations,
  quietPlans: totals.quietPlans,
  planP50Ms: rounded(percentile(planMs, 50)),
  planP99Ms: rounded(percentile(planMs, 99)),
}
tellFinding({ name: 'plan', size: { edits: totals.edits }, figures })
