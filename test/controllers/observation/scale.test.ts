import test from 'ava'
import { createObservedCache } from '../../../controllers/observation/observed-cache.ts'
import { createObserver } from '../../../controllers/observation/observer.ts'
import { type EndpointKey, endpointKey } from '../../../drivers/contract/endpoint.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { fakeDriver, listeningLogger } from './fake-driver.ts'
import { hostEndpoint, hostListing, installation, machine, pool, poolEndpoint, poolListing, volume } from './samples.ts'

const hosts = 10_000
const machinesEach = 10

/** Bounds are far above what was measured (see the comments): they catch what grows faster than the number of things. */
test.serial('10,000 hosts with 100,000 machines are listed, kept and listed again without a word', async t => {
  const environment = virtualEnvironment()
  let told = 0
  const cache = createObservedCache({
    installation,
    environment,
    notify: () => {
      told += 1
    },
  })
  const fake = fakeDriver(environment.clock)
  const { logger } = listeningLogger()
  const observer = createObserver({ cache, drivers: () => fake.driver, environment, logger })
  const keys = Array.from({ length: hosts }, (_, index) => endpointKey('Host', `h${index}`))
  for (const key of keys) {
    fake.at(key).inventory = inventoryOf(key)
    fake.at(key).listingTakes = 5
  }
  const started = process.cpuUsage()
  for (const key of keys) observer.declare(key, [hostEndpoint(key)])
  await environment.until(observer.primed())
  t.is([...cache.allMachines()].length, hosts * machinesEach)
  t.is(fake.mostListings(), 32)
  told = 0
  for (const key of keys) fake.at(key).inventory = inventoryOf(key)
  await environment.advance(6 * 60_000)
  t.true(keys.every(key => fake.at(key).begun.length >= 2))
  t.is(told, 0)
  const { user, system } = process.cpuUsage(started)
  const seconds = (user + system) / 1e6
  t.log(`${seconds.toFixed(1)} s of processor for ${3 * hosts} listings and their fakes`)
  t.true(seconds < 60, `${seconds} s`)
  await observer[Symbol.asyncDispose]()
})

test.serial('a pool of 100,000 volumes that falls silent and comes back is told about once each', t => {
  let told = 0
  const cache = createObservedCache({
    installation,
    environment: virtualEnvironment(),
    notify: () => {
      told += 1
    },
  })
  const size = 100_000
  const volumes = () => Array.from({ length: size }, (_, index) => volume(`v${index}`))
  const list = () => cache.takeListing(pool, { moment: cache.moment(), monotonic: 0 }, poolListing(volumes()))
  cache.declare(poolEndpoint())
  list()
  told = 0
  const started = process.cpuUsage()
  cache.fallSilent(pool, 'no route')
  t.is(told, size + 1)
  list()
  t.is(told, 2 * (size + 1))
  t.true(cache.volumes('v99999')[0]?.current)
  const { user, system } = process.cpuUsage(started)
  const seconds = (user + system) / 1e6
  t.log(`${seconds.toFixed(2)} s of processor`)
  t.true(seconds < 20, `${seconds} s`)
})

function inventoryOf(key: EndpointKey) {
  return hostListing(Array.from({ length: machinesEach }, (_, index) => machine(`${key}-${index}`)))
}
