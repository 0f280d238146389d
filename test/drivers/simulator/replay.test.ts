import test from 'ava'
import { seededRandom } from '../../../drivers/simulator/seeded-random.ts'
import { createSimulator } from '../../../drivers/simulator/simulator.ts'
import { create, define, patient, stop, VirtualClock, virtualWorld } from './virtual-world.ts'

/** Some hours of a busy, faulty world: who was answered what and when, and what there was in the end. */
async function history(seed: number): Promise<string> {
  await using w = virtualWorld({ seed, timing: {} })
  const { world } = w.simulator
  const told: unknown[] = []
  world.faults.add({ effect: 'LoseReply', when: 'After', probability: 0.2, times: Number.POSITIVE_INFINITY })
  world.faults.add({ effect: 'Delay', milliseconds: 500, probability: 0.2, times: Number.POSITIVE_INFINITY })
  const record = (name: string, call: Promise<unknown>) => {
    const tell = (outcome: unknown) => told.push([w.clock.monotonic(), name, outcome])
    call.then(tell, error => tell(String(error)))
  }
  const [host] = w.hosts
  for (let index = 0; index < 30; index++) {
    record(`create ${index}`, w.storage.perform(create(w.pool, `v${index}`), patient()))
    record(`define ${index}`, w.first.perform(define(host, `m${index}`, { power: 'Running' }), patient()))
    await w.clock.advance(30)
    record(`stop ${index}`, w.first.perform(stop(host, `m${index % 7}`, 'Graceful'), patient()))
    if (index === 15) world.killHost('host-1')
    if (index === 20) world.reviveHost('host-1')
    if (index % 5 === 0) world.addForeignMachine('host-2')
  }
  await w.clock.advance(60_000)
  return JSON.stringify([told, w.events, world.journal.since(0), world.list()])
}

test('the same seed and the same calls make the same world, answers and times; another seed does not', async t => {
  const first = await history(11)
  t.true(first.length > 10_000)
  t.is(await history(11), first)
  t.not(await history(12), first)
})

test('without a seed one is drawn from the environment, and told', t => {
  const environment = () => ({ clock: new VirtualClock(), random: seededRandom(1) })
  const drawn = createSimulator({ environment: environment() }).seed
  t.is(createSimulator({ environment: environment() }).seed, drawn)
  t.not(createSimulator({ environment: environment(), seed: 5 }).seed, drawn)
})

test('a seed gives numbers from 0 to 1 that are spread evenly, and UUIDs of version 4 that never repeat', t => {
  const random = seededRandom(1)
  const buckets = new Array<number>(10).fill(0)
  for (let draw = 0; draw < 10_000; draw++) {
    const bucket = Math.floor(random.next() * 10)
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }
  t.is(buckets.length, 10)
  t.true(
    buckets.every(count => count > 850 && count < 1150),
    buckets.join(' '),
  )
  const uuids = Array.from({ length: 1000 }, () => random.uuid())
  t.is(new Set(uuids).size, 1000)
  t.true(uuids.every(uuid => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuid)))
})
