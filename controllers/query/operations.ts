import type { RecordQuery } from '../records/record.ts'
import type { History } from '../records/recorder.ts'
import { kindFor } from './explain.ts'
import { QueryError, type QueryRoute } from './route.ts'

const defaultLimit = 200
const mostRecords = 10_000

/**
 * `/operations[?kind=…&name=…&namespace=…][&since=RFC3339][&until=RFC3339][&limit=N][&events=true]`: the journal of
 * operations and its gaps, oldest first, with the archive of events if wanted.
 */
export const operationsRoute: QueryRoute = {
  path: '/operations',
  answer: (query, { recorder }): Promise<History> => recorder.query(recordQueryOf(query)),
}

function recordQueryOf(query: URLSearchParams): RecordQuery {
  const [kind, name] = [query.get('kind'), query.get('name')]
  if ((kind === null) !== (name === null)) throw new QueryError(400, 'Cannot look: give both kind and name, or neither')
  const namespace = query.get('namespace')
  const since = momentOf(query, 'since')
  const until = momentOf(query, 'until')
  return {
    types: query.get('events') === 'true' ? ['Operation', 'Gap', 'Event'] : ['Operation', 'Gap'],
    ...(kind === null || name === null
      ? {}
      : { subject: { kind: kindFor(kind).kind, name, ...(namespace === null ? {} : { namespace }) } }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    limit: limitOf(query.get('limit')),
  }
}

function momentOf(query: URLSearchParams, name: string): string | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  if (Number.isNaN(Date.parse(text))) {
    throw new QueryError(400, `Cannot look: ${name} must be a moment such as 2026-11-02T12:00:00Z`)
  }
  return text
}

function limitOf(text: string | null): number {
  if (text === null) return defaultLimit
  const limit = Number(text)
  if (Number.isInteger(limit) && limit > 0 && limit <= mostRecords) return limit
  throw new QueryError(400, `Cannot look: limit must be a whole number from 1 to ${mostRecords}`)
}
