import type { Explanation } from '../controllers/explain/explanation.ts'
import { type ApiOptions, explained, openApi } from './api-access.ts'
import { realEnvironment } from './environment.ts'
import { explanationLines } from './explain-text.ts'
import { paintFor } from './paint.ts'
import { askControllers } from './query-client.ts'
import type { OutputFormat } from './status.ts'
import { UserError } from './user-error.ts'

/** Options of `skystead explain`. */
export interface ExplainOptions extends ApiOptions {
  readonly namespace: string
  readonly output: OutputFormat
}

/** Tells why an object is as it is. */
export async function explain(kind: string, name: string, options: ExplainOptions): Promise<void> {
  const environment = realEnvironment()
  await using access = openApi(options, environment)
  const query = new URLSearchParams({ kind, name, namespace: options.namespace })
  try {
    const answers = await askControllers<Explanation>(access, `/explain?${query}`, environment)
    // The replica that works on the object knows most; the others have only its phases.
    const told = answers.find(({ dueInMs }) => dueInMs !== undefined) ?? answers[0]
    if (told === undefined) throw new UserError('Cannot explain: no controller answered')
    const lines =
      options.output === 'json'
        ? [JSON.stringify(told, undefined, 2)]
        : explanationLines(told, paintFor(process.stdout))
    process.stdout.write(`${lines.join('\n')}\n`)
  } catch (error) {
    throw explained(error, access)
  }
}
