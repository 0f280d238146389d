import test from 'ava'
import { topics } from '../../../controllers/observation/topics.ts'
import type { JobFacts } from '../../../drivers/contract/facts.ts'
import { begin, bench, list, powers } from './cache-bench.ts'
import {
  hostA,
  hostB,
  hostEndpoint,
  hostListing,
  machine,
  pool,
  poolEndpoint,
  poolListing,
  removeMachine,
  startMachine,
} from './samples.ts'

test('absence is proven by a listing begun after the last operation there ended, and told to who asked', t => {
  const { cache, told } = bench(hostEndpoint(hostA))
  t.false(cache.provenAbsent('m', hostA))
  list(cache, hostA, hostListing([]))
  t.true(told().includes(topics.absent('m', hostA)))
  t.true(cache.provenAbsent('m', hostA))
  const operation = removeMachine('m')
  cache.beginOperation(operation)
  t.deepEqual(told(), [topics.absent('m', hostA)])
  t.false(cache.provenAbsent('m', hostA))
  const end = begin(cache, hostA)
  cache.endOperation(operation, { inDoubt: false })
  end(hostListing([]))
  t.false(cache.provenAbsent('m', hostA))
  t.deepEqual(told(), [])
  list(cache, hostA, hostListing([]))
  t.true(cache.provenAbsent('m', hostA))
  t.deepEqual(told(), [topics.absent('m', hostA)])
})

test('who asks where an identity may be is told of endpoints that were not listed since', t => {
  const { cache, told } = bench(hostEndpoint(hostA), hostEndpoint(hostB))
  list(cache, hostA, hostListing([]))
  const end = begin(cache, hostA)
  t.deepEqual(cache.unlisted('m', [hostA, hostB]), [hostA, hostB])
  end(hostListing([]))
  t.deepEqual(cache.unlisted('m', [hostA, hostB]), [hostA, hostB], 'the listing was begun before anybody asked')
  told()
  list(cache, hostA, hostListing([]))
  t.true(told().includes(topics.absent('m', hostA)))
  t.deepEqual(cache.unlisted('m', [hostA, hostB]), [hostB])
  list(cache, hostB, hostListing([]))
  t.deepEqual(cache.unlisted('m', [hostA, hostB]), [])
})

test('what appears is absent no longer', t => {
  const { cache, told } = bench(hostEndpoint(hostA))
  list(cache, hostA, hostListing([]))
  told()
  cache.takeEvent(hostA, { event: 'Machine', facts: machine('m') })
  t.true(told().includes(topics.absent('m', hostA)))
  t.false(cache.provenAbsent('m', hostA))
})

test('a thing that an event called gone is absent only once a listing confirms it', t => {
  const { cache } = bench(hostEndpoint(hostA))
  list(cache, hostA, hostListing([machine('m')]))
  const end = begin(cache, hostA)
  cache.takeEvent(hostA, { event: 'MachineGone', identity: 'm' })
  t.false(cache.provenAbsent('m', hostA))
  end(hostListing([]))
  t.false(cache.provenAbsent('m', hostA), 'the listing was begun before the event')
  list(cache, hostA, hostListing([]))
  t.true(cache.provenAbsent('m', hostA))
})

test('a job at work on an identity keeps it from being proven absent and keeps its doubt', t => {
  const { cache, told } = bench(poolEndpoint())
  const job = (progressPercent: number): JobFacts => ({
    operationId: 'v/CreateVolume/1',
    targets: ['v'],
    progressPercent,
  })
  list(cache, pool, poolListing([]))
  const operation = { ...removeMachine('v'), endpoint: pool }
  cache.beginOperation(operation)
  cache.endOperation(operation, { inDoubt: true })
  list(cache, pool, poolListing([], { jobs: [job(41)] }))
  t.false(cache.provenAbsent('v', pool))
  t.deepEqual(cache.inDoubt('v'), [pool])
  t.is(cache.jobs('v')[0]?.facts.progressPercent, 40)
  told()
  list(cache, pool, poolListing([], { jobs: [job(44)] }))
  t.deepEqual(told(), [])
  list(cache, pool, poolListing([]))
  t.deepEqual(cache.jobs('v'), [])
  t.true(cache.provenAbsent('v', pool))
  t.deepEqual(cache.inDoubt('v'), [])
  t.deepEqual(told(), [topics.absent('v', pool), topics.doubt('v'), topics.job('v')])
})

test('doubt stays until a listing begun after the endpoint was idle for the identity', t => {
  const { cache, told } = bench(hostEndpoint(hostA))
  list(cache, hostA, hostListing([]))
  const operation = startMachine('m')
  cache.beginOperation(operation)
  const end = begin(cache, hostA)
  told()
  cache.endOperation(operation, { inDoubt: true })
  t.deepEqual(cache.inDoubt('m'), [hostA])
  t.deepEqual(told(), [topics.doubt('m')])
  end(hostListing([]))
  t.deepEqual(cache.inDoubt('m'), [hostA])
  const endSecond = begin(cache, hostA)
  cache.beginOperation(operation)
  endSecond(hostListing([]))
  t.deepEqual(cache.inDoubt('m'), [hostA])
  cache.endOperation(operation, { inDoubt: false })
  list(cache, hostA, hostListing([]))
  t.deepEqual(cache.inDoubt('m'), [])
  t.deepEqual(told(), [topics.doubt('m')])
})

test('an operation that outlives the declaration of its endpoint still stands in the way of a proof', t => {
  const { cache } = bench(hostEndpoint(hostA))
  list(cache, hostA, hostListing([]))
  const operation = startMachine('m')
  cache.beginOperation(operation)
  cache.forget(hostA)
  cache.declare(hostEndpoint(hostA))
  list(cache, hostA, hostListing([]))
  t.false(cache.provenAbsent('m', hostA))
  cache.endOperation(operation, { inDoubt: true })
  t.deepEqual(cache.inDoubt('m'), [hostA])
})

test('an endpoint that leads elsewhere now proves nothing until it is listed again', t => {
  const { cache } = bench(hostEndpoint(hostA))
  list(cache, hostA, hostListing([machine('m')]))
  cache.declare(hostEndpoint(hostA, '192.0.2.99'), true)
  t.deepEqual(cache.endpoint(hostA), { answers: 'Unknown', listed: false })
  t.deepEqual(powers(cache, 'm'), [[hostA, 'Running', false]])
  t.false(cache.provenAbsent('n', hostA))
  list(cache, hostA, hostListing([]))
  t.deepEqual(cache.machines('m'), [])
  t.true(cache.provenAbsent('m', hostA))
})

test('absence after another endpoint is proven by a listing begun after that one was listed', t => {
  const { cache } = bench(hostEndpoint(hostA), hostEndpoint(hostB))
  list(cache, hostB, hostListing([]))
  list(cache, hostA, hostListing([]))
  t.true(cache.provenAbsent('m', hostB))
  t.false(cache.provenAbsent('m', hostB, hostA))
  list(cache, hostB, hostListing([]))
  t.true(cache.provenAbsent('m', hostB, hostA))
  list(cache, hostA, hostListing([]))
  t.false(cache.provenAbsent('m', hostB, hostA))
})

test('absence after an endpoint that does not answer is proven by a listing begun after it was first asked for in that silence', t => {
  const { cache, told } = bench(hostEndpoint(hostA), hostEndpoint(hostB))
  list(cache, hostA, hostListing([]))
  cache.fallSilent(hostA, 'no route')
  list(cache, hostB, hostListing([]))
  t.false(cache.provenAbsent('m', hostB, hostA))
  told()
  list(cache, hostB, hostListing([]))
  t.true(told().includes(topics.absent('m', hostB)))
  t.true(cache.provenAbsent('m', hostB, hostA))
  t.true(cache.provenAbsent('m', hostB, hostA))
  list(cache, hostA, hostListing([]))
  cache.fallSilent(hostA, 'no route')
  list(cache, hostB, hostListing([]))
  t.false(cache.provenAbsent('m', hostB, hostA))
})
