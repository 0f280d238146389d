import test, { type ExecutionContext } from 'ava'
import { createAPIServer } from '../../../apiserver/server.ts'
import { memoryLog } from '../../../apiserver/storage/durable-log.ts'
import { ApiError } from '../../../controllers/api/api-error.ts'
import { createClient } from '../../../controllers/api/client.ts'
import { inProcessTransport } from '../../../controllers/api/in-process-transport.ts'
import { Lease } from '../../../controllers/api/lease.ts'
import type { Transport } from '../../../controllers/api/transport.ts'
import { createLeadership, type Leadership } from '../../../controllers/sharding/leadership.ts'
import { type VirtualEnvironment, virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'

interface Replica {
  readonly leadership: Leadership
  readonly told: string[]
  /** How its requests go: well, to nobody for ever, or refused. */
  network: 'Up' | 'Hanging' | 'Down'
}

async function cluster(t: ExecutionContext) {
  const environment = virtualEnvironment()
  const server = await createAPIServer({ log: memoryLog(), environment })
  const transport = inProcessTransport(request => server.handle(request))
  const client = createClient(transport)
  const replicas: Replica[] = []
  t.teardown(async () => {
    for (const replica of replicas) replica.network = 'Down'
    await environment.until(Promise.all(replicas.map(({ leadership }) => leadership.stop())))
    await server.close()
  })

  function replica(identity: string, own: Partial<VirtualEnvironment> = {}): Replica {
    const told: string[] = []
    const through: Transport = {
      ...transport,
      async request(request) {
        if (made.network === 'Down') throw new ApiError('down', { status: 0, reason: 'Unavailable' })
        if (made.network === 'Hanging') {
          await new Promise((_resolve, reject) =>
            request.signal?.addEventListener('abort', () => reject(request.signal?.reason)),
          )
        }
        return transport.request(request)
      },
    }
    const since = environment.clock.monotonic()
    const at = () => Math.round((environment.clock.monotonic() - since) / 1000)
    const made: Replica = {
      network: 'Up',
      told,
      leadership: createLeadership({
        client: createClient(through),
        environment: { ...environment, ...own },
        name: 'zone-1',
        identity,
        onAcquired: () => told.push(`acquired@${at()}`),
        onLost: () => told.push(`lost@${at()}`),
      }),
    }
    replicas.push(made)
    return made
  }
  const record = async () => (await environment.until(client.get(Lease, 'zone-1', 'skystead-system')))?.spec
  return { environment, client, replica, record, advance: environment.advance, clock: environment.clock }
}

test('the first one takes the lease and keeps it; the others wait', async t => {
  const { replica, record, advance } = await cluster(t)
  const [one, two] = [replica('one'), replica('two')]
  one.leadership.start()
  await advance(100)
  two.leadership.start()
  await advance(3_600_000)
  t.deepEqual([one.told, two.told], [['acquired@0'], []])
  t.true(one.leadership.isHeld())
  t.is(two.leadership.holder(), 'one')
  t.is(two.leadership.deadline(), undefined)
  t.like(await record(), { holderIdentity: 'one', leaseDurationSeconds: 15, leaseTransitions: 0 })
})

test('of many that start at the same moment exactly one holds it', async t => {
  const { replica, advance } = await cluster(t)
  const all = Array.from({ length: 10 }, (_, index) => replica(`replica-${index}`))
  for (const { leadership } of all) leadership.start()
  for (let second = 0; second < 60; second++) {
    await advance(1_000)
    t.is(all.filter(({ leadership }) => leadership.isHeld()).length, 1)
  }
})

test('the deadline is ten seconds after the last renewal was asked for, on the monotonic clock', async t => {
  const { replica, advance, clock } = await cluster(t)
  const one = replica('one')
  one.leadership.start()
  await advance(0)
  t.is(one.leadership.deadline(), clock.monotonic() + 10_000)
  one.network = 'Down'
  await advance(9_999)
  t.true(one.leadership.isHeld())
  await advance(1)
  t.false(one.leadership.isHeld())
  t.is(one.leadership.deadline(), undefined)
  t.deepEqual(one.told, ['acquired@0', 'lost@10'])
})

test('a holder that falls silent has lost it five seconds before another one may take it', async t => {
  const { replica, record, advance } = await cluster(t)
  const [one, two] = [replica('one'), replica('two')]
  one.leadership.start()
  await advance(100)
  two.leadership.start()
  await advance(30_000)
  one.network = 'Hanging'
  for (let step = 0; step < 300; step++) {
    await advance(100)
    t.false(one.leadership.isHeld() && two.leadership.isHeld())
  }
  const lost = Number(one.told[1]?.split('@')[1])
  const acquired = Number(two.told[0]?.split('@')[1])
  t.true(acquired - lost >= 5, `lost at ${lost} s, acquired at ${acquired} s`)
  t.like(await record(), { holderIdentity: 'two', leaseTransitions: 1 })
  one.network = 'Up'
  await advance(60_000)
  t.false(one.leadership.isHeld())
  t.is(one.leadership.holder(), 'two')
})

test('a short outage is survived without losing it', async t => {
  const { replica, advance } = await cluster(t)
  const one = replica('one')
  one.leadership.start()
  await advance(20_000)
  one.network = 'Down'
  await advance(6_000)
  one.network = 'Up'
  await advance(60_000)
  t.deepEqual(one.told, ['acquired@0'])
})

test('stopping gives it back: the next one takes it at its next try', async t => {
  const { environment, replica, record, advance } = await cluster(t)
  const [one, two] = [replica('one'), replica('two')]
  one.leadership.start()
  await advance(100)
  two.leadership.start()
  await advance(10_000)
  await environment.until(one.leadership.stop())
  t.like(await record(), { holderIdentity: '' })
  t.false(one.leadership.isHeld())
  await advance(3_000)
  t.true(two.leadership.isHeld())
})

test('a process that slept through its time knows before it does anything', async t => {
  const { environment, replica, advance } = await cluster(t)
  let asleep = 0
  const clock = { ...environment.clock, monotonic: () => environment.clock.monotonic() + asleep }
  const one = replica('one', { clock })
  one.leadership.start()
  await advance(0)
  t.true(one.leadership.isHeld())
  // Its timers have not fired yet, its clock has moved on.
  asleep = 20_000
  t.false(one.leadership.isHeld())
  t.is(one.leadership.deadline(), undefined)
})

test('wall clocks that disagree, or jump, change nothing', async t => {
  const { environment, replica, advance } = await cluster(t)
  const behind = { ...environment.clock, now: () => environment.clock.now() - 86_400_000 }
  const [one, two] = [replica('one', { clock: behind }), replica('two')]
  one.leadership.start()
  await advance(100)
  two.leadership.start()
  await advance(60_000)
  environment.shiftWall(86_400_000)
  await advance(60_000)
  t.deepEqual([one.told, two.told], [['acquired@0'], []])
})

test('a lease that somebody deletes is lost at the next renewal and made again', async t => {
  const { environment, client, replica, advance } = await cluster(t)
  const one = replica('one')
  one.leadership.start()
  await advance(0)
  const lease = await environment.until(client.get(Lease, 'zone-1', 'skystead-system'))
  if (lease === undefined) return t.fail('no lease')
  await environment.until(client.remove(Lease, lease.metadata))
  await advance(10_000)
  t.is(one.told[1]?.split('@')[0], 'lost')
  t.true(one.leadership.isHeld())
})

test('a listener that throws is told of and does not stop the renewals', async t => {
  const environment = virtualEnvironment()
  const server = await createAPIServer({ log: memoryLog(), environment })
  const errors: unknown[] = []
  const leadership = createLeadership({
    client: createClient(inProcessTransport(request => server.handle(request))),
    environment,
    name: 'zone-1',
    identity: 'one',
    onAcquired: () => {
      throw new Error('listener')
    },
    onError: error => errors.push(error),
  })
  leadership.start()
  await environment.advance(60_000)
  t.true(leadership.isHeld())
  t.deepEqual(errors.map(String), ['Error: listener'])
  await environment.until(leadership.stop())
  await server.close()
})
