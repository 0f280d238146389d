/** Writes per second of the embedded API server: creates, status patches and applies, grouped and one by one. */

import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAPIServer } from '../apiserver/server.ts'
import { openSQLiteLog } from '../apiserver/storage/sqlite-log.ts'

const environment = {
  clock: {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after: (milliseconds: number, action: () => void) => {
      const timer = setTimeout(action, milliseconds)
      return { cancel: () => clearTimeout(timer) }
    },
  },
  random: { next: () => Math.random(), uuid: () => randomUUID() },
}

const count = Number(process.argv[2] ?? 10_000)
const concurrency = 50

const text = { type: 'string', maxLength: 253 }
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'machines.bench.skystead.dev' },
  spec: {
    group: 'bench.skystead.dev',
    scope: 'Namespaced',
    names: { plural: 'machines', kind: 'Machine' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['zoneName'],
                properties: {
                  zoneName: text,
                  serviceOfferingName: text,
                  runStrategy: { type: 'string', enum: ['Always', 'Halted'], default: 'Always' },
                  nics: {
                    type: 'array',
                    maxItems: 16,
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['name'],
                    items: { type: 'object', required: ['name'], properties: { name: text, networkName: text } },
                  },
                },
                'x-kubernetes-validations': [
                  { rule: 'self.zoneName == oldSelf.zoneName', message: 'zoneName is immutable' },
                ],
              },
              status: {
                type: 'object',
                properties: {
                  powerState: text,
                  conditions: {
                    type: 'array',
                    maxItems: 32,
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['type'],
                    items: {
                      type: 'object',
                      required: ['type', 'status'],
                      properties: { type: text, status: text, reason: text, message: text, lastTransitionTime: text },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
}

const home = mkdtempSync(join(tmpdir(), 'skystead-bench-'))
const server = await createAPIServer({ log: await openSQLiteLog(join(home, 'objects.db')), environment })
const collection = '/apis/bench.skystead.dev/v1/namespaces/default/machines'

async function call(method: string, path: string, body: unknown, type = 'application/json'): Promise<void> {
  const headers = { 'content-type': type, 'user-agent': 'bench/1' }
  const response = await server.handle({ method, path, headers, body: Buffer.from(JSON.stringify(body)) })
  if (response.status < 300) return
  throw new Error(`${method} ${path}: ${response.status} ${Buffer.from(response.body as Uint8Array)}`)
}

function machine(index: number) {
  return {
    apiVersion: 'bench.skystead.dev/v1',
    kind: 'Machine',
    metadata: { name: `machine-${index}`, labels: { app: 'bench', rack: String(index % 40) } },
    spec: { zoneName: 'zone-a', serviceOfferingName: 'small', nics: [{ name: 'eth0', networkName: 'web' }] },
  }
}

function status(index: number) {
  const conditions = ['Scheduled', 'NetworkReady', 'VolumesAttached', 'PowerApplied', 'Ready'].map(type => ({
    type,
    status: 'True',
    reason: 'Done',
    message: `as wished, ${index}`,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }))
  return { status: { powerState: 'Running', conditions } }
}

async function measure(name: string, parallel: number, total: number, write: (index: number) => Promise<void>) {
  const start = performance.now()
  const cpu = process.cpuUsage()
  let next = 0
  const lane = async () => {
    for (let index = next++; index < total; index = next++) await write(index)
  }
  await Promise.all(Array.from({ length: parallel }, lane))
  const perSecond = Math.round((total * 1000) / (performance.now() - start))
  const { user, system } = process.cpuUsage(cpu)
  // All threads: what the write costs on a machine that does other things too.
  const cpuMicroseconds = Math.round((user + system) / total)
  console.log(JSON.stringify({ name, size: total, parallel, perSecond, cpuMicroseconds }))
}

await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition)
await measure('create', concurrency, count, index => call('POST', collection, machine(index)))
await measure('status merge patch', concurrency, count, index =>
  call('PATCH', `${collection}/machine-${index}/status`, status(index), 'application/merge-patch+json'),
)
await measure('server-side apply, changed', concurrency, count, index => {
  const { spec, ...rest } = machine(index)
  const body = { ...rest, spec: { ...spec, runStrategy: 'Halted' } }
  return call('PATCH', `${collection}/machine-${index}?fieldManager=b&force=true`, body, 'application/apply-patch+yaml')
})
await measure('server-side apply, unchanged', concurrency, count, index => {
  const { spec, ...rest } = machine(index)
  const body = { ...rest, spec: { ...spec, runStrategy: 'Halted' } }
  return call('PATCH', `${collection}/machine-${index}?fieldManager=b&force=true`, body, 'application/apply-patch+yaml')
})
await measure('create, one at a time', 1, Math.min(count, 1000), index =>
  call('POST', collection, machine(count + index)),
)
const start = performance.now()
const list = await server.handle({ method: 'GET', path: collection, headers: {} })
let bytes = 0
for await (const piece of list.body as AsyncIterable<Uint8Array>) bytes += piece.byteLength
console.log(JSON.stringify({ name: 'list', size: count, milliseconds: Math.round(performance.now() - start), bytes }))
console.log(JSON.stringify({ name: 'memory', residentMiB: Math.round(process.memoryUsage().rss / 1024 / 1024) }))
await server.close()
rmSync(home, { recursive: true })
