import type { HistoryRecord } from '../controllers/records/record.ts'
import type { History } from '../controllers/records/recorder.ts'
import { parseDuration } from '../crds/invariants/duration.ts'
import { type ApiOptions, explained, openApi } from './api-access.ts'
import { realEnvironment } from './environment.ts'
import { historyLines } from './history-text.ts'
import { paintFor } from './paint.ts'
import { askControllers } from './query-client.ts'
import type { OutputFormat } from './status.ts'
import { UserError } from './user-error.ts'

/** Options of `skystead operations`. */
export interface OperationsOptions extends ApiOptions {
  /** `KIND/NAMESPACE/NAME`, or `KIND/NAME`. */
  readonly object?: string
  /** A duration such as `1h`. */
  readonly since?: string
  readonly events: boolean
  readonly limit: number
  readonly output: OutputFormat
}

/** Lists what was done, from the record store. */
export async function operations(options: OperationsOptions): Promise<void> {
  const environment = realEnvironment()
  await using access = openApi(options, environment)
  const query = queryOf(options, environment.clock.now())
  try {
    const answers = await askControllers<History>(access, `/operations?${query}`, environment)
    const history = joinedHistory(answers, options.limit)
    process.stdout.write(`${linesOf(history, options).join('\n')}\n`)
  } catch (error) {
    throw explained(error, access)
  }
}

/** What was asked, as the controllers want it. Throws one clear line where it cannot be asked so. */
export function queryOf({ object, since, events, limit }: OperationsOptions, now: number): URLSearchParams {
  const query = new URLSearchParams({ limit: String(limit), events: String(events) })
  if (object !== undefined) {
    const [kind = '', ...rest] = object.split('/')
    const [name, namespace, ...tooMany] = rest.toReversed()
    if (kind === '' || name === undefined || name === '' || tooMany.length > 0) {
      throw new UserError(`Cannot look for "${object}": it must be KIND/NAMESPACE/NAME, or KIND/NAME`)
    }
    query.set('kind', kind)
    query.set('name', name)
    if (namespace !== undefined && namespace !== '') query.set('namespace', namespace)
  }
  if (since !== undefined) query.set('since', new Date(now - lengthOf(since)).toISOString())
  return query
}

/** Each replica tells what is stored and what it remembers: together they tell all. */
export function joinedHistory(answers: readonly History[], limit: number): History {
  const records = new Map<string, HistoryRecord>()
  for (const { records: each } of answers) {
    for (const record of each) {
      const known = records.get(record.id)
      // What a replica remembers of its own operation is newer than what was stored: it has its end.
      if (known?.type === 'Operation' && known.endedAt !== undefined) continue
      records.set(record.id, record)
    }
  }
  const sorted = [...records.values()].toSorted((left, right) => (left.at < right.at ? -1 : left.at > right.at ? 1 : 0))
  const incomplete = answers.find(answer => answer.incomplete !== undefined)?.incomplete
  const running = answers.flatMap(answer => answer.running)
  return { records: sorted.slice(-limit), running, ...(incomplete === undefined ? {} : { incomplete }) }
}

function linesOf(history: History, { output, object }: OperationsOptions): readonly string[] {
  if (output === 'json') return [JSON.stringify(history, undefined, 2)]
  const lines = historyLines(history, paintFor(process.stdout), { of: object === undefined ? 'everything' : 'object' })
  return lines.length === 0 ? ['No operation is recorded for that.'] : lines
}

function lengthOf(text: string): number {
  try {
    return parseDuration(text)
  } catch (error) {
    throw new UserError(`Cannot look back: --since must be a duration such as 1h or 30m, not "${text}"`, {
      cause: error,
    })
  }
}
