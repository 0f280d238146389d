import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { InventoryEvent } from '../../drivers/contract/driver.ts'
import { DriverError, driverErrorCodes } from '../../drivers/contract/errors.ts'
import type { Operation } from '../../drivers/contract/operation.ts'
import { type Rig, type Rule, refused } from './conformance-rig.ts'

/** When calls are cut short, in ms after they began: from before anything was sent to long after it was done. */
const moments = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55]

/** The rules about calls, listings and events. */
export function connectionRules(rule: Rule): void {
  rule('rule 6: listings change nothing and repeat themselves', async (t, rig) => {
    const [machine, volume] = [rig.identity(), rig.identity()]
    await rig.perform(rig.create(volume))
    await rig.perform(rig.define(machine))
    await rig.fixture.addForeignMachine(undefined)
    const [host, pool] = [await rig.hostListing(), await rig.poolListing()]
    for (let round = 0; round < 3; round++) {
      t.deepEqual(await rig.hostListing(), host)
      t.deepEqual(await rig.poolListing(), pool)
    }
    t.true(host.host.capabilities.includes('MachineDefine'))
    t.true(host.host.cores >= 1 && host.host.memoryBytes > 0)
    t.true(pool.totalBytes > 0 && pool.usedBytes >= 0)
  })

  rule('rule 7: a signal that is aborted already sends nothing', async (t, rig) => {
    const identity = rig.identity()
    const options = { signal: AbortSignal.abort() }
    const error = await refused(t, rig.perform(rig.define(identity), options), 'Timeout', 'Aborted')
    t.false(error?.inDoubt)
    await refused(t, rig.host.inventory(options), 'Timeout', 'Aborted')
    t.deepEqual(await rig.fixture.machines(), [])
  })

  rule('rule 7: an abort rejects at once and leaves the call in doubt', async (t, rig) => {
    const identity = rig.identity()
    const abort = new AbortController()
    const options = { signal: abort.signal, installation: rig.installation }
    const call = rig.perform(rig.define(identity), options)
    abort.abort()
    const error = await refused(t, call, 'Timeout', 'Aborted')
    t.true(error?.inDoubt)
    t.is((await rig.converge(rig.define(identity))).identity, identity)
  })

  rule('rule 8: a frozen request with nothing but data is enough, and is not kept', async (t, rig) => {
    const identity = rig.identity()
    const wish = rig.define(identity)
    const before = structuredClone(wish)
    const answer = await rig.perform(deepFreeze(structuredClone(wish)))
    t.deepEqual(wish, before)
    t.like(answer, { identity, definition: before.arguments.definition })
  })

  rule('rule 9: whatever it is given, it throws a DriverError of the closed set', async (t, rig) => {
    const identity = rig.identity()
    const wrong: readonly Operation[] = [
      rig.define(identity, { definition: rig.definition({ cores: 0 }) }),
      rig.define(identity, { definition: rig.definition({ memoryBytes: -1 }) }),
      rig.define(identity, { definition: rig.definition({ nics: [badNIC(rig)] }) }),
      rig.create(identity, { sizeBytes: -5 }),
      rig.create(identity, { sizeBytes: Number.NaN }),
      rig.create(identity, { image: { url: 'nonsense:', format: 'QCOW2' } }),
    ]
    for (const wish of wrong) {
      const error = await rig.perform(wish).then(
        () => t.fail(`${wish.verb} was not refused: ${JSON.stringify(wish.arguments)}`),
        (reason: unknown) => reason,
      )
      t.true(error instanceof DriverError, String(error))
      if (error instanceof DriverError) t.not(driverErrorCodes[error.code], undefined)
    }
    t.deepEqual(await rig.fixture.machines(), [])
    t.deepEqual(await rig.fixture.volumes(), [])
  })

  rule('rule 10: calls that are given up at any moment converge when they are repeated', async (t, rig) => {
    for (const moment of moments) {
      const [machine, volume] = [rig.identity(), rig.identity()]
      const disks = [{ identity: volume, pool: rig.fixture.pool.key, name: 'root' }]
      const steps = [
        rig.create(volume, rig.fixture.images === undefined ? {} : { image: cloneOf(rig.fixture.images) }),
        rig.define(machine, { definition: rig.definition({ disks }), power: 'Running' }),
        rig.onHost('StopMachine', machine, { identity: machine, epoch: 1, mode: 'Forced' }),
        rig.onHost('RemoveMachine', machine, { identity: machine, epoch: 1 }),
        rig.onPool('DeleteVolume', volume, { identity: volume, epoch: 1 }),
      ] as const
      for (const step of steps) {
        await giveUpAfter(rig, step, moment)
        const answer = await rig.converge(step)
        const seen = step.endpoint === rig.fixture.pool.key ? await rig.volume(volume) : await rig.machine(machine)
        t.deepEqual(seen, answer, `${step.verb} given up after ${moment} ms`)
      }
      t.deepEqual(await rig.fixture.machines(), [])
      t.deepEqual(await rig.fixture.volumes(), [])
    }
  })

  rule('rule 10: calls whose connection breaks at any moment converge when they are repeated', async (t, rig) => {
    for (const moment of moments) {
      const identity = rig.identity()
      const wish = rig.define(identity, { power: 'Running' })
      const call = rig.perform(wish).then(
        () => 'Done',
        (error: unknown) => error,
      )
      await pause(moment)
      await rig.fixture.breakConnections()
      const outcome = await call
      if (outcome !== 'Done') {
        t.true(outcome instanceof DriverError, String(outcome))
        if (outcome instanceof DriverError) t.is(driverErrorCodes[outcome.code], 'retry', outcome.message)
      }
      t.deepEqual(await rig.converge(wish), await rig.machine(identity))
      await rig.converge(rig.onHost('StopMachine', identity, { identity, epoch: 1, mode: 'Forced' }))
      await rig.converge(rig.onHost('RemoveMachine', identity, { identity, epoch: 1 }))
    }
    t.deepEqual(await rig.fixture.machines(), [])
  })

  rule('rule 11: user data is in no error, log or fact', async (t, rig) => {
    const secret = `secret-${randomUUID()}`
    const identity = rig.identity()
    const told: unknown[] = []
    const attempts = [
      rig.define(identity, { userData: secret }),
      rig.define(identity, { userData: secret, mark: rig.mark('web', 'SystemVM') }),
      rig.define(identity, { userData: secret, definition: rig.definition({ cores: 0 }) }),
    ]
    for (const wish of attempts) {
      const outcome = await rig.perform(wish).catch((error: unknown) => error)
      told.push(outcome instanceof Error ? [outcome.message, outcome.stack, String(outcome.cause)] : outcome)
    }
    const signed = { url: `nonsense://host/image?signature=${secret}`, format: 'QCOW2' }
    const outcome = await rig.perform(rig.create(identity, { image: signed })).catch((error: unknown) => error)
    told.push(outcome instanceof Error ? [outcome.message, String(outcome.cause)] : outcome)
    told.push(await rig.hostListing(), rig.fixture.logs())
    t.true(told.length > attempts.length)
    t.false(JSON.stringify(told).includes(secret))
  })

  rule('rule 18: a listing holds everything that was there when it was asked for', async (t, rig) => {
    const machines = Array.from({ length: 20 }, () => rig.identity())
    const volumes = Array.from({ length: 20 }, () => rig.identity())
    await Promise.all([
      ...machines.map(identity => rig.perform(rig.define(identity))),
      ...volumes.map(identity => rig.perform(rig.create(identity))),
    ])
    const [host, pool] = [await rig.hostListing(), await rig.poolListing()]
    t.deepEqual(host.machines.map(machine => machine.identity).sort(), machines.toSorted())
    t.deepEqual(pool.volumes.map(volume => volume.identity).sort(), volumes.toSorted())
  })

  rule('rule 19: what changes is told, by the driver and behind its back, until nobody listens', async (t, rig) => {
    if (rig.host.subscribe === undefined) {
      t.pass('the driver has no events')
      return
    }
    const identity = rig.identity()
    const events: InventoryEvent[] = []
    const last = () => events.filter(event => identityOf(event) === identity).at(-1)
    const subscription = rig.host.subscribe(event => events.push(event))
    // A subscription may take a moment to reach the host: what a listing shows after it is told.
    await rig.hostListing()
    const running = await rig.perform(rig.define(identity, { power: 'Running' }))
    await rig.eventually(last, event => event?.event === 'Machine' && event.facts.powerState === 'Running')
    t.deepEqual(last(), { event: 'Machine', facts: running })
    await rig.fixture.destroyMachine(identity)
    await rig.eventually(last, event => event?.event === 'Machine' && event.facts.powerState === 'Off')
    t.deepEqual(last(), { event: 'Machine', facts: await rig.machine(identity) })
    await rig.perform(rig.onHost('RemoveMachine', identity, { identity, epoch: 1 }))
    t.deepEqual(await rig.eventually(last, event => event?.event === 'MachineGone'), { event: 'MachineGone', identity })
    subscription[Symbol.dispose]()
    const told = events.length
    await rig.perform(rig.define(identity))
    await pause(20)
    t.is(events.length, told)
  })

  rule('rule 19: a lost connection is told, and the subscription lives on', async (t, rig) => {
    if (rig.host.subscribe === undefined) {
      t.pass('the driver has no events')
      return
    }
    const identity = rig.identity()
    const events: InventoryEvent[] = []
    using _subscription = rig.host.subscribe(event => events.push(event))
    await rig.hostListing()
    await rig.fixture.breakConnections()
    await rig.eventually(
      () => events.length,
      () => events.some(event => event.event === 'Disconnected'),
    )
    t.true(events.some(event => event.event === 'Disconnected'))
    await rig.eventually(
      () => rig.hostListing().catch(() => undefined),
      listing => listing !== undefined,
    )
    await rig.converge(rig.define(identity))
    const seen = await rig.eventually(
      async () => {
        // Every redefinition is one more chance to be told: an event is only a hint.
        await rig.converge(rig.define(identity, { mark: rig.mark(`again-${randomUUID()}`) }))
        return events.some(event => identityOf(event) === identity)
      },
      told => told,
    )
    t.true(seen)
  })

  rule('rule 31: a host that falls silent without breaking its connections is told as Disconnected', async (t, rig) => {
    const { silence } = rig.fixture
    if (rig.host.subscribe === undefined || silence === undefined) {
      t.pass('the driver has no events, or the host cannot be silenced')
      return
    }
    t.timeout(60_000)
    const events: InventoryEvent[] = []
    using _subscription = rig.host.subscribe(event => events.push(event))
    await rig.hostListing()
    {
      using _silence = await silence()
      await rig.eventually(
        () => events.map(({ event }) => event),
        told => told.includes('Disconnected'),
        30_000,
      )
    }
    t.true(events.some(({ event }) => event === 'Disconnected'))
    await rig.eventually(
      () => rig.hostListing().catch(() => undefined),
      listing => listing !== undefined,
    )
  })

  rule(
    'rule 34: who can tell of signs of life tells of a host that lives, and nothing of one that it does not know',
    async (t, rig) => {
      const { configuration, key } = rig.fixture.host
      const address = configuration.type === 'Host' ? configuration.address : ''
      if (rig.pool.signOfLife === undefined) {
        t.pass('the driver has no heartbeats')
        return
      }
      await rig.hostListing()
      const sign = await rig.pool.signOfLife({ host: key, address }, rig.options())
      t.true((sign.age ?? Number.POSITIVE_INFINITY) < 30_000)
      t.not(sign.lease, 'Expired')
      t.deepEqual(await rig.pool.signOfLife({ host: `Host/${randomUUID()}`, address: 'nobody' }, rig.options()), {})
    },
  )

  rule('rule 22: a verb of another type of endpoint is Unsupported', async (t, rig) => {
    const identity = rig.identity()
    const toPool = { ...rig.define(identity), endpoint: rig.fixture.pool.key }
    const toHost = { ...rig.create(identity), endpoint: rig.fixture.host.key }
    await refused(t, rig.pool.perform(toPool, rig.options()), 'Unsupported')
    await refused(t, rig.host.perform(toHost, rig.options()), 'Unsupported')
    t.deepEqual(await rig.fixture.machines(), [])
    t.deepEqual(await rig.fixture.volumes(), [])
  })

  rule('rule 27: a connection that was disposed of fails every call and tells nothing', async (t, rig) => {
    const identity = rig.identity()
    const connection = rig.fixture.driver.connect(rig.fixture.host)
    const events: InventoryEvent[] = []
    connection.subscribe?.(event => events.push(event))
    await connection.inventory(rig.options())
    await connection[Symbol.asyncDispose]()
    const told = events.length
    await refused(t, connection.inventory(rig.options()), 'Unavailable')
    await refused(t, connection.perform(rig.define(identity), rig.options()), 'Unavailable')
    await rig.perform(rig.define(identity))
    await pause(20)
    t.is(events.length, told)
    t.deepEqual(await rig.fixture.machines(), [identity])
  })
}

/** Starts a call and gives it up that many ms later; what came of it does not matter. */
async function giveUpAfter(rig: Rig, wish: Operation, milliseconds: number): Promise<void> {
  const abort = new AbortController()
  const options = { signal: abort.signal, installation: rig.installation }
  const call = rig.perform(wish, options).catch((error: unknown) => error)
  if (milliseconds > 0) await pause(milliseconds)
  abort.abort()
  await call
}

function identityOf(event: InventoryEvent): string | undefined {
  if (event.event === 'Machine' || event.event === 'Volume') return event.facts.identity
  return event.event === 'Disconnected' ? undefined : event.identity
}

function badNIC(rig: Rig) {
  return { name: 'web', macAddress: 'no address', segment: rig.fixture.segment, addresses: [] }
}

function cloneOf(images: { readonly present: string; readonly format: string }): { url: string; format: string } {
  return { url: images.present, format: images.format }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const each of Object.values(value)) deepFreeze(each)
    Object.freeze(value)
  }
  return value
}
