import { createLogUpdate } from 'log-update'
import type { Environment } from '../crds/environment.ts'
import { type ApiAccess, type ApiOptions, explained, openApi } from './api-access.ts'
import { type Cloud, followCloud, readCloud } from './cloud.ts'
import { realEnvironment } from './environment.ts'
import { fitted, paintFor } from './paint.ts'
import { qualifiedName, type Standing, standingOf, whyOf } from './standing.ts'
import { countLine, statusLines } from './status-text.ts'
import { statusOf } from './status-tree.ts'
import { type Termination, terminationSignal } from './termination.ts'

/** How a command answers: for people, or as JSON for programs. */
export type OutputFormat = 'text' | 'json'

/** Options of `skystead status`. */
export interface StatusOptions extends ApiOptions {
  readonly watch: boolean
  readonly output: OutputFormat
}

/** How often the display changes at most, in ms. */
const displayInterval = 200

/** Shows how the cloud fares: once, or until it is told to stop. */
export async function status(options: StatusOptions): Promise<void> {
  const environment = realEnvironment()
  await using access = openApi(options, environment)
  try {
    if (!options.watch) return write(await readCloud(access.client), options.output)
    await watch(access, options.output, environment)
  } catch (error) {
    throw explained(error, access)
  }
}

function write(cloud: Cloud, output: OutputFormat): void {
  const found = statusOf(cloud)
  const json = () => [JSON.stringify(found, undefined, 2)]
  writeLines(output === 'json' ? json() : statusLines(found, paintFor(process.stdout)))
}

async function watch({ client }: ApiAccess, output: OutputFormat, environment: Environment): Promise<void> {
  const stop = terminationSignal(environment.clock)
  const live = output === 'text' && process.stdout.isTTY === true
  let due = false
  let silent = false
  let show: () => void = () => undefined
  await using followed = await followCloud(client, {
    environment,
    changed: plan,
    silent: isSilent => {
      silent = isSilent
      plan()
    },
  })
  const display = live ? liveDisplay(stop) : lineDisplay(followed.cloud, output)
  show = () => display(followed.cloud, silent)
  show()
  await stop.received

  /** Gathers changes that come together. */
  function plan(): void {
    if (due) return
    due = true
    environment.clock.after(displayInterval, () => {
      due = false
      if (!stop.signal.aborted) show()
    })
  }
}

/** The whole picture, drawn over the one before. */
function liveDisplay(stop: Termination): (cloud: Cloud, silent: boolean) => void {
  const update = createLogUpdate(process.stdout)
  const paint = paintFor(process.stdout)
  let last: () => void = () => undefined
  process.stdout.on('resize', () => last())
  stop.signal.addEventListener('abort', () => update.done(), { once: true })
  return (cloud, silent) => {
    last = () => {
      const { rows = 24, columns = 80 } = process.stdout
      const note = silent ? [paint.red('The API does not answer; this is what was last seen.'), ''] : []
      update(fitted([...note, ...statusLines(statusOf(cloud), paint)], { rows: rows - 1, columns: columns - 1 }))
    }
    last()
  }
}

/** A line for everything that fares differently than before; the whole picture first. */
function lineDisplay(cloud: Cloud, output: OutputFormat): (cloud: Cloud, silent: boolean) => void {
  let told = standings(cloud)
  let wasSilent = false
  if (output === 'text') write(cloud, output)
  else writeLines([...told.values()].map(entry => JSON.stringify(entry)))
  return (now, silent) => {
    if (silent !== wasSilent && output === 'text') {
      writeLines([silent ? 'The API does not answer.' : 'The API answers again.'])
    }
    wasSilent = silent
    const next = standings(now)
    const lines: string[] = []
    for (const [uid, entry] of next) {
      const before = told.get(uid)
      if (before !== undefined && isSame(before, entry)) continue
      lines.push(output === 'json' ? JSON.stringify(entry) : changeLine(entry))
    }
    for (const [uid, entry] of told) {
      if (next.has(uid)) continue
      const gone: Entry = { ...entry, state: 'Gone', reason: 'Deleted', message: '' }
      lines.push(output === 'json' ? JSON.stringify(gone) : changeLine(gone))
    }
    told = next
    if (lines.length > 0) writeLines(output === 'text' ? [...lines, countLine(statusOf(now))] : lines)
  }
}

interface Entry extends Omit<Standing, 'state'> {
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly state: Standing['state'] | 'Gone'
}

function standings(cloud: Cloud): ReadonlyMap<string, Entry> {
  return new Map(
    cloud.all().map(object => {
      const { kind, metadata } = object
      const { namespace, name, uid } = metadata
      return [uid, { kind, ...(namespace === undefined ? {} : { namespace }), name, ...standingOf(object) }]
    }),
  )
}

function isSame(left: Entry, right: Entry): boolean {
  return left.state === right.state && left.reason === right.reason && left.message === right.message
}

function changeLine(entry: Entry): string {
  const why = entry.state === 'Ready' || entry.state === 'Gone' ? '' : `  ${whyOf(entry)}`
  return `${entry.state.toLowerCase().padEnd(8)}  ${entry.kind} ${qualifiedName(entry)}${why}`
}

function writeLines(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}
