import type { ExecutionContext } from 'ava'
import type { MachineNIC } from '../../drivers/contract/facts.ts'
import { type Rig, type Rule, refused } from './conformance-rig.ts'

/** The rules about machines. */
export function machineRules(rule: Rule): void {
  rule('rule 1, rule 12: a machine is listed under the identity and with the mark of the request', async (t, rig) => {
    const identity = rig.identity()
    const answer = await rig.perform(rig.define(identity))
    t.is(answer.identity, identity)
    t.deepEqual(answer.mark, rig.mark('web'))
    t.is(answer.epoch, 1)
    t.is(answer.powerState, 'Off')
    t.deepEqual(await rig.fixture.machines(), [identity])
  })

  rule('rule 2: every operation on a machine may be repeated and changes nothing the second time', async (t, rig) => {
    const identity = rig.identity()
    const steps = [
      rig.define(identity),
      rig.onHost('StartMachine', identity, { identity, epoch: 1 }),
      rig.define(identity, { power: 'Running' }),
      rig.onHost('StopMachine', identity, { identity, epoch: 1, mode: 'Forced' }),
      rig.onHost('RemoveMachine', identity, { identity, epoch: 1 }),
    ] as const
    for (const step of steps) {
      const first = await rig.perform(step)
      const seen = await rig.machine(identity)
      t.deepEqual(await rig.perform(step), first, step.verb)
      t.deepEqual(await rig.machine(identity), seen, step.verb)
    }
    t.deepEqual(await rig.fixture.machines(), [])
  })

  rule('rule 3: defining what exists changes its definition, mark and epoch, and not its power', async (t, rig) => {
    const identity = rig.identity()
    await rig.perform(rig.define(identity, { power: 'Running' }))
    const wish = { epoch: 2, mark: rig.mark('renamed'), definition: rig.definition({ guestHostName: 'renamed' }) }
    const answer = await rig.perform(rig.define(identity, wish))
    t.like(answer, { identity, ...wish, powerState: 'Running' })
    t.deepEqual(await rig.machine(identity), answer)
  })

  rule('rule 3: defining a machine that is made for another kind is AlreadyExists', async (t, rig) => {
    const identity = rig.identity()
    const made = await rig.perform(rig.define(identity))
    await refused(t, rig.perform(rig.define(identity, { mark: rig.mark('web', 'SystemVM') })), 'AlreadyExists')
    t.deepEqual(await rig.machine(identity), made)
  })

  rule('rule 4: stopping and removing a missing machine succeeds', async (t, rig) => {
    const identity = rig.identity()
    for (const mode of ['Graceful', 'Forced'] as const) {
      t.is(await rig.perform(rig.onHost('StopMachine', identity, { identity, epoch: 1, mode })), undefined)
    }
    t.is(await rig.perform(rig.onHost('RemoveMachine', identity, { identity, epoch: 1 })), undefined)
    t.deepEqual(await rig.fixture.machines(), [])
  })

  rule('rule 5: starting a missing machine is NotFound', async (t, rig) => {
    const identity = rig.identity()
    await refused(t, rig.perform(rig.onHost('StartMachine', identity, { identity, epoch: 1 })), 'NotFound')
    t.deepEqual(await rig.fixture.machines(), [])
  })

  rule('rule 13: an older epoch is refused and changes no machine, a newer one is remembered', async (t, rig) => {
    const identity = rig.identity()
    const define = (epoch: number) => rig.define(identity, { epoch, mark: rig.mark(`epoch-${epoch}`) })
    const start = (epoch: number) => rig.onHost('StartMachine', identity, { identity, epoch })
    const stop = (epoch: number) => rig.onHost('StopMachine', identity, { identity, epoch, mode: 'Forced' as const })
    const remove = (epoch: number) => rig.onHost('RemoveMachine', identity, { identity, epoch })
    await rig.perform(define(5))
    for (const late of [define(4), start(4), stop(4), remove(4)]) await refused(t, rig.perform(late), 'StaleEpoch')
    t.like(await rig.machine(identity), { epoch: 5, powerState: 'Off', mark: { name: 'epoch-5' } })
    t.is((await rig.perform(start(7))).epoch, 7)
    for (const late of [define(6), start(6), stop(6)]) await refused(t, rig.perform(late), 'StaleEpoch')
    t.like(await rig.machine(identity), { epoch: 7, powerState: 'Running', mark: { name: 'epoch-5' } })
    await rig.perform(stop(7))
    await refused(t, rig.perform(remove(6)), 'StaleEpoch')
    await rig.perform(remove(7))
    t.like(await rig.perform(define(1)), { epoch: 1 })
  })

  rule('rule 14: a machine without a mark is listed and never changed', async (t, rig) => {
    const identity = await rig.fixture.addForeignMachine(undefined)
    await untouchable(t, rig, identity)
    t.is((await rig.machine(identity))?.mark, undefined)
  })

  rule("rule 14: a machine with another installation's mark is listed with it and never changed", async (t, rig) => {
    const mark = { installation: 'somebody-else', kind: 'VirtualMachine', namespace: 'shop', name: 'web' }
    const identity = await rig.fixture.addForeignMachine(mark)
    await untouchable(t, rig, identity)
    t.deepEqual((await rig.machine(identity))?.mark, mark)
  })

  rule('rule 15: a machine that is not off is not removed', async (t, rig) => {
    const identity = rig.identity()
    await rig.perform(rig.define(identity, { power: 'Running' }))
    const remove = rig.onHost('RemoveMachine', identity, { identity, epoch: 1 })
    const error = await refused(t, rig.perform(remove), 'FailedPrecondition')
    t.regex(error?.message ?? '', /Running/)
    t.is((await rig.machine(identity))?.powerState, 'Running')
  })

  rule('rule 15, rule 16: removing a machine leaves its volumes, which cannot go before it', async (t, rig) => {
    const { machine, volume } = await machineWithDisk(rig)
    const trash = rig.onPool('TrashVolume', volume, { identity: volume, epoch: 1, at: '2026-11-20T12:00:00Z' })
    const remove = rig.onPool('DeleteVolume', volume, { identity: volume, epoch: 1 })
    for (const wish of [trash, remove]) await refused(t, rig.perform(wish), 'FailedPrecondition')
    t.is((await rig.volume(volume))?.trashedAt, undefined)
    await rig.perform(rig.onHost('RemoveMachine', machine, { identity: machine, epoch: 1 }))
    t.not(await rig.volume(volume), undefined)
    await rig.perform(remove)
    t.deepEqual(await rig.fixture.volumes(), [])
  })

  rule('rule 17: a machine whose disk is missing does not start and stays defined', async (t, rig) => {
    const { machine, volume } = await machineWithDisk(rig)
    await rig.fixture.removeVolume(volume)
    const start = rig.onHost('StartMachine', machine, { identity: machine, epoch: 1 })
    const error = await refused(t, rig.perform(start), 'FailedPrecondition')
    t.regex(error?.message ?? '', new RegExp(`root|${volume}`))
    t.is((await rig.machine(machine))?.powerState, 'Off')
    await rig.perform(rig.create(volume))
    t.is((await rig.perform(start)).powerState, 'Running')
  })

  rule('rule 20: facts are the definition as it was given', async (t, rig) => {
    const volumes = [rig.identity(), rig.identity()]
    for (const volume of volumes) await rig.perform(rig.create(volume))
    const disks = volumes.map((identity, index) => ({
      identity,
      pool: rig.fixture.pool.key,
      name: index === 0 ? 'root' : 'data',
    }))
    const nics = [nic(rig, 'web', '02:00:00:00:00:01', ['10.1.1.7']), nic(rig, 'back', '02:00:00:00:00:02', [])]
    const definition = rig.definition({ clockMHz: 1234, memoryBytes: 96 * 1024 ** 2, disks, nics })
    const identity = rig.identity()
    t.deepEqual((await rig.perform(rig.define(identity, { definition }))).definition, definition)
    t.deepEqual((await rig.machine(identity))?.definition, definition)
    await rig.perform(rig.onHost('StartMachine', identity, { identity, epoch: 1 }))
    t.deepEqual((await rig.machine(identity))?.definition, definition)
  })

  rule('rule 20: a redefinition takes disks and NICs away and adds them', async (t, rig) => {
    const { machine, volume } = await machineWithDisk(rig)
    const bare = rig.definition({ nics: [nic(rig, 'new', '02:00:00:00:00:03', ['10.1.1.9'])] })
    t.deepEqual((await rig.perform(rig.define(machine, { definition: bare }))).definition, bare)
    t.deepEqual((await rig.machine(machine))?.definition, bare)
    await rig.perform(rig.onPool('DeleteVolume', volume, { identity: volume, epoch: 1 }))
    t.is(await rig.volume(volume), undefined)
  })

  rule('rule 21: a forced stop answers when the machine is off, and says so', async (t, rig) => {
    const identity = rig.identity()
    t.is((await rig.perform(rig.define(identity, { power: 'Running' }))).powerState, 'Running')
    const stop = rig.onHost('StopMachine', identity, { identity, epoch: 1, mode: 'Forced' })
    t.like(await rig.perform(stop), { powerState: 'Off', stopCause: 'Forced' })
    t.like(await rig.machine(identity), { powerState: 'Off', stopCause: 'Forced' })
    const started = await rig.perform(rig.onHost('StartMachine', identity, { identity, epoch: 1 }))
    t.is(started.stopCause, undefined)
  })

  rule('rule 21: a graceful stop ends with the guest off', async (t, rig) => {
    const { guestImage, guestDeadline } = rig.fixture
    const { capabilities } = (await rig.hostListing()).host
    const identity = rig.identity()
    const stop = rig.onHost('StopMachine', identity, { identity, epoch: 1, mode: 'Graceful' })
    if (!capabilities.includes('GracefulStop') || guestImage === undefined) {
      await rig.perform(rig.define(identity, { power: 'Running' }))
      if (capabilities.includes('GracefulStop')) t.like(await rig.perform(stop), { identity })
      else await refused(t, rig.perform(stop), 'Unsupported')
      return
    }
    const volume = rig.identity()
    await rig.perform(rig.create(volume, { image: guestImage, sizeBytes: 0 }))
    const disks = [{ identity: volume, pool: rig.fixture.pool.key, name: 'root' }]
    const definition = rig.definition({ disks, memoryBytes: 256 * 1024 ** 2 })
    await rig.perform(rig.define(identity, { definition, power: 'Running' }))
    await rig.fixture.guestReady?.(identity)
    await rig.perform(stop)
    const isOff = (machine: { readonly powerState: string } | undefined) => machine?.powerState === 'Off'
    const ended = await rig.eventually(() => rig.machine(identity), isOff, guestDeadline)
    t.true(ended?.stopCause === 'Request' || ended?.stopCause === 'Guest', `stopCause ${ended?.stopCause}`)
  })

  rule('rule 22: a definition that needs what the host lacks is Unsupported and makes nothing', async (t, rig) => {
    const { capabilities } = (await rig.hostListing()).host
    const { segment } = rig.fixture
    const needs = {
      VirtualRouter: rig.definition({ role: 'VirtualRouter' }),
      SystemVM: rig.definition({ role: 'ConsoleProxy' }),
      SegmentVLAN: rig.definition({ nics: [plugged({ ...segment, isolation: 'VLAN', id: 100 })] }),
      SegmentVXLAN: rig.definition({ nics: [plugged({ ...segment, isolation: 'VXLAN', id: 5000 })] }),
    } as const
    for (const capability of ['VirtualRouter', 'SystemVM', 'SegmentVLAN', 'SegmentVXLAN'] as const) {
      const identity = rig.identity()
      const wish = rig.define(identity, { definition: needs[capability] })
      if (capabilities.includes(capability)) {
        t.like(await rig.perform(wish), { definition: needs[capability] })
      } else {
        await refused(t, rig.perform(wish), 'Unsupported')
        t.false((await rig.fixture.machines()).includes(identity), capability)
      }
    }
    const identity = rig.identity()
    const withData = rig.define(identity, { userData: 'user data' })
    if (capabilities.includes('UserData')) t.is((await rig.perform(withData)).identity, identity)
    else await refused(t, rig.perform(withData), 'Unsupported')
  })

  rule('rule 25: what an operation on a machine answers is what a listing after it says', async (t, rig) => {
    const { machine: identity } = await machineWithDisk(rig)
    const steps = [
      rig.define(identity, { mark: rig.mark('other'), epoch: 2 }),
      rig.onHost('StartMachine', identity, { identity, epoch: 3 }),
      rig.onHost('StopMachine', identity, { identity, epoch: 4, mode: 'Forced' }),
    ] as const
    for (const step of steps) {
      const answer = await rig.perform(step)
      t.not(answer, undefined, step.verb)
      t.deepEqual(await rig.machine(identity), answer, step.verb)
    }
  })

  rule('rule 26: the same machine defined ten times at once is one machine', async (t, rig) => {
    const identity = rig.identity()
    const wish = rig.define(identity, { power: 'Running' })
    await using other = rig.fixture.driver.connect(rig.fixture.host)
    const calls = Array.from({ length: 10 }, (_, index) =>
      index % 2 === 0 ? rig.perform(wish) : other.perform(wish, rig.options()),
    )
    for (const answer of await Promise.all(calls)) t.like(answer, { identity, powerState: 'Running' })
    t.deepEqual(await rig.fixture.machines(), [identity])
  })

  rule('rule 28: a router holds the configuration it was given until it stops', async (t, rig) => {
    const { capabilities } = (await rig.hostListing()).host
    const identity = rig.identity()
    const document = {
      guest: { cidr: '10.1.1.0/24', gateway: '10.1.1.1', domain: 'web.test', dns: ['192.0.2.53'] },
      dhcp: [{ macAddress: '02:00:00:00:00:01', address: '10.1.1.7', hostName: 'web', defaultRoute: true }],
      publicAddresses: [],
      portForwardings: [],
      firewall: { egressDefault: 'Deny' as const, rules: [] },
      userData: [],
    }
    const configure = rig.onHost('ConfigureRouter', identity, { identity, epoch: 1, hash: 'a', document })
    if (!capabilities.includes('VirtualRouter')) {
      await refused(t, rig.perform(configure), 'Unsupported')
      return
    }
    await refused(t, rig.perform(configure), 'NotFound')
    const definition = rig.definition({ role: 'VirtualRouter' })
    await rig.perform(rig.define(identity, { definition }))
    await refused(t, rig.perform(configure), 'FailedPrecondition')
    await rig.perform(rig.onHost('StartMachine', identity, { identity, epoch: 1 }))
    t.deepEqual((await rig.perform(configure)).router, { hash: 'a', document })
    t.deepEqual((await rig.machine(identity))?.router, { hash: 'a', document })
    t.deepEqual(await rig.perform(configure), await rig.machine(identity))
    await rig.perform(rig.onHost('StopMachine', identity, { identity, epoch: 1, mode: 'Forced' }))
    const restarted = await rig.perform(rig.onHost('StartMachine', identity, { identity, epoch: 1 }))
    t.is(restarted.router, undefined)
    const machine = rig.identity()
    await rig.perform(rig.define(machine, { power: 'Running' }))
    const wrong = rig.onHost('ConfigureRouter', machine, { identity: machine, epoch: 1, hash: 'a', document })
    await refused(t, rig.perform(wrong), 'InvalidArgument')
  })
}

/** Asserts that every verb on that machine is refused and that it stays as it is. */
async function untouchable(t: ExecutionContext, rig: Rig, identity: string): Promise<void> {
  const before = await rig.machine(identity)
  t.not(before, undefined)
  const wishes = [
    rig.define(identity, { epoch: 9 }),
    rig.onHost('StartMachine', identity, { identity, epoch: 9 }),
    rig.onHost('StopMachine', identity, { identity, epoch: 9, mode: 'Forced' }),
    rig.onHost('RemoveMachine', identity, { identity, epoch: 9 }),
  ]
  for (const wish of wishes) await refused(t, rig.perform(wish), 'FailedPrecondition')
  t.deepEqual(await rig.machine(identity), before)
}

async function machineWithDisk(rig: Rig): Promise<{ readonly machine: string; readonly volume: string }> {
  const [machine, volume] = [rig.identity(), rig.identity()]
  await rig.perform(rig.create(volume))
  const disks = [{ identity: volume, pool: rig.fixture.pool.key, name: 'root' }]
  await rig.perform(rig.define(machine, { definition: rig.definition({ disks }) }))
  return { machine, volume }
}

function nic(rig: Rig, name: string, macAddress: string, addresses: readonly string[]): MachineNIC {
  return { name, macAddress, segment: rig.fixture.segment, addresses }
}

function plugged(segment: MachineNIC['segment']): MachineNIC {
  return { name: 'web', macAddress: '02:00:00:00:00:01', segment, addresses: [] }
}
