import test from 'ava'
import { type Bench, benches, sizes } from '../../bench/benches.ts'
import { percentile, rounded } from '../../bench/measurement.ts'
import { type Circumstances, isMet, judge, resultsPage } from '../../bench/report.ts'
import { sumOf, WriteCounter, writesBetween } from '../../bench/writes.ts'
import type { Transport } from '../../controllers/api/transport.ts'

const bench: Bench = {
  name: 'sample',
  about: 'Something is done',
  file: 'sample.ts',
  targets: { perSecond: { wanted: '>= 150', judged: 'Full' }, violations: { wanted: '= 0', judged: 'Always' } },
}
const here: Circumstances = {
  isFull: true,
  load: 0,
  machine: { cpus: 2, model: 'CPU', memory: 24, node: '24.0.0' },
  commit: 'abc',
}

function findings(...perSecond: readonly number[]) {
  return perSecond.map(each => ({ name: 'sample', size: { hosts: 20 }, figures: { perSecond: each, violations: 0 } }))
}

test('a result has the medians of its runs, and says of each target whether it is met', t => {
  const result = judge(bench, findings(100, 160, 900), here)
  t.deepEqual(result.figures, { perSecond: 160, violations: 0 })
  t.deepEqual(result.met, { perSecond: true, violations: true })
  t.deepEqual(result.target, { perSecond: '>= 150', violations: '= 0' })
  t.is(result.runs, 3)
  t.deepEqual(judge(bench, findings(100, 149, 900), here).met, { perSecond: false, violations: true })
})

test('a small run judges what holds at any size, and no times', t => {
  t.deepEqual(judge(bench, findings(1), { ...here, isFull: false }).met, { violations: true })
})

test('a figure that was not measured misses its target', t => {
  t.false(isMet(undefined, '< 5'))
  t.deepEqual(
    [isMet(5, '< 5'), isMet(5, '<= 5'), isMet(5, '>= 5'), isMet(5, '= 5'), isMet(4, '>= 5'), isMet(4, '= 5')],
    [false, true, true, true, false, false],
  )
})

test('percentiles are samples by nearest rank; figures keep three digits', t => {
  const samples = Array.from({ length: 100 }, (_, index) => 100 - index)
  t.deepEqual([percentile(samples, 50), percentile(samples, 99), percentile(samples, 100)], [50, 99, 100])
  t.deepEqual([rounded(1234.5), rounded(0.012345), rounded(12.345)], [1235, 0.0123, 12.3])
})

test('the page shows what was wanted and measured, in the order of the benches, and marks what was missed', t => {
  const page = resultsPage([bench, { ...bench, name: 'absent' }], [judge(bench, findings(100), here)])
  t.true(page.includes('| perSecond | >= 150 | 100 | **missed** |'))
  t.true(page.includes('| violations | = 0 | 0 | met |'))
  t.false(page.includes('absent'))
})

test('every bench has a size, and a target that says what is wanted of it', t => {
  for (const { file, targets, name } of benches) {
    t.true(sizes[file] !== undefined, name)
    t.true(Object.keys(targets).length > 0, name)
  }
})

test('writes are counted by what they write, reads are not, and events are told apart', async t => {
  const counter = new WriteCounter()
  const silent = { request: async () => ({ status: 200, headers: {}, body: new Uint8Array() }) }
  const transport = counter.counted(silent as unknown as Transport)
  const group = '/apis/storage.skystead.dev/v1alpha1'
  await transport.request({ method: 'POST', path: `${group}/namespaces/shop/volumes?fieldManager=x` })
  const before = counter.all()
  await transport.request({ method: 'PATCH', path: `${group}/namespaces/shop/volumes/data/status` })
  await transport.request({ method: 'GET', path: `${group}/namespaces/shop/volumes` })
  await transport.request({ method: 'POST', path: '/apis/events.k8s.io/v1/namespaces/shop/events' })
  await transport.request({ method: 'PUT', path: '/apis/infrastructure.skystead.dev/v1alpha1/allocations/ip-1' })
  await transport.request({ method: 'PATCH', path: '/api/v1/namespaces/shop' })
  const writes = writesBetween(before, counter.all())
  t.deepEqual(writes, {
    'PATCH namespaces': 1,
    'PATCH volumes/status': 1,
    'POST events': 1,
    'PUT allocations': 1,
  })
  t.is(sumOf(writes), 3)
  t.is(sumOf(writes, ['volumes', 'allocations']), 2)
})
