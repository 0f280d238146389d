import test from 'ava'
import { createObservedCache } from '../../../controllers/observation/observed-cache.ts'
import { createObserver, type ObserverOptions } from '../../../controllers/observation/observer.ts'
import { topics } from '../../../controllers/observation/topics.ts'
import { DriverError } from '../../../drivers/contract/errors.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { fakeDriver, listeningLogger } from './fake-driver.ts'
import {
  hostA,
  hostB,
  hostEndpoint,
  hostListing,
  installation,
  machine,
  pool,
  poolEndpoint,
  poolListing,
  powerA,
  powerEndpoint,
} from './samples.ts'

function bench({ events = true, ...options }: Partial<ObserverOptions> & { events?: boolean } = {}) {
  const environment = virtualEnvironment()
  const told: string[] = []
  const cache = createObservedCache({ installation, environment, notify: topic => told.push(topic) })
  const fake = fakeDriver(environment.clock, { events })
  const { lines, logger } = listeningLogger()
  const drivers = (name: string) => (name === 'Simulator' ? fake.driver : undefined)
  const observer = createObserver({ cache, drivers, environment, logger, ...options })
  return { environment, cache, fake, observer, told, lines, clock: environment.clock }
}

const minute = 60_000
const unavailable = new DriverError('Unavailable', 'no route')

test('a declared endpoint is listed at once, and again about every five minutes while it tells of changes', async t => {
  const { environment, cache, fake, observer } = bench()
  const host = fake.at(hostA)
  host.inventory = hostListing([machine('m')])
  observer.declare('Host/a', [hostEndpoint(hostA)])
  await environment.advance(0)
  t.is(cache.machines('m').length, 1)
  await environment.advance(4 * minute)
  t.is(host.begun.length, 1)
  await environment.advance(2 * minute)
  t.is(host.begun.length, 2)
  await observer[Symbol.asyncDispose]()
})

test('an endpoint that cannot tell of changes is listed about every half minute', async t => {
  const { environment, fake, observer } = bench({ events: false })
  const host = fake.at(hostA)
  host.inventory = hostListing([])
  observer.declare('Host/a', [hostEndpoint(hostA)])
  await environment.advance(10 * minute)
  t.true(host.begun.length > 18 && host.begun.length < 23, `${host.begun.length} listings`)
  await observer[Symbol.asyncDispose]()
})

test('an endpoint with a job is listed more often, for its progress', async t => {
  const { environment, cache, fake, observer } = bench()
  fake.at(pool).inventory = poolListing([], { jobs: [{ operationId: 'o', targets: ['v'], progressPercent: 10 }] })
  observer.declare('PrimaryStorage/pool', [poolEndpoint()])
  await environment.advance(0)
  fake.at(pool).inventory = poolListing([])
  await environment.advance(11_000)
  t.deepEqual(cache.jobs('v'), [])
  t.is(fake.at(pool).begun.length, 2)
  await observer[Symbol.asyncDispose]()
})

test('the same declaration again does nothing, and endpoints no longer declared are closed and forgotten', async t => {
  const { environment, cache, fake, observer } = bench()
  for (const key of [hostA, hostB]) fake.at(key).inventory = hostListing([])
  observer.declare('both', [hostEndpoint(hostA), hostEndpoint(hostB)])
  await environment.advance(0)
  observer.declare('both', [hostEndpoint(hostA), hostEndpoint(hostB)])
  await environment.advance(0)
  t.is(fake.at(hostA).begun.length, 1)
  observer.declare('both', [hostEndpoint(hostB)])
  await environment.advance(20 * minute)
  t.deepEqual(cache.endpoints(), [hostB])
  t.is(fake.at(hostA).closed, 1)
  t.is(fake.at(hostA).begun.length, 1)
  t.is(fake.at(hostB).closed, 0)
  await observer[Symbol.asyncDispose]()
  t.is(fake.at(hostB).closed, 1)
  t.is(environment.timers(), 0)
})

test('an endpoint passes from one owner to another without being forgotten', async t => {
  const { environment, cache, fake, observer } = bench()
  fake.at(hostA).inventory = hostListing([])
  observer.declare('first', [hostEndpoint(hostA)])
  observer.declare('second', [hostEndpoint(hostA)])
  observer.declare('first', [])
  await environment.advance(0)
  t.true(cache.endpoint(hostA).listed)
  t.is(fake.at(hostA).opened, 1)
  await observer[Symbol.asyncDispose]()
})

test('an event is taken in at once', async t => {
  const { environment, cache, fake, observer, told } = bench()
  fake.at(hostA).inventory = hostListing([machine('m')])
  observer.declare('Host/a', [hostEndpoint(hostA)])
  await environment.advance(0)
  told.length = 0
  fake.at(hostA).emit({ event: 'Machine', facts: machine('m', { powerState: 'Off', stopCause: 'Guest' }) })
  t.is(cache.machines('m')[0]?.facts.stopCause, 'Guest')
  t.deepEqual(told, [topics.machine('m')])
  await observer[Symbol.asyncDispose]()
})

test('a lost connection makes the observer list again', async t => {
  const { environment, fake, observer } = bench()
  fake.at(hostA).inventory = hostListing([])
  observer.declare('Host/a', [hostEndpoint(hostA)])
  await environment.advance(0)
  fake.at(hostA).emit({ event: 'Disconnected', message: 'end of file' })
  await environment.advance(0)
  t.is(fake.at(hostA).begun.length, 2)
  await observer[Symbol.asyncDispose]()
})

test('listings asked for while one runs become one more, begun afterwards', async t => {
  const { environment, fake, observer } = bench()
  const host = fake.at(hostA)
  host.inventory = hostListing([])
  host.listingTakes = 1_000
  observer.declare('Host/a', [hostEndpoint(hostA)])
  await environment.advance(500)
  for (let times = 0; times < 5; times++) observer.listSoon(hostA)
  t.is(host.begun.length, 1)
  await environment.advance(5_000)
  t.is(host.begun.length, 2)
  await observer[Symbol.asyncDispose]()
})

test('one failure of an endpoint that answered is tried again before it counts as silent', async t => {
  const { environment, cache, fake, observer, told } = bench()
  const host = fake.at(hostA)
  host.inventory = hostListing([machine('m')])
  host.listingTakes = 100
  observer.declare('Host/a', [hostEndpoint(hostA)])
  await environment.advance(200)
  told.length = 0
  host.inventory = unavailable
  observer.listSoon(hostA)
  await environment.advance(50)
  host.inventory = hostListing([machine('m')])
  await environment.advance(1_000)
  t.is(host.begun.length, 3)
  t.deepEqual(told, [])
  host.inventory = unavailable
  observer.listSoon(hostA)
  await environment.advance(150)
  t.is(cache.endpoint(hostA).answers, 'Yes')
  await environment.advance(100)
  t.is(cache.endpoint(hostA).answers, 'No')
  t.is(cache.endpoint(hostA).message, 'no route')
  t.false(cache.machines('m')[0]?.current)
  await observer[Symbol.asyncDispose]()
})

test('a silent endpoint is tried again after one second, then ever less often up to every fifteen', async t => {
  const { environment, cache, fake, observer } = bench()
  const host = fake.at(hostA)
  observer.declare('Host/a', [hostEndpoint(hostA)])
  await environment.advance(0)
  t.is(cache.endpoint(hostA).answers, 'No')
  await environment.advance(5 * minute)
  const pauses = host.begun.slice(1).map((moment, index) => moment - (host.begun[index] ?? 0))
  const expected = [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]
  for (const [index, pause] of expected.entries()) {
    const actual = pauses[index] ?? 0
    t.true(actual >= pause * 0.9 && actual <= pause * 1.1, `pause ${index}: ${actual}`)
  }
  host.inventory = hostListing([])
  await environment.advance(17_000)
  t.deepEqual(cache.endpoint(hostA), { answers: 'Yes', listed: true })
  await observer[Symbol.asyncDispose]()
})

test('asking for listings of a silent endpoint does not turn into a storm', async t => {
  const { environment, fake, observer } = bench()
  const host = fake.at(hostA)
  observer.declare('Host/a', [hostEndpoint(hostA)])
  for (let tenths = 0; tenths < 100; tenths++) {
    await environment.advance(100)
    observer.listSoon(hostA)
  }
  t.true(host.begun.length <= 11, `${host.begun.length} listings in ten seconds`)
  await observer[Symbol.asyncDispose]()
})

test('a listing that hangs ends at its deadline as silence', async t => {
  const { environment, cache, fake, observer } = bench()
  fake.at(hostA).inventory = 'Hang'
  observer.declare('Host/a', [hostEndpoint(hostA)])
  await environment.advance(9_999)
  t.is(cache.endpoint(hostA).answers, 'Unknown')
  await environment.advance(1)
  t.like(cache.endpoint(hostA), { answers: 'No', listed: false })
  t.is(fake.at(hostA).listing, 0)
  await observer[Symbol.asyncDispose]()
})

test('an endpoint that refuses to be listed is not silent: nobody knows', async t => {
  const { environment, cache, fake, observer } = bench()
  fake.at(hostA).inventory = new DriverError('Unauthenticated', 'wrong certificate')
  observer.declare('Host/a', [hostEndpoint(hostA)])
  await environment.advance(0)
  t.deepEqual(cache.endpoint(hostA), { answers: 'Unknown', listed: false, message: 'wrong certificate' })
  await observer[Symbol.asyncDispose]()
})

test('a listing of the wrong sort is not taken in', async t => {
  const { environment, cache, fake, observer } = bench()
  fake.at(hostA).inventory = poolListing([])
  observer.declare('Host/a', [hostEndpoint(hostA)])
  await environment.advance(0)
  t.like(cache.endpoint(hostA), { answers: 'Unknown', listed: false })
  t.is(cache.space(hostA), undefined)
  await observer[Symbol.asyncDispose]()
})

test('an endpoint whose driver is not here does not answer, and says which driver', async t => {
  const { environment, cache, observer } = bench()
  observer.declare('Host/a', [{ ...hostEndpoint(hostA), driver: 'IPMI' }])
  await environment.advance(0)
  t.like(cache.endpoint(hostA), { answers: 'No', listed: false })
  t.regex(cache.endpoint(hostA).message ?? '', /driver IPMI is not available/)
  await observer.primed()
  await observer[Symbol.asyncDispose]()
})

test('a driver that throws on connecting harms no other endpoint', async t => {
  const { environment, cache, fake, observer } = bench({
    drivers: name => ({
      name,
      serves: ['Host'],
      connect: endpoint => {
        if (endpoint.key === hostA) throw new TypeError('bad address')
        return fake.driver.connect(endpoint)
      },
    }),
  })
  fake.at(hostB).inventory = hostListing([])
  observer.declare('both', [hostEndpoint(hostA), hostEndpoint(hostB)])
  await environment.advance(0)
  t.like(cache.endpoint(hostA), { answers: 'Unknown', listed: false })
  t.regex(cache.endpoint(hostA).message ?? '', /bad address/)
  t.is(cache.endpoint(hostB).answers, 'Yes')
  await observer[Symbol.asyncDispose]()
})

test('primed waits for the first listing of every endpoint, whether it succeeds or not', async t => {
  const { environment, fake, observer } = bench()
  await observer.primed()
  fake.at(hostA).inventory = hostListing([])
  fake.at(hostA).listingTakes = 3_000
  observer.declare('both', [hostEndpoint(hostA), hostEndpoint(hostB)])
  let primed = false
  void observer.primed().then(() => {
    primed = true
  })
  await environment.advance(2_999)
  t.false(primed)
  await environment.advance(1)
  t.true(primed)
  await observer[Symbol.asyncDispose]()
})

test('the power of a host is read rarely while it answers, in quick pairs while it is silent', async t => {
  const { environment, cache, fake, observer, clock } = bench()
  fake.at(hostA).inventory = hostListing([])
  fake.at(powerA).inventory = { type: 'PowerController', power: 'On' }
  observer.declare('Host/a', [hostEndpoint(hostA), powerEndpoint(powerA, hostA)])
  await environment.advance(4 * minute)
  t.is(fake.at(powerA).begun.length, 1)
  fake.at(hostA).inventory = unavailable
  fake.at(powerA).inventory = { type: 'PowerController', power: 'Off' }
  observer.listSoon(hostA)
  const silentAt = clock.monotonic()
  await environment.advance(500)
  t.deepEqual(cache.power(powerA), { power: 'Off', confirmed: false })
  await environment.advance(600)
  t.deepEqual(cache.power(powerA), { power: 'Off', confirmed: true })
  await environment.advance(30_000)
  const readings = fake
    .at(powerA)
    .begun.slice(1)
    .map(moment => moment - silentAt)
  t.deepEqual(readings, [0, 1_000, 11_000, 21_000, 31_000])
  await observer[Symbol.asyncDispose]()
})

test('silent endpoints that hang hold up no listing of others', async t => {
  const { environment, cache, fake, observer } = bench({ concurrency: 4 })
  const dead = Array.from({ length: 8 }, (_, index) => hostEndpoint(`Host/dead-${index}`))
  for (const { key } of dead) fake.at(key).inventory = 'Hang'
  observer.declare('dead', dead)
  await environment.advance(60_000)
  fake.at(hostA).inventory = hostListing([])
  observer.declare('Host/a', [hostEndpoint(hostA)])
  await environment.advance(0)
  t.true(cache.endpoint(hostA).listed)
  t.is(fake.mostListings(), 8)
  await observer[Symbol.asyncDispose]()
})

test('a pool that more hosts reach is connected anew, and stays listed', async t => {
  const { environment, cache, fake, observer } = bench()
  fake.at(pool).inventory = poolListing([])
  observer.declare('PrimaryStorage/pool', [poolEndpoint([hostA])])
  await environment.advance(0)
  observer.declare('PrimaryStorage/pool', [poolEndpoint([hostA, hostB])])
  t.deepEqual(cache.endpoint(pool), { answers: 'Yes', listed: true })
  await environment.advance(0)
  t.is(fake.at(pool).opened, 2)
  t.is(fake.at(pool).closed, 1)
  t.is(fake.at(pool).begun.length, 2)
  await observer[Symbol.asyncDispose]()
})

test('an endpoint with another address is another one until it is listed, and the old one is heard no more', async t => {
  const { environment, cache, fake, observer } = bench()
  const host = fake.at(hostA)
  host.inventory = hostListing([machine('m')])
  host.listingTakes = 1_000
  observer.declare('Host/a', [hostEndpoint(hostA)])
  await environment.advance(500)
  host.inventory = hostListing([machine('n')])
  observer.declare('Host/a', [hostEndpoint(hostA, '192.0.2.99')])
  await environment.advance(600)
  t.deepEqual(cache.endpoint(hostA), { answers: 'Unknown', listed: false })
  await environment.advance(1_000)
  t.true(cache.endpoint(hostA).listed)
  t.deepEqual(cache.machines('m'), [])
  t.is(cache.machines('n').length, 1)
  t.is(host.closed, 1)
  await observer[Symbol.asyncDispose]()
})

test('a call under way is not cut off when its endpoint is declared no longer', async t => {
  const { environment, fake, observer } = bench()
  fake.at(hostA).inventory = hostListing([])
  observer.declare('Host/a', [hostEndpoint(hostA)])
  await environment.advance(0)
  const call = Promise.withResolvers<string>()
  const answer = observer.use(hostA, () => call.promise)
  observer.declare('Host/a', [])
  await environment.advance(0)
  t.is(fake.at(hostA).closed, 0)
  call.resolve('done')
  t.is(await answer, 'done')
  await environment.advance(0)
  t.is(fake.at(hostA).closed, 1)
  await t.throwsAsync(
    observer.use(hostA, () => call.promise),
    { message: /not declared/ },
  )
})

test('an endpoint that says over and over that it lost its connection is not listed in a loop', async t => {
  const { environment, fake, observer } = bench()
  const host = fake.at(hostA)
  host.listingTakes = 1
  observer.declare('Host/a', [hostEndpoint(hostA)])
  for (let milliseconds = 0; milliseconds < 5_000; milliseconds += 1) {
    host.emit({ event: 'Disconnected', message: 'refused' })
    await environment.advance(1)
  }
  t.true(host.begun.length <= 6, `${host.begun.length} listings in five seconds`)
  await observer[Symbol.asyncDispose]()
})
