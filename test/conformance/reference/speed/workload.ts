/** What an API server is asked to do, and how fast it does it. */

import type { ConnectOptions } from '../../../apiserver/process/clients.ts'
import type { Writing, Written } from './loader.ts'
import { type Loader, startLoader } from './loaders.ts'
import type { Verb } from './objects.ts'

/** How much is asked. */
export interface Size {
  /** Objects that are created, patched and applied as fast as they are answered. */
  readonly writes: number
  /** Seconds in which objects are created at a pace: alone, beside lists, beside watches. */
  readonly seconds: number
  /** Objects in the lists. */
  readonly lists: readonly number[]
  /** Watchers in the fan-outs. */
  readonly watchers: readonly number[]
  /** Updates that every watcher is told of. */
  readonly told: number
}

/** Names and values, in the order in which they were measured. */
export type Figures = Readonly<Record<string, number>>

/** Clients that write at a time. */
const clients = 50
/** Writes that each of them begins in a second, where they keep a pace. */
const pace = 10
/** Watchers that are told of every creation, where creations go on beside them. */
const crowd = 100

const measured: readonly (readonly [figure: string, verb: Verb])[] = [
  ['creates', 'create'],
  ['specPatches', 'patchSpec'],
  ['statusPatches', 'patchStatus'],
  ['applies', 'apply'],
]

/** Does all of it where the kind is served and has no objects. */
export async function measure(kubeconfig: string, options: ConnectOptions, size: Size): Promise<Figures> {
  await using writer = await startLoader(kubeconfig, options)
  await using other = await startLoader(kubeconfig, options)
  const figures: Record<string, number> = {}
  let objects = 0
  const create = async (count: number, more: Partial<Writing> = {}) => {
    objects += count
    return writer.write({ verb: 'create', first: objects - count, count, clients, ...more })
  }
  const note = (name: string, written: Written) => {
    figures[`${name}P50Ms`] = tenths(written.p50)
    figures[`${name}P99Ms`] = tenths(written.p99)
  }

  // The first requests of a process are slow, and not what is measured.
  await create(Math.ceil(size.writes / 10))
  for (const [name, verb] of measured) {
    const written =
      verb === 'create'
        ? await create(size.writes)
        : await writer.write({ verb, first: 0, count: size.writes, clients })
    figures[`${name}PerSecond`] = Math.round(written.perSecond)
    note(name, written)
  }

  const paced = { pace }
  const count = size.seconds * clients * pace
  note('pacedCreates', await create(count, paced))
  const [few = 0] = size.lists
  await create(Math.max(0, few - objects))
  const listing = other.keepListing()
  note('pacedCreatesBesideLists', await create(count, paced))
  await other.rest()
  await listing
  await other.watch(crowd, '')
  note('pacedCreatesBesideWatches', await create(count, paced))
  const { events } = await other.hear(count * crowd)
  figures.eventsToldBesideCreatesPercent = Math.round((events / (count * crowd)) * 100)
  await other.rest()

  for (const wished of size.lists) {
    await create(Math.max(0, wished - objects))
    figures[`list${wished}Seconds`] = await best(() => other.list())
  }
  figures[`list${size.lists.at(-1)}GzipSeconds`] = await best(() => other.list({ gzip: true }))

  for (const watchers of size.watchers) {
    figures[`eventsPerSecondTo${watchers}`] = await fanOut(writer, other, { watchers, told: size.told })
  }
  await using plain = await startLoader(kubeconfig, { ...options, protocol: 'http/1.1' })
  for (const watchers of size.watchers) {
    figures[`eventsPerSecondTo${watchers}OverHTTP1`] = await fanOut(writer, plain, { watchers, told: size.told })
  }
  return figures
}

/** How many events a second reach watchers, all of which are told of every update; one client makes these in turn. */
async function fanOut(
  writer: Loader,
  audience: Loader,
  { watchers, told }: { readonly watchers: number; readonly told: number },
): Promise<number> {
  await audience.watch(watchers, 'metadata.name=m-0')
  const began = performance.timeOrigin + performance.now()
  await writer.write({ verb: 'touch', first: 0, count: told, clients: 1 })
  const { events, last } = await audience.hear(watchers * told)
  await audience.rest()
  return Math.round(events / ((last - began) / 1_000))
}

/** The best of three: what garbage the others made is nobody's fault. */
async function best(run: () => Promise<number>): Promise<number> {
  const seconds: number[] = []
  for (let count = 0; count < 3; count++) seconds.push(await run())
  return Math.round(Math.min(...seconds) * 1_000) / 1_000
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}
