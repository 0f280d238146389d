import test from 'ava'
import { checkPlans, differenceText } from './check.ts'

/** `npm run bench -- --only plan` checks 10,000 edits. */
test('what is planned is what is done: operations, places, order, claims and what is left unmet', async t => {
  t.timeout(120_000)
  const checked = await checkPlans({ edits: 100, seed: 20_261_120, together: 25 })
  t.deepEqual(checked.differences.map(differenceText), [])
  t.true(checked.operations >= 50, `the edits caused only ${checked.operations} operations`)
  t.log(`${checked.edits} edits in ${checked.plans} plans of ${checked.operations} operations`)
})
