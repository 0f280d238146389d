import test from 'ava'
import { createExecutor } from '../../../controllers/observation/executor.ts'
import { createObservedCache } from '../../../controllers/observation/observed-cache.ts'
import { createObserver } from '../../../controllers/observation/observer.ts'
import { type Endpoint, type EndpointKey, endpointKey } from '../../../drivers/contract/endpoint.ts'
import type { MachineFacts } from '../../../drivers/contract/facts.ts'
import { type Operation, operation } from '../../../drivers/contract/operation.ts'
import type { Fault } from '../../../drivers/simulator/faults.ts'
import { createSimulator } from '../../../drivers/simulator/simulator.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { listeningLogger } from './fake-driver.ts'
import { installation, machine } from './samples.ts'

const requester = { kind: 'VirtualMachine', namespace: 'default', name: 'm', uid: 'uid-m', generation: 1 }
const hosts = ['a', 'b', 'c'].map(name => endpointKey('Host', name))
const simulated = { cores: 8, clockMHz: 2000, memoryBytes: 2 ** 36 }

function endpointsOf(host: EndpointKey): readonly Endpoint[] {
  const name = host.slice('Host/'.length)
  const common = { driver: 'Simulator', name } as const
  return [
    { ...common, key: host, configuration: { type: 'Host', address: name, simulated } },
    { ...common, key: endpointKey('PowerController', name), configuration: { type: 'PowerController', host } },
  ]
}

/** Three simulated hosts with their power controllers, observed and ready. */
async function bench(seed: number) {
  const environment = virtualEnvironment(seed)
  const cache = createObservedCache({ installation, environment, notify: () => undefined })
  const simulator = createSimulator({ environment, seed })
  const { logger } = listeningLogger()
  const observer = createObserver({ cache, drivers: () => simulator.driver, environment, logger })
  const executor = createExecutor({ cache, observer, environment, logger })
  for (const host of hosts) observer.declare(host, endpointsOf(host))
  await environment.advance(3_000)
  return { environment, cache, world: simulator.world, observer, executor }
}

function define(identity: string, endpoint: EndpointKey, epoch: number): Operation {
  const { definition, mark } = machine(identity)
  const bare = { ...definition, disks: [] }
  if (mark === undefined) throw new Error('Machines of the tests are marked')
  const target = { endpoint, identity, deadline: 5_000 }
  return operation('DefineMachine', target, { identity, epoch, mark, definition: bare, power: 'Running' })
}

function stop(identity: string, endpoint: EndpointKey, epoch: number): Operation {
  return operation('StopMachine', { endpoint, identity, deadline: 5_000 }, { identity, epoch, mode: 'Forced' })
}

function remove(identity: string, endpoint: EndpointKey, epoch: number): Operation {
  return operation('RemoveMachine', { endpoint, identity, deadline: 5_000 }, { identity, epoch })
}

const faults: readonly Fault[] = [
  { effect: 'LoseReply', when: 'Before' },
  { effect: 'LoseReply', when: 'After' },
  { effect: 'Hang', when: 'Before' },
  { effect: 'Hang', when: 'After' },
  { effect: 'Fail', code: 'Internal' },
  { effect: 'Fail', code: 'Unavailable', when: 'After' },
  { effect: 'Duplicate' },
  { verb: 'Inventory', effect: 'Fail', code: 'Unavailable' },
  { verb: 'Inventory', effect: 'Hang' },
  { verb: 'Inventory', effect: 'Delay', when: 'After', milliseconds: 3_000 },
  { verb: 'Event', effect: 'Drop' },
  { verb: 'Event', effect: 'Duplicate' },
]

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`VM-053 whatever is lost, nothing is proven absent that is there, and in the end the cache is the world (seed ${seed})`, async t => {
    const { environment, cache, world, executor } = await bench(seed)
    const choice = <T>(of: readonly T[]): T => of[Math.floor(environment.random.next() * of.length)] as T
    const identities = ['m0', 'm1', 'm2', 'm3']
    let proofs = 0
    const check = () => {
      for (const { identity, host } of world.list().machines) {
        t.false(cache.provenAbsent(identity, endpointKey('Host', host)), `${identity} is at ${host}`)
      }
      for (const identity of identities) {
        for (const host of hosts) if (cache.provenAbsent(identity, host)) proofs += 1
      }
    }
    for (let step = 0; step < 150; step++) {
      if (environment.random.next() < 0.4) world.faults.add(choice(faults))
      const make = choice([define, define, stop, remove])
      executor.submit(make(choice(identities), choice(hosts), 1), requester)
      await environment.advance(environment.random.next() * 1_500)
      check()
    }
    t.true(proofs > 0)
    world.faults.clear()
    await environment.advance(7 * 60_000)
    const there = world.list().machines.map(each => [each.identity, endpointKey('Host', each.host), each.facts])
    const seen = [...cache.allMachines()].map(each => [each.facts.identity, each.endpoint, each.facts])
    t.deepEqual(sorted(seen), sorted(there))
    t.deepEqual(
      identities.flatMap(identity => cache.inDoubt(identity)),
      [],
    )
    t.true([...cache.allMachines()].every(({ current }) => current))
  })
}

test('a host that loses its power is silent, its power confirmed off, and its machines are what was', async t => {
  const { environment, cache, world, executor } = await bench(7)
  const [host] = hosts
  if (host === undefined) return t.fail()
  const power = endpointKey('PowerController', 'a')
  executor.submit(define('m', host, 1), requester)
  await environment.advance(1_000)
  t.is(cache.machines('m')[0]?.facts.powerState, 'Running')
  world.killHost('a')
  await environment.advance(3_000)
  t.is(cache.endpoint(host).answers, 'No')
  t.deepEqual(cache.power(power), { power: 'Off', confirmed: true })
  t.false(cache.machines('m')[0]?.current)
  t.false(cache.provenAbsent('m', host))
  world.reviveHost('a')
  await environment.advance(20_000)
  t.like(cache.endpoint(host), { answers: 'Yes' })
  t.deepEqual(cache.power(power), { power: 'On', confirmed: false })
  t.like(cache.machines('m')[0], { current: true, facts: { powerState: 'Off', stopCause: 'Unknown' } })
})

test('a host that answers no more while its power is on is silent and not confirmed off', async t => {
  const { environment, cache, world } = await bench(8)
  const [host] = hosts
  if (host === undefined) return t.fail()
  world.freezeHost('a')
  await environment.advance(6 * 60_000)
  t.is(cache.endpoint(host).answers, 'No')
  t.deepEqual(cache.power(endpointKey('PowerController', 'a')), { power: 'On', confirmed: false })
})

function sorted(rows: readonly (readonly (string | MachineFacts)[])[]): readonly unknown[] {
  return [...rows].sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
}
