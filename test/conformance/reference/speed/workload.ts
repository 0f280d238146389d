/** What an API server is asked to do, and how fast it does it. */

import type { Call, Clients, Timed } from '../../../apiserver/process/clients.ts'
import { definition, objectSchema } from '../../definitions.ts'

/** How much is asked. */
export interface Size {
  /** Objects that are created, updated, patched and applied. */
  readonly writes: number
  /** Objects in the two lists. */
  readonly lists: readonly [few: number, many: number]
  /** Watchers in the two fan-outs. */
  readonly watchers: readonly [few: number, many: number]
  /** Updates that every watcher is told of. */
  readonly told: number
}

/** Names and values, in the order in which they were measured. */
export type Figures = Readonly<Record<string, number>>

const concurrency = 50
const group = 'speed.skystead.test'
/** The kind of the objects. */
export const machines = definition('Machine', {
  group,
  schema: objectSchema(
    {
      offering: { type: 'string' },
      zone: { type: 'string' },
      strategy: { type: 'string', enum: ['Always', 'Halted'], default: 'Always' },
      cores: { type: 'integer', minimum: 1 },
      userData: { type: 'string' },
      nics: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: {
          type: 'object',
          required: ['name'],
          properties: { name: { type: 'string' }, network: { type: 'string' } },
        },
      },
    },
    {
      type: 'object',
      properties: {
        phase: { type: 'string' },
        conditions: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['type'],
          items: {
            type: 'object',
            required: ['type'],
            properties: { type: { type: 'string' }, status: { type: 'string' }, message: { type: 'string' } },
          },
        },
      },
    },
  ),
})
const path = `/apis/${group}/v1/namespaces/default/machines`

const manifest = (name: string, cores: number) => ({
  apiVersion: `${group}/v1`,
  kind: 'Machine',
  metadata: { name, labels: { app: 'web', tier: `t${cores}` } },
  spec: {
    offering: 'medium',
    zone: 'zone-1',
    cores,
    userData: 'x'.repeat(600),
    nics: [
      { name: 'eth0', network: 'front' },
      { name: 'eth1', network: 'back' },
    ],
  },
})

/** Does all of it where the kind is served and has no objects. */
export async function measure(clients: Clients, size: Size): Promise<Figures> {
  const names = Array.from({ length: size.writes }, (_, index) => `m-${index}`)
  const figures: Record<string, number> = {}
  const note = (name: string, done: Done) => {
    figures[`${name}PerSecond`] = Math.round(done.perSecond)
    figures[`${name}P99Ms`] = Math.round(done.p99 * 10) / 10
  }
  note('creates', await all(clients, names, name => post(manifest(name, 1))))
  note('specPatches', await all(clients, names, name => patchSpec(name, manifest(name, 2))))
  note('statusPatches', await all(clients, names, name => patchStatus(name)))
  note('applies', await all(clients, names, name => apply(name, manifest(name, 3))))
  for (const count of size.lists) {
    await fill(clients, names.length, count)
    figures[`list${count}Seconds`] = await list(clients)
  }
  for (const count of size.watchers) figures[`eventsPerSecondTo${count}`] = await fanOut(clients, count, size.told)
  return figures
}

interface Done {
  readonly perSecond: number
  /** Milliseconds within which 99 of 100 were answered. */
  readonly p99: number
}

async function all(clients: Clients, names: readonly string[], callOf: (name: string) => Call): Promise<Done> {
  const times: number[] = []
  let next = 0
  const began = performance.now()
  const work = async () => {
    for (let index = next++; index < names.length; index = next++) {
      const { milliseconds } = await clients.call(callOf(names[index] ?? ''))
      times.push(milliseconds)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  const seconds = (performance.now() - began) / 1000
  times.sort((left, right) => left - right)
  return { perSecond: names.length / seconds, p99: times[Math.floor(times.length * 0.99)] ?? 0 }
}

const post = (object: object): Call => ({ method: 'POST', path, body: JSON.stringify(object) })

function patchSpec(name: string, { spec }: { readonly spec: object }): Call {
  const body = JSON.stringify([{ op: 'replace', path: '/spec', value: spec }])
  return { method: 'PATCH', path: `${path}/${name}`, type: 'application/json-patch+json', body }
}

function patchStatus(name: string): Call {
  const message = `Host "host-${name}" runs it`
  const conditions = [
    { type: 'Ready', status: 'True', message: '' },
    { type: 'Placed', status: 'True', message },
  ]
  const body = JSON.stringify({ status: { phase: 'Running', conditions } })
  return { method: 'PATCH', path: `${path}/${name}/status`, type: 'application/merge-patch+json', body }
}

function apply(name: string, object: object): Call {
  const type = 'application/apply-patch+yaml'
  return { method: 'PATCH', path: `${path}/${name}?fieldManager=speed&force=true`, type, body: JSON.stringify(object) }
}

async function fill(clients: Clients, from: number, to: number): Promise<void> {
  const already = ((await clients.read(`${path}?limit=1`)) as { metadata: { remainingItemCount?: number } }).metadata
  const have = Math.max(from, 1 + (already.remainingItemCount ?? 0))
  const names = Array.from({ length: Math.max(0, to - have) }, (_, index) => `m-${have + index}`)
  await all(clients, names, name => post(manifest(name, 1)))
}

/** One list of everything, the best of three: what garbage the others made is nobody's fault. */
async function list(clients: Clients): Promise<number> {
  const runs: Timed[] = []
  for (let count = 0; count < 3; count++) runs.push(await clients.call({ method: 'GET', path }))
  return Math.round(Math.min(...runs.map(({ milliseconds }) => milliseconds))) / 1000
}

/** How many events a second reach watchers, all of which are told of every update. */
async function fanOut(clients: Clients, watchers: number, told: number): Promise<number> {
  const gone = new AbortController()
  const { metadata } = (await clients.read(`${path}?limit=1`)) as { metadata: { resourceVersion: string } }
  const query = `watch=true&resourceVersion=${metadata.resourceVersion}&fieldSelector=metadata.name%3Dm-0`
  let events = 0
  let finished: () => void = () => undefined
  const done = new Promise<void>(resolve => {
    finished = resolve
  })
  const hear = (bytes: Uint8Array) => {
    for (const byte of bytes) if (byte === 10) events += 1
    if (events >= watchers * told) finished()
  }
  await Promise.all(Array.from({ length: watchers }, () => clients.watch(`${path}?${query}`, hear, gone.signal)))
  const began = performance.now()
  for (let count = 0; count < told; count++) {
    await clients.call(patchSpec('m-0', manifest('m-0', 4 + count)))
  }
  await done
  const seconds = (performance.now() - began) / 1000
  gone.abort()
  return Math.round((watchers * told) / seconds)
}
