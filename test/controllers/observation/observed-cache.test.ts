import test from 'ava'
import { createObservedCache } from '../../../controllers/observation/observed-cache.ts'
import { topics } from '../../../controllers/observation/topics.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { begin, bench, list, operate, powers } from './cache-bench.ts'
import {
  foreignMachine,
  hostA,
  hostB,
  hostEndpoint,
  hostListing,
  image,
  installation,
  machine,
  pool,
  poolEndpoint,
  poolListing,
  powerA,
  powerEndpoint,
  removeMachine,
  startMachine,
  store,
  storeEndpoint,
  volume,
} from './samples.ts'

test('nothing is known of an endpoint before its first listing', t => {
  const { cache } = bench(hostEndpoint(hostA))
  t.deepEqual(cache.endpoint(hostA), { answers: 'Unknown', listed: false })
  t.is(cache.host(hostA), undefined)
  t.deepEqual(cache.machines('m'), [])
  t.deepEqual(cache.counts(hostA), { things: 0, foreign: 0 })
  t.false(cache.provenAbsent('m', hostA))
})

test('a listing tells of exactly what it brought', t => {
  const { cache, told } = bench(hostEndpoint(hostA))
  list(cache, hostA, hostListing([machine('m')]))
  t.deepEqual(cache.endpoint(hostA), { answers: 'Yes', listed: true })
  t.deepEqual(powers(cache, 'm'), [[hostA, 'Running', true]])
  t.deepEqual(told(), [
    topics.counts(hostA),
    topics.diskUsers('m-root'),
    topics.endpoint(hostA),
    topics.host(hostA),
    topics.machine('m'),
    topics.named('VirtualMachine', 'default', 'm'),
  ])
})

test('an equal listing tells nothing and keeps every reference', t => {
  const { cache, told } = bench(hostEndpoint(hostA), poolEndpoint())
  list(cache, hostA, hostListing([machine('m')]))
  list(cache, pool, poolListing([volume('v')]))
  told()
  const values = () => [
    cache.endpoint(hostA),
    cache.host(hostA),
    cache.machines('m'),
    cache.counts(hostA),
    cache.space(pool),
  ]
  const before = values()
  list(cache, hostA, hostListing([machine('m')]))
  list(cache, pool, poolListing([volume('v')]))
  t.deepEqual(told(), [])
  for (const [index, value] of values().entries()) t.is(value, before[index])
})

test('all that is answered is frozen', t => {
  const { cache } = bench(hostEndpoint(hostA))
  list(cache, hostA, hostListing([machine('m')]))
  const [seen] = cache.machines('m')
  t.true(Object.isFrozen(cache.machines('m')))
  t.true(Object.isFrozen(seen))
  t.true(Object.isFrozen(seen?.facts.definition.disks[0]))
  t.true(Object.isFrozen(cache.host(hostA)?.capabilities))
})

test('whoever is told sees all of one change', t => {
  const seen: unknown[] = []
  const cache = createObservedCache({
    installation,
    environment: virtualEnvironment(),
    notify: () => seen.push([cache.machines('m').length, cache.machines('n').length, cache.endpoint(hostA).listed]),
  })
  cache.declare(hostEndpoint(hostA))
  list(cache, hostA, hostListing([machine('m'), machine('n')]))
  t.true(seen.length > 3)
  for (const each of seen) t.deepEqual(each, [1, 1, true])
})

test('a listing begun before an answer does not bring back what the answer changed', t => {
  const { cache } = bench(hostEndpoint(hostA))
  list(cache, hostA, hostListing([machine('m', { powerState: 'Off' })]))
  const end = begin(cache, hostA)
  operate(cache, startMachine('m'), machine('m'))
  end(hostListing([machine('m', { powerState: 'Off' })]))
  t.deepEqual(powers(cache, 'm'), [[hostA, 'Running', true]])
  list(cache, hostA, hostListing([machine('m', { powerState: 'Off' })]))
  t.deepEqual(powers(cache, 'm'), [[hostA, 'Off', true]])
})

test('a listing begun before a removal does not resurrect the machine', t => {
  const { cache } = bench(hostEndpoint(hostA))
  list(cache, hostA, hostListing([machine('m')]))
  const end = begin(cache, hostA)
  operate(cache, removeMachine('m'), undefined)
  end(hostListing([machine('m')]))
  t.deepEqual(cache.machines('m'), [])
  t.false(cache.provenAbsent('m', hostA))
  list(cache, hostA, hostListing([]))
  t.true(cache.provenAbsent('m', hostA))
})

test('a listing begun before a creation was answered does not delete the machine', t => {
  const { cache } = bench(hostEndpoint(hostA))
  const end = begin(cache, hostA)
  operate(cache, startMachine('m'), machine('m'))
  end(hostListing([]))
  t.deepEqual(powers(cache, 'm'), [[hostA, 'Running', true]])
  list(cache, hostA, hostListing([]))
  t.deepEqual(cache.machines('m'), [])
})

test('an event during a listing outlives it, an event before it does not', t => {
  const { cache } = bench(hostEndpoint(hostA))
  list(cache, hostA, hostListing([machine('m'), machine('n')]))
  const end = begin(cache, hostA)
  cache.takeEvent(hostA, { event: 'Machine', facts: machine('m', { powerState: 'Crashed' }) })
  cache.takeEvent(hostA, { event: 'MachineGone', identity: 'n' })
  end(hostListing([machine('m'), machine('n')]))
  t.deepEqual(powers(cache, 'm'), [[hostA, 'Crashed', true]])
  t.deepEqual(cache.machines('n'), [])
  list(cache, hostA, hostListing([machine('m'), machine('n')]))
  t.deepEqual(powers(cache, 'm'), [[hostA, 'Running', true]])
  t.is(cache.machines('n').length, 1)
})

test('a listing overtaken by a later one says nothing', t => {
  const { cache } = bench(hostEndpoint(hostA))
  const end = begin(cache, hostA)
  list(cache, hostA, hostListing([]))
  end(hostListing([machine('m')]))
  t.deepEqual(cache.machines('m'), [])
})

test('an answer that an event contradicted meanwhile is taken, and says so', t => {
  const { cache } = bench(hostEndpoint(hostA))
  list(cache, hostA, hostListing([machine('m', { powerState: 'Off' })]))
  const operation = startMachine('m')
  cache.beginOperation(operation)
  const given = cache.moment()
  cache.takeEvent(hostA, { event: 'Machine', facts: machine('m') })
  t.is(cache.takeAnswer(operation, given, machine('m')), 'Taken')
  cache.takeEvent(hostA, { event: 'Machine', facts: machine('m', { powerState: 'Crashed' }) })
  t.is(cache.takeAnswer(operation, given, machine('m')), 'Contradicted')
  t.deepEqual(powers(cache, 'm'), [[hostA, 'Running', true]])
})

test('a machine on two hosts is seen at both, and leaves one without leaving the other', t => {
  const { cache } = bench(hostEndpoint(hostA), hostEndpoint(hostB))
  list(cache, hostB, hostListing([machine('m', { powerState: 'Incoming' })]))
  list(cache, hostA, hostListing([machine('m')]))
  t.deepEqual(powers(cache, 'm'), [
    [hostA, 'Running', true],
    [hostB, 'Incoming', true],
  ])
  t.deepEqual(cache.named('VirtualMachine', 'default', 'm'), ['m'])
  list(cache, hostA, hostListing([]))
  t.deepEqual(powers(cache, 'm'), [[hostB, 'Incoming', true]])
  t.deepEqual(cache.named('VirtualMachine', 'default', 'm'), ['m'])
  list(cache, hostB, hostListing([]))
  t.deepEqual(cache.named('VirtualMachine', 'default', 'm'), [])
})

test('two identities under one name are both told, and a mark that changes moves its identity', t => {
  const { cache, told } = bench(hostEndpoint(hostA))
  const mark = { installation, kind: 'VirtualMachine', namespace: 'default', name: 'web' }
  list(cache, hostA, hostListing([machine('n', { mark }), machine('m', { mark })]))
  t.deepEqual(cache.named('VirtualMachine', 'default', 'web'), ['m', 'n'])
  told()
  cache.takeEvent(hostA, { event: 'Machine', facts: machine('n', { mark: { ...mark, name: 'db' } }) })
  t.deepEqual(cache.named('VirtualMachine', 'default', 'web'), ['m'])
  t.deepEqual(cache.named('VirtualMachine', 'default', 'db'), ['n'])
  t.deepEqual(told(), [
    topics.machine('n'),
    topics.named('VirtualMachine', 'default', 'db'),
    topics.named('VirtualMachine', 'default', 'web'),
  ])
})

test('things of nobody and of another installation count as foreign and bear no name of ours', t => {
  const { cache, told } = bench(hostEndpoint(hostA))
  const mark = { installation: 'theirs', kind: 'VirtualMachine', namespace: 'default', name: 'web' }
  list(cache, hostA, hostListing([machine('m'), foreignMachine('x'), machine('y', { mark })]))
  t.deepEqual(cache.counts(hostA), { things: 1, foreign: 2 })
  t.deepEqual(cache.named('VirtualMachine', 'default', 'web'), [])
  told()
  cache.takeEvent(hostA, { event: 'MachineGone', identity: 'x' })
  t.deepEqual(cache.counts(hostA), { things: 1, foreign: 1 })
  t.deepEqual(told(), [topics.counts(hostA), topics.diskUsers('x-root'), topics.machine('x')])
})

test('an endpoint that falls silent keeps its facts as what was, and tells all who read them', t => {
  const { cache, told } = bench(hostEndpoint(hostA))
  list(cache, hostA, hostListing([machine('m'), machine('n')]))
  told()
  cache.fallSilent(hostA, 'no route')
  t.deepEqual(cache.endpoint(hostA), {
    answers: 'No',
    listed: true,
    silentSince: '2026-01-01T00:00:00Z',
    message: 'no route',
  })
  t.deepEqual(powers(cache, 'm'), [[hostA, 'Running', false]])
  t.deepEqual(told(), [topics.endpoint(hostA), topics.machine('m'), topics.machine('n')])
  cache.fallSilent(hostA, 'timed out')
  t.deepEqual(told(), [])
  list(cache, hostA, hostListing([machine('m')]))
  t.deepEqual(powers(cache, 'm'), [[hostA, 'Running', true]])
  t.deepEqual(cache.machines('n'), [])
})

test('an answer to an operation outlives the silence that follows as what was', t => {
  const { cache } = bench(hostEndpoint(hostA))
  list(cache, hostA, hostListing([]))
  const end = begin(cache, hostA)
  operate(cache, startMachine('m'), machine('m'))
  cache.fallSilent(hostA, 'no route')
  t.deepEqual(powers(cache, 'm'), [[hostA, 'Running', false]])
  end(hostListing([]))
  t.deepEqual(powers(cache, 'm'), [[hostA, 'Running', true]])
})

test('power is confirmed by two readings of Off in a row, begun after the silence and after the last operation', t => {
  const { cache, told } = bench(hostEndpoint(hostA), powerEndpoint(powerA, hostA))
  const read = (power: 'On' | 'Off') => list(cache, powerA, { type: 'PowerController', power })
  list(cache, hostA, hostListing([]))
  read('Off')
  read('Off')
  t.deepEqual(cache.power(powerA), { power: 'Off', confirmed: false }, 'the host answers')
  const endEarly = begin(cache, powerA)
  cache.fallSilent(hostA, 'no route')
  endEarly({ type: 'PowerController', power: 'Off' })
  read('Off')
  t.deepEqual(cache.power(powerA), { power: 'Off', confirmed: false }, 'only one reading was begun in the silence')
  told()
  read('Off')
  t.deepEqual(cache.power(powerA), { power: 'Off', confirmed: true })
  t.deepEqual(told(), [topics.power(powerA)])
  const operation = startMachine('m')
  cache.beginOperation(operation)
  t.deepEqual(cache.power(powerA), { power: 'Off', confirmed: false }, 'an operation runs at the host')
  read('Off')
  read('Off')
  cache.endOperation(operation, { inDoubt: true })
  t.deepEqual(cache.power(powerA), { power: 'Off', confirmed: false }, 'both readings are from before it ended')
  read('Off')
  t.false(cache.power(powerA)?.confirmed)
  read('Off')
  t.true(cache.power(powerA)?.confirmed)
  list(cache, hostA, hostListing([]))
  t.deepEqual(cache.power(powerA), { power: 'Off', confirmed: false }, 'the host answers again')
})

test('a reading of On or neither, or a controller that falls silent, begins the row anew', t => {
  const { cache } = bench(hostEndpoint(hostA), powerEndpoint(powerA, hostA))
  const read = (power: 'On' | 'Off' | 'Unknown') => list(cache, powerA, { type: 'PowerController', power })
  cache.fallSilent(hostA, 'no route')
  read('Off')
  read('On')
  read('Off')
  t.deepEqual(cache.power(powerA), { power: 'Off', confirmed: false })
  read('Off')
  t.true(cache.power(powerA)?.confirmed)
  read('Unknown')
  t.deepEqual(cache.power(powerA), { power: 'Unknown', confirmed: false })
  read('Off')
  t.false(cache.power(powerA)?.confirmed)
  read('Off')
  t.true(cache.power(powerA)?.confirmed)
  cache.fallSilent(powerA, 'no route')
  t.deepEqual(cache.power(powerA), { power: 'Off', confirmed: false })
  read('Off')
  t.false(cache.power(powerA)?.confirmed)
  read('On')
  read('On')
  t.deepEqual(cache.power(powerA), { power: 'On', confirmed: false })
})

test('space moves in thousandths, the same ones after a restart', t => {
  const { cache, told } = bench(poolEndpoint())
  const used = (usedBytes: number) => list(cache, pool, poolListing([], { usedBytes }))
  used(10_400)
  t.deepEqual(cache.space(pool), { totalBytes: 1_000_000, usedBytes: 11_000 })
  told()
  for (const usedBytes of [10_999, 10_001, 10_500]) used(usedBytes)
  t.deepEqual(told(), [])
  used(12_200)
  t.deepEqual(cache.space(pool), { totalBytes: 1_000_000, usedBytes: 13_000 })
  t.deepEqual(told(), [topics.space(pool)])
  used(1_000_000)
  t.deepEqual(cache.space(pool), { totalBytes: 1_000_000, usedBytes: 1_000_000 })
})

test('an endpoint that is no longer declared is forgotten with all that was seen there', t => {
  const { cache, told } = bench(hostEndpoint(hostA), storeEndpoint, powerEndpoint(powerA, hostA))
  list(cache, hostA, hostListing([machine('m')]))
  list(cache, store, { type: 'SecondaryStorage', totalBytes: 10, usedBytes: 1, images: [image('i')], jobs: [] })
  cache.fallSilent(hostA, 'no route')
  list(cache, powerA, { type: 'PowerController', power: 'Off' })
  list(cache, powerA, { type: 'PowerController', power: 'Off' })
  t.true(cache.power(powerA)?.confirmed)
  told()
  cache.forget(hostA)
  t.deepEqual(cache.machines('m'), [])
  t.deepEqual(cache.endpoint(hostA), { answers: 'Unknown', listed: false })
  t.false(cache.power(powerA)?.confirmed)
  t.true(told().includes(topics.machine('m')))
  cache.forget(store)
  t.deepEqual(cache.images('i'), [])
  t.deepEqual(cache.named('PublicTemplate', undefined, 'i'), [])
  t.deepEqual(cache.endpoints(), [powerA])
})

test('collectors see everything, everywhere', t => {
  const { cache } = bench(hostEndpoint(hostA), hostEndpoint(hostB), poolEndpoint())
  list(cache, hostA, hostListing([machine('m')]))
  list(cache, hostB, hostListing([machine('n'), foreignMachine('x')]))
  list(cache, pool, poolListing([volume('v')]))
  t.deepEqual(
    [...cache.allMachines()].map(({ facts }) => facts.identity),
    ['m', 'n', 'x'],
  )
  t.deepEqual(
    [...cache.allVolumes()].map(({ facts }) => facts.identity),
    ['v'],
  )
  t.deepEqual([...cache.identitiesAt(hostB)], ['n', 'x'])
  t.deepEqual([...cache.identitiesAt(pool)], ['v'])
})

test('a segment tells every machine that is plugged into it, whatever the switch', t => {
  const { cache, told } = bench(hostEndpoint(hostA), hostEndpoint(hostB))
  const { definition } = machine('m')
  const into = (id: number | undefined) => ({
    ...definition,
    nics: [
      {
        name: 'a',
        macAddress: '02:00:00:00:00:0a',
        segment: { network: 'n', isolation: 'VLAN' as const, ...(id === undefined ? {} : { id }), label: 'br0' },
        addresses: [],
      },
    ],
  })
  list(cache, hostB, hostListing([machine('n', { definition: into(7) })]))
  list(
    cache,
    hostA,
    hostListing([machine('m', { definition: into(7) }), machine('o', { definition: into(undefined) })]),
  )
  const vlan = { isolation: 'VLAN', id: 7 } as const
  t.deepEqual(cache.segmentUsers(vlan), [
    { endpoint: hostA, identity: 'm' },
    { endpoint: hostB, identity: 'n' },
  ])
  t.deepEqual(cache.segmentUsers({ ...vlan, isolation: 'VXLAN' }), [])
  told()
  cache.takeEvent(hostA, { event: 'Machine', facts: machine('m', { definition: into(8) }) })
  t.true(told().includes(topics.segmentUsers('VLAN/7')))
  t.deepEqual(cache.segmentUsers(vlan), [{ endpoint: hostB, identity: 'n' }])
})

test('a disk tells every machine that is defined with it, and only a coming or going one is news', t => {
  const { cache, told } = bench(hostEndpoint(hostA), hostEndpoint(hostB))
  const { definition } = machine('m')
  list(cache, hostB, hostListing([machine('n', { definition }), foreignMachine('x')]))
  list(cache, hostA, hostListing([machine('m')]))
  const users = [
    { endpoint: hostA, identity: 'm' },
    { endpoint: hostB, identity: 'n' },
  ]
  t.deepEqual(cache.diskUsers('m-root'), users)
  t.deepEqual(cache.diskUsers('x-root'), [{ endpoint: hostB, identity: 'x' }])
  told()
  cache.takeEvent(hostB, { event: 'Machine', facts: machine('n', { definition, powerState: 'Off' }) })
  cache.fallSilent(hostA, 'no answer')
  t.false(told().includes(topics.diskUsers('m-root')))
  t.deepEqual(cache.diskUsers('m-root'), users)
  cache.takeEvent(hostB, { event: 'Machine', facts: machine('n', { definition: { ...definition, disks: [] } }) })
  t.true(told().includes(topics.diskUsers('m-root')))
  t.deepEqual(cache.diskUsers('m-root'), [{ endpoint: hostA, identity: 'm' }])
  cache.forget(hostA)
  t.deepEqual(cache.diskUsers('m-root'), [])
})
