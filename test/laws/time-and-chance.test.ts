import test from 'ava'
import { repositorySources } from './sources.ts'
import { realTimeAndChance } from './time-law.ts'

test('real time and chance are taken in one file only', t => {
  t.deepEqual(realTimeAndChance(repositorySources()), [])
})

const taken: readonly (readonly [use: string, text: string])[] = [
  ['Date.now', 'export const at = Date.now()'],
  ['new Date()', 'export const at = new Date().toISOString()'],
  ['Date', 'export const at = Date()'],
  ['Date', 'const { now } = Date'],
  ['setTimeout', 'setTimeout(() => {}, 5)'],
  ['setInterval', 'globalThis.setInterval(() => {}, 5)'],
  ['performance', 'export const at = performance.now()'],
  ['hrtime', 'export const at = process.hrtime.bigint()'],
  ['Math.random', 'export const chance = Math.random()'],
  ['Math.random', 'const { random } = Math'],
  ['AbortSignal.timeout', 'export const signal = AbortSignal.timeout(5)'],
  ['randomUUID', `import { randomUUID } from 'node:crypto'`],
  ['getRandomValues', 'crypto.getRandomValues(new Uint8Array(8))'],
  ['node:timers/promises', `import * as timers from 'node:timers/promises'`],
  ['node:perf_hooks', `import * as hooks from 'node:perf_hooks'`],
]

for (const [use, text] of taken) {
  test(`the law finds ${use} in: ${text}`, t => {
    t.deepEqual(realTimeAndChance([{ path: 'controllers/a.ts', text }]), [`controllers/a.ts:1: ${use}`])
  })
}

test('the law allows what neither measures time nor rolls dice', t => {
  const text = `
    // Date.now() in a comment, and in a text: 'Math.random()'
    export const moment = new Date(5).toISOString()
    export const parsed = Date.parse('2026-11-02T12:00:00Z')
    export function isDate(value: unknown): value is Date { return value instanceof Date }
    setImmediate(() => queueMicrotask(() => {}))
    export const largest = Math.max(1, 2)
    export const signal = AbortSignal.any([])
  `
  t.deepEqual(realTimeAndChance([{ path: 'reconcilers/a.ts', text }]), [])
})

test('only the real environment, tests, tools and benchmarks are left out', t => {
  const text = 'export const at = Date.now()\ncrypto.getRandomValues(new Uint8Array(8))\n'
  const found = (path: string) => realTimeAndChance([{ path, text }]).length
  const paths = ['cli/environment.ts', 'tools/a.ts', 'bench/a.ts', 'test/a.ts', 'cli/a.ts']
  t.deepEqual(paths.map(found), [0, 0, 0, 0, 2])
})
