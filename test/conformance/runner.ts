/** Runs all cases, eight at a time, and tells what does not hold. */
import PQueue from 'p-queue'
import { realEnvironment } from '../../cli/environment.ts'
import type { Case } from './case.ts'
import { areas, createSuite, type Result } from './suite.ts'

/** The results of the cases whose `area: title` has the filter in it: area after area, as they stand in the suite. */
export async function runAll(kubeconfig: string, filter = ''): Promise<readonly Result[]> {
  await using suite = createSuite(kubeconfig, realEnvironment())
  const queue = new PQueue({ concurrency: 8 })
  const results: Result[] = []
  for (const area of areas) {
    const chosen = area.cases.filter(({ title }) => `${area.name}: ${title}`.includes(filter))
    const run = async (one: Case) => {
      const result = await suite.run(area, one)
      if (result.failure !== undefined) tellFailure(result, result.failure)
      return result
    }
    results.push(...(await Promise.all(chosen.map(one => queue.add(() => run(one))))))
  }
  return results
}

function tellFailure({ area, title }: Result, failure: string): void {
  process.stderr.write(`not ok ${area}: ${title}\n  ${failure.replaceAll('\n', '\n  ')}\n`)
}
