import { createLogUpdate } from 'log-update'
import type { Engine } from '../controllers/engine/engine.ts'
import { type Environment, sleep } from '../crds/environment.ts'
import { Allocation } from '../crds/infrastructure/allocation.ts'
import { kinds } from '../crds/kinds.ts'
import { fitted, type Paint, paintFor, signOf } from './paint.ts'
import { type Standing, standingOf, titleOf, whyOf } from './standing.ts'

/** How often progress is looked at, in ms. */
const interval = 200
/** Up to so many objects are all listed once everything is Ready; of more only the count is told. */
const listedAtEnd = 60

/** Shows how the described cloud comes up until everything is Ready or the signal aborts: live in a terminal, plain lines elsewhere. */
export async function showProgress(engine: Engine, environment: Environment, signal: AbortSignal): Promise<void> {
  const show = process.stdout.isTTY === true ? liveDisplay() : lineDisplay()
  while (!signal.aborted) {
    const rows = rowsOf(engine)
    show(rows)
    if (rows.length > 0 && rows.every(({ state }) => state === 'Ready')) return
    await sleep(environment.clock, interval, signal).catch(() => undefined)
  }
}

interface Row extends Standing {
  readonly name: string
}

function rowsOf({ desired }: Engine): readonly Row[] {
  const rows: Row[] = []
  for (const kind of kinds) {
    if (kind === Allocation) continue
    for (const object of desired.all(kind)) rows.push({ name: titleOf(object), ...standingOf(object) })
  }
  return rows
}

function liveDisplay(): (rows: readonly Row[]) => void {
  const update = createLogUpdate(process.stdout)
  const paint = paintFor(process.stdout)
  return rows => {
    const size = { rows: (process.stdout.rows ?? 24) - 2, columns: (process.stdout.columns ?? 80) - 1 }
    const unready = rows.filter(({ state }) => state !== 'Ready')
    const count = `${rows.length - unready.length} of ${rows.length} ready`
    if (unready.length === 0 && rows.length <= listedAtEnd) {
      update.clear()
      process.stdout.write(`${linesOf(rows, paint).join('\n')}\n${count}\n`)
      return update.done()
    }
    // Where not everything fits, what is still to come is worth the room.
    const shown = rows.length <= size.rows ? rows : unready
    update(`${fitted(linesOf(shown, paint), size)}\n${count}`)
  }
}

function linesOf(rows: readonly Row[], paint: Paint): readonly string[] {
  const width = Math.max(0, ...rows.map(({ name }) => name.length))
  return rows.map(row => `${signOf(row.state, paint)} ${row.name.padEnd(width)}  ${paint.dim(whyOf(row))}`)
}

/** Each object is told when it becomes Ready, and when somebody must act for it. */
function lineDisplay(): (rows: readonly Row[]) => void {
  const told = new Map<string, string>()
  return rows => {
    for (const row of rows) {
      if (row.state !== 'Ready' && row.state !== 'Stalled') continue
      const line = row.state === 'Ready' ? `ready    ${row.name}` : `stalled  ${row.name}  ${whyOf(row)}`
      if (told.get(row.name) === line) continue
      told.set(row.name, line)
      process.stdout.write(`${line}\n`)
    }
  }
}
