/** A process that loads an API as it is told to, so that neither the server nor other clients wait for it. */

import { realEnvironment } from '../../../../cli/environment.ts'
import { sleep } from '../../../../crds/environment.ts'
import { type ConnectOptions, connectMany } from '../../../apiserver/process/clients.ts'
import { path, type Verb, verbs } from './objects.ts'

/** Objects to be written, once each. */
export interface Writing {
  readonly verb: Verb
  /** Of the first; the others are numbered on. */
  readonly first: number
  readonly count: number
  readonly clients: number
  /** Writes that each client begins in a second, whatever the answers take. Default: each when the one before is answered. */
  readonly pace?: number
}

/** How writes went, times in ms: at a pace they count from when a write was due. */
export interface Written {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

/** What a loader does. Lists that last go on until `rest`. */
export type Task =
  | { readonly type: 'write'; readonly writing: Writing }
  | { readonly type: 'list'; readonly gzip: boolean }
  | { readonly type: 'keepListing' }
  /** `selector`: of fields; '' for everything. */
  | { readonly type: 'watch'; readonly watchers: number; readonly selector: string }
  /** Waits until so many events have come since the last `watch`, or none came for a while: a server may drop watchers. */
  | { readonly type: 'hear'; readonly events: number }
  | { readonly type: 'rest' }

/** What it answers. */
export type Done = Written | Heard | { readonly seconds: number } | { readonly lists: number } | undefined

/** Events that came, and when the last of them did, in ms since the epoch. */
export interface Heard {
  readonly events: number
  readonly last: number
}

/** No more events are waited for when none has come for so long, in ms. */
const patience = 5_000

const environment = realEnvironment()
const newline = 10
const [kubeconfig = '', options = '{}'] = process.argv.slice(2)
const connectOptions: ConnectOptions = JSON.parse(options)
const clients = await connectMany(kubeconfig, connectOptions)
let resting = new AbortController()
let heard = 0
let lastHeard = 0

async function perform(task: Task): Promise<Done> {
  if (task.type === 'write') return write(task.writing)
  if (task.type === 'list') return { seconds: await secondsOfList(task.gzip) }
  if (task.type === 'keepListing') return { lists: await keepListing(resting.signal) }
  if (task.type === 'watch') return watch(task.watchers, task.selector)
  if (task.type === 'hear') return hear(task.events)
  resting.abort(new Error('rests'))
  resting = new AbortController()
  return undefined
}

async function write({ verb, first, count, clients: many, pace }: Writing): Promise<Written> {
  const times: number[] = []
  const began = performance.now()
  const put = async (index: number, due?: number) => {
    const { milliseconds } = await clients.call(verbs[verb](first + index))
    times.push(due === undefined ? milliseconds : performance.now() - due)
  }
  let next = 0
  const closed = async () => {
    for (let index = next++; index < count; index = next++) await put(index)
  }
  const paced = async (client: number) => {
    if (pace === undefined) return closed()
    for (let index = client; index < count; index += many) {
      const due = began + (index * 1_000) / (pace * many)
      await sleep(environment.clock, due - performance.now())
      await put(index, due)
    }
  }
  await Promise.all(Array.from({ length: many }, (_, client) => paced(client)))
  const perSecond = count / ((performance.now() - began) / 1_000)
  times.sort((left, right) => left - right)
  const share = (part: number) => times[Math.floor(times.length * part)] ?? 0
  return { perSecond, p50: share(0.5), p99: share(0.99) }
}

async function secondsOfList(gzip: boolean): Promise<number> {
  const headers = { 'accept-encoding': gzip ? 'gzip' : 'identity' }
  return (await clients.call({ method: 'GET', path, headers })).milliseconds / 1_000
}

async function keepListing(signal: AbortSignal): Promise<number> {
  let lists = 0
  for (; !signal.aborted; lists++) await secondsOfList(false)
  return lists
}

/** From now on: what is there already is not told. */
async function watch(watchers: number, selector: string): Promise<undefined> {
  heard = 0
  lastHeard = performance.now()
  const { signal } = resting
  const { metadata } = (await clients.read(`${path}?limit=1`)) as { readonly metadata: { resourceVersion: string } }
  const from = `watch=true&resourceVersion=${metadata.resourceVersion}`
  const open = () => clients.watch(`${path}?${from}&fieldSelector=${encodeURIComponent(selector)}`, count, signal)
  await Promise.all(Array.from({ length: watchers }, open))
}

function count(bytes: Uint8Array): void {
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) heard++
  lastHeard = performance.now()
}

async function hear(events: number): Promise<Heard> {
  const { clock } = environment
  const began = performance.now()
  while (heard < events && performance.now() - Math.max(lastHeard, began) < patience) await sleep(clock, 10)
  return { events: heard, last: performance.timeOrigin + lastHeard }
}

process.on('message', ({ id, task }: { readonly id: number; readonly task: Task }) => {
  perform(task).then(
    done => process.send?.({ id, done }),
    error => process.send?.({ id, failure: error instanceof Error ? error.message : String(error) }),
  )
})
process.send?.({ id: 0 })
