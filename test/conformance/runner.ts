/** Runs all cases, eight at a time, and tells what does not hold. */
import PQueue from 'p-queue'
import { realEnvironment } from '../../cli/environment.ts'
import { areas, createSuite, type Result } from './suite.ts'

/** The results of the cases whose `area: title` has the filter in it, in the order of the areas. */
export async function runAll(kubeconfig: string, filter = ''): Promise<readonly Result[]> {
  await using suite = createSuite(kubeconfig, realEnvironment())
  const queue = new PQueue({ concurrency: 8 })
  const wanted = areas.flatMap(area => area.cases.map(one => ({ area, one })))
  const chosen = wanted.filter(({ area, one }) => `${area.name}: ${one.title}`.includes(filter))
  return await Promise.all(
    chosen.map(({ area, one }) =>
      queue.add(async () => {
        const result = await suite.run(area, one)
        if (result.failure !== undefined) tellFailure(result, result.failure)
        return result
      }),
    ),
  )
}

function tellFailure({ area, title }: Result, failure: string): void {
  process.stderr.write(`not ok ${area}: ${title}\n  ${failure.replaceAll('\n', '\n  ')}\n`)
}
