import test, { type ExecutionContext } from 'ava'
import { createAPIServer } from '../../../apiserver/server.ts'
import { memoryLog } from '../../../apiserver/storage/durable-log.ts'
import { ApiError } from '../../../controllers/api/api-error.ts'
import { createClient } from '../../../controllers/api/client.ts'
import { inProcessTransport } from '../../../controllers/api/in-process-transport.ts'
import { Lease } from '../../../controllers/api/lease.ts'
import type { Transport, TransportRequest } from '../../../controllers/api/transport.ts'
import type { Shard } from '../../../controllers/engine/shard.ts'
import { outsideZones, shardName } from '../../../controllers/sharding/names.ts'
import { createSharing, type Sharing } from '../../../controllers/sharding/sharing.ts'
import { sleep } from '../../../crds/environment.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'

interface Replica {
  readonly sharing: Sharing
  /** What it was told, with the second: `+skystead-zone-a@0`, `-skystead-zone-a@12`. */
  readonly told: string[]
  /** How long the work for a shard takes to end, in ms. */
  endsAfter: number
  /** How its requests go: well, refused, or (`Late`) well but only after so many ms. */
  network: 'Up' | 'Down' | { readonly lateBy: number; readonly when: (request: TransportRequest) => boolean }
  shards(): readonly string[]
}

async function cluster(t: ExecutionContext, zones: readonly string[] = ['a', 'b', 'c']) {
  const environment = virtualEnvironment()
  const { clock } = environment
  const server = await createAPIServer({ log: memoryLog(), environment })
  const transport = inProcessTransport(request => server.handle(request))
  const client = createClient(transport)
  const known: Shard[] = [outsideZones, ...zones.map(zone => ({ zone }))]
  const replicas: Replica[] = []
  t.teardown(async () => {
    for (const replica of replicas) replica.network = 'Down'
    await environment.until(Promise.all(replicas.map(({ sharing }) => sharing.stop())))
    await server.close()
  })

  function start(identity: string): Replica {
    const told: string[] = []
    const held = new Set<string>()
    const through: Transport = {
      ...transport,
      async request(request) {
        const { network } = made
        if (network === 'Down') throw new ApiError('down', { status: 0, reason: 'Unavailable' })
        if (network !== 'Up' && network.when(request)) {
          const { signal: _, ...sent } = request
          await sleep(clock, network.lateBy)
          return transport.request(sent)
        }
        return transport.request(request)
      },
    }
    const note = (sign: '+' | '-', shard: Shard) => {
      const name = shardName(shard)
      told.push(`${sign}${name}@${Math.round(clock.monotonic() / 1000)}`)
      if (sign === '+') held.add(name)
      else held.delete(name)
    }
    const made: Replica = {
      network: 'Up',
      endsAfter: 0,
      told,
      shards: () => [...held].toSorted(),
      sharing: createSharing({
        client: createClient(through),
        environment,
        identity,
        shards: () => known,
        onGained: shard => note('+', shard),
        onLost: shard => note('-', shard),
        handOver: async shard => {
          if (!held.has(shardName(shard))) return
          await sleep(clock, made.endsAfter)
          note('-', shard)
        },
        onError: () => undefined,
      }),
    }
    replicas.push(made)
    made.sharing.start()
    return made
  }

  /** Lets time pass, and fails as soon as two replicas hold a shard at once. */
  async function advance(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 100) {
      await environment.advance(100)
      for (const shard of known) {
        const holders = replicas.filter(({ sharing }) => sharing.isHeld(shard))
        if (holders.length > 1) throw new Error(`${shardName(shard)} is held by ${holders.length} replicas`)
      }
    }
  }

  const all = known.map(shardName).toSorted()
  const held = () => replicas.flatMap(replica => replica.shards()).toSorted()
  const leases = async () => {
    const listing = client.list(Lease, { namespace: 'skystead-system' })
    await environment.until(listing)
    return (await listing).items
  }
  return { start, advance, held, all, known, leases, client, environment }
}

test('one replica has everything', async t => {
  const { start, advance, all, leases } = await cluster(t)
  const one = start('one')
  await advance(10_000)
  t.deepEqual(one.shards(), all)
  t.deepEqual(
    (await leases()).map(({ metadata, spec }) => `${metadata.name}: ${spec?.holderIdentity}`).toSorted(),
    [...all, 'skystead-replica-one'].map(name => `${name}: one`).toSorted(),
  )
})

test('two replicas that start together share: each has half, and every shard has one', async t => {
  const { start, advance, held, all } = await cluster(t)
  const [one, two] = [start('one'), start('two')]
  await advance(60_000)
  t.deepEqual(held(), all)
  t.deepEqual([one.shards().length, two.shards().length], [2, 2])
})

test('a replica that comes later is handed its part in peace', async t => {
  const { start, advance, held, all } = await cluster(t)
  const one = start('one')
  await advance(20_000)
  const two = start('two')
  await advance(40_000)
  t.deepEqual(held(), all)
  t.deepEqual([one.shards().length, two.shards().length], [2, 2])
  t.is(one.told.filter(line => line.startsWith('-')).length, 2, 'what stays was never given away')
})

test('what takes longer to end than a round may last is handed over all the same', async t => {
  const { start, advance, held, all } = await cluster(t)
  const one = start('one')
  one.endsAfter = 14_000
  await advance(20_000)
  const two = start('two')
  await advance(120_000)
  t.deepEqual(held(), all)
  t.deepEqual([one.shards().length, two.shards().length], [2, 2])
})

test('an API that was away for longer than a lease leaves no shard with nobody', async t => {
  const { start, advance, held, all } = await cluster(t)
  const one = start('one')
  await advance(20_000)
  const two = start('two')
  await advance(8_000)
  for (const replica of [one, two]) replica.network = 'Down'
  await advance(40_000)
  t.deepEqual(held(), [])
  for (const replica of [one, two]) replica.network = 'Up'
  await advance(60_000)
  t.deepEqual(held(), all)
  t.deepEqual([one.shards().length, two.shards().length], [2, 2])
})

test('what a replica had that fell silent moves within the lease, and nobody has it twice', async t => {
  const { start, advance, held, all, environment } = await cluster(t)
  const [one, two] = [start('one'), start('two')]
  await advance(60_000)
  one.network = 'Down'
  const before = environment.clock.monotonic()
  await advance(20_000)
  t.deepEqual(two.shards(), all)
  const moved = two.told.filter(line => Number(line.split('@')[1]) * 1000 >= before - 500)
  t.is(moved.length, 2)
  t.true(
    moved.every(line => Number(line.split('@')[1]) * 1000 <= before + 19_000),
    moved.join(),
  )
  one.network = 'Up'
  await advance(60_000)
  t.deepEqual(held(), all)
  t.deepEqual([one.shards().length, two.shards().length], [2, 2], 'it gets its part back')
})

test('a renewal that comes late does not bring back what others have taken', async t => {
  const { start, advance, all } = await cluster(t)
  const [one, two] = [start('one'), start('two')]
  await advance(60_000)
  const isRenewal = ({ method, path }: TransportRequest) => method === 'PUT' && path.includes('skystead-replica-')
  one.network = { lateBy: 30_000, when: isRenewal }
  await advance(29_000)
  t.deepEqual(two.shards(), all)
  t.false(one.sharing.isHeld(outsideZones))
  await advance(20_000)
  t.deepEqual([...one.shards(), ...two.shards()].toSorted(), all)
})

test('taking a shard that is answered too late to count on takes nothing', async t => {
  const { start, advance, held, all } = await cluster(t)
  const one = start('one')
  const isTaking = ({ method, path }: TransportRequest) => method !== 'GET' && !path.includes('skystead-replica-')
  one.network = { lateBy: 12_000, when: request => isTaking(request) || request.method === 'PUT' }
  await advance(40_000)
  t.deepEqual(one.shards(), [])
  one.network = 'Up'
  await advance(40_000)
  t.deepEqual(held(), all)
})

test('who stops gives everything back: the next one need not wait', async t => {
  const { start, advance, all, environment } = await cluster(t)
  const [one, two] = [start('one'), start('two')]
  await advance(60_000)
  await environment.until(one.sharing.stop())
  await advance(5_000)
  t.deepEqual(two.shards(), all)
})

test('Leases of replicas that are no more are deleted, and those of shards stay', async t => {
  const { start, advance, leases, environment } = await cluster(t)
  const [one] = [start('one'), start('two')]
  await advance(30_000)
  await environment.until(one.sharing.stop())
  await advance(30_000)
  const names = (await leases()).map(({ metadata }) => metadata.name)
  t.deepEqual(
    names.filter(name => name.includes('replica')),
    ['skystead-replica-two'],
  )
  t.is(names.filter(name => name.startsWith('skystead-zone-')).length, 3)
})

test('a zone that is described later is taken by one of them; one that is no more is let go', async t => {
  const { start, advance, held, known, leases } = await cluster(t)
  const [one, two] = [start('one'), start('two')]
  await advance(60_000)
  known.push({ zone: 'late' })
  await advance(60_000)
  t.true(held().includes('skystead-zone-late'))
  known.pop()
  await advance(60_000)
  t.false(held().includes('skystead-zone-late'))
  t.is(one.shards().length + two.shards().length, 4)
  t.false((await leases()).some(({ metadata }) => metadata.name === 'skystead-zone-late'))
})

test('a shard whose Lease somebody deleted is given up and taken anew', async t => {
  const { start, advance, all, leases, client, environment } = await cluster(t)
  const one = start('one')
  await advance(10_000)
  const lease = (await leases()).find(({ metadata }) => metadata.name === 'skystead-zone-a')
  if (lease !== undefined) await environment.until(client.remove(Lease, lease.metadata))
  await advance(10_000)
  t.deepEqual(one.shards(), all)
  t.is(one.told.filter(line => line.startsWith('-skystead-zone-a')).length, 1)
})
