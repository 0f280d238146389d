import type { EventRecord, HistoryRecord, OperationRecord } from '../controllers/records/record.ts'
import type { History } from '../controllers/records/recorder.ts'
import { lasting } from './durations.ts'
import type { Paint } from './paint.ts'
import { qualifiedName } from './standing.ts'

/** The past, a line for each record, oldest first. `of: object`: the lines need not say which object they are about. */
export function historyLines(
  { records, running, incomplete }: History,
  paint: Paint,
  { of }: { readonly of: 'object' | 'everything' },
): readonly string[] {
  const under = new Set(running)
  const days = new Set(records.map(({ at }) => at.slice(0, 10)))
  const time = ({ at }: HistoryRecord) =>
    paint.dim(days.size > 1 ? at.slice(0, 19).replace('T', ' ') : at.slice(11, 19))
  const lines = records.map(record => `${time(record)}  ${lineOf(record, under, of, paint)}`)
  return [...lines, ...(incomplete === undefined ? [] : [paint.yellow(incomplete)])]
}

function lineOf(
  record: HistoryRecord,
  running: ReadonlySet<string>,
  of: 'object' | 'everything',
  paint: Paint,
): string {
  if (record.type === 'Gap') {
    return paint.yellow(
      `${record.lost} records were lost until ${record.until.slice(11, 19)}: the record store was away`,
    )
  }
  const subject = of === 'object' ? '' : `${record.kind} ${qualifiedName(record)}  `
  if (record.type === 'Event') return `${subject}${eventText(record, paint)}`
  const asked = paint.dim(
    `generation ${record.generation}${record.changedBy === undefined ? '' : ` by ${record.changedBy}`}`,
  )
  return `${subject}${record.verb} at ${record.endpointName}  ${endText(record, running, paint)}  ${asked}`
}

function eventText({ eventType, reason, note, count }: EventRecord, paint: Paint): string {
  const colour = eventType === 'Warning' ? paint.yellow : paint.green
  return `${colour(reason)}  ${note}${count === 1 ? '' : ` (${count} times)`}`
}

function endText(
  { id, begunAt, endedAt, outcome, message }: OperationRecord,
  running: ReadonlySet<string>,
  paint: Paint,
): string {
  if (endedAt === undefined) {
    const now = begunAt === undefined ? 'waits for its turn' : 'running'
    return paint.yellow(running.has(id) ? now : 'no end was recorded')
  }
  if (begunAt === undefined) return paint.dim('given up before it began')
  const took = lasting(Date.parse(endedAt) - Date.parse(begunAt))
  if (outcome === 'Succeeded') return `${paint.green('done')} in ${took}`
  return `${paint.red(outcome ?? 'ended')} after ${took}${message === undefined ? '' : `: ${message}`}`
}
