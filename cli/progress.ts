import logUpdate from 'log-update'
import type { Engine } from '../controllers/engine/engine.ts'
import { type Environment, sleep } from '../crds/environment.ts'
import { kinds } from '../crds/kinds.ts'
import { conditionOf, type Resource } from '../crds/meta.ts'

/** How often progress is looked at, in ms. */
const interval = 200

/** Shows how the described cloud comes up until everything is Ready or the signal aborts: live in a terminal, plain lines elsewhere. */
export async function showProgress(engine: Engine, environment: Environment, signal: AbortSignal): Promise<void> {
  const live = process.stdout.isTTY === true
  const told = new Set<string>()
  while (!signal.aborted) {
    const rows = rowsOf(engine)
    if (live) logUpdate(table(rows))
    else tellNew(rows, told)
    if (rows.length > 0 && rows.every(({ ready }) => ready)) break
    await sleep(environment.clock, interval, signal).catch(() => undefined)
  }
  if (live) logUpdate.done()
}

interface Row {
  readonly name: string
  readonly ready: boolean
  readonly text: string
}

function rowsOf({ desired }: Engine): readonly Row[] {
  const rows: Row[] = []
  for (const kind of kinds) {
    if (kind.kind === 'Allocation') continue
    for (const object of desired.all(kind)) rows.push(rowOf(object))
  }
  return rows
}

function rowOf(object: Resource): Row {
  const { name, namespace } = object.metadata
  const condition = conditionOf(object, 'Ready')
  const ready = condition?.status === 'True' && condition.observedGeneration === object.metadata.generation
  const text =
    condition === undefined ? 'new' : `${condition.reason}${condition.message ? `: ${condition.message}` : ''}`
  return { name: `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`, ready, text }
}

function table(rows: readonly Row[]): string {
  const width = Math.max(0, ...rows.map(({ name }) => name.length))
  const columns = (process.stdout.columns ?? 100) - 1
  return rows
    .map(({ name, ready, text }) => `${ready ? '✓' : '…'} ${name.padEnd(width)}  ${text}`.slice(0, columns))
    .join('\n')
}

function tellNew(rows: readonly Row[], told: Set<string>): void {
  for (const { name, ready } of rows) {
    if (!ready || told.has(name)) continue
    told.add(name)
    process.stdout.write(`ready  ${name}\n`)
  }
}
