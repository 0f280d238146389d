import test from 'ava'
import { explainRoute, kindFor } from '../../../controllers/query/explain.ts'
import { operationsRoute } from '../../../controllers/query/operations.ts'
import type { QuerySources } from '../../../controllers/query/route.ts'
import type { RecordQuery } from '../../../controllers/records/record.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'

/** Sources that only remember what history was asked for. */
function sources(asked: RecordQuery[]): QuerySources {
  return {
    engines: () => {
      throw new Error('Cannot be asked: there is no engine')
    },
    environment: virtualEnvironment(),
    installation: 'one',
    recorder: {
      async query(query) {
        asked.push(query)
        return { records: [], running: [] }
      },
    },
  }
}

test('a kind is found as kubectl takes it; an unknown one is answered with those there are', t => {
  t.deepEqual(
    ['vm', 'VirtualMachine', 'virtualmachines', 'HOSTS', 'zone'].map(word => kindFor(word).kind),
    ['VirtualMachine', 'VirtualMachine', 'VirtualMachine', 'Host', 'Zone'],
  )
  t.throws(() => kindFor('pod'), { message: /Cannot find the kind "pod": there are Allocation, / })
})

test('history is asked for by object, time, number and type', async t => {
  const asked: RecordQuery[] = []
  const ask = (text: string) => operationsRoute.answer(new URLSearchParams(text), sources(asked))
  await ask('')
  await ask(
    'kind=vm&name=web-1&namespace=shop&since=2026-01-01T10:30:00Z&until=2026-01-01T11:00:00Z&limit=5&events=true',
  )
  t.deepEqual(asked, [
    { types: ['Operation', 'Gap'], limit: 200 },
    {
      types: ['Operation', 'Gap', 'Event'],
      subject: { kind: 'VirtualMachine', name: 'web-1', namespace: 'shop' },
      since: '2026-01-01T10:30:00Z',
      until: '2026-01-01T11:00:00Z',
      limit: 5,
    },
  ])
})

const wrong: readonly (readonly [route: typeof explainRoute, text: string, message: RegExp])[] = [
  [operationsRoute, 'kind=vm', /give both kind and name, or neither/],
  [operationsRoute, 'since=yesterday', /since must be a moment such as/],
  [operationsRoute, 'limit=0', /limit must be a whole number from 1 to 10000/],
  [operationsRoute, 'limit=1e9', /limit must be a whole number from 1 to 10000/],
  [explainRoute, 'kind=vm&namespace=shop', /must name an object/],
  [explainRoute, 'kind=vm&name=web-1', /the kind is namespaced, so name its namespace/],
]

for (const [route, text, message] of wrong) {
  test(`${route.path}?${text} is refused with what to ask instead`, async t => {
    await t.throwsAsync(async () => route.answer(new URLSearchParams(text), sources([])), { message })
  })
}
