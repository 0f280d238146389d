/** Rules about taking over what is there, and giving it back (drivers/README.md). */
import { randomUUID } from 'node:crypto'
import type { MachineDefinition } from '../../drivers/contract/facts.ts'
import { type Rig, type Rule, refused } from './conformance-rig.ts'

const others = { installation: 'somebody-else', kind: 'VirtualMachine', namespace: 'shop', name: 'web' }

async function foundAs(rig: Rig, identity: string): Promise<MachineDefinition> {
  const facts = await rig.machine(identity)
  if (facts === undefined) throw new Error(`Cannot find machine ${identity}`)
  return { ...facts.definition, guestHostName: 'adopted' }
}

function adopt(rig: Rig, identity: string, definition: MachineDefinition, epoch = 3) {
  return rig.onHost('AdoptMachine', identity, { identity, epoch, mark: rig.mark('adopted'), definition })
}

/** The rules of `AdoptMachine`, `ReleaseMachine`, `AdoptVolume` and `ReleaseVolume`. */
export function adoptionRules(rule: Rule): void {
  rule('rule 35: a machine without a mark is taken over as it is, again and again the same', async (t, rig) => {
    const identity = await rig.fixture.addForeignMachine(undefined)
    const before = await rig.machine(identity)
    const definition = await foundAs(rig, identity)
    const adopted = await rig.perform(adopt(rig, identity, definition))
    t.deepEqual(adopted.mark, rig.mark('adopted'))
    t.deepEqual(adopted.definition, definition)
    t.is(adopted.epoch, 3)
    t.is(adopted.powerState, before?.powerState ?? 'Unknown')
    t.deepEqual(await rig.perform(adopt(rig, identity, definition)), adopted)
    t.deepEqual(await rig.machine(identity), adopted)
    await refused(t, rig.perform(adopt(rig, identity, definition, 2)), 'StaleEpoch')
    await rig.perform(rig.onHost('RemoveMachine', identity, { identity, epoch: 3 }))
    t.is(await rig.machine(identity), undefined)
  })

  rule(
    'rule 35: what is described otherwise than it is, is missing or is not free, is not taken over',
    async (t, rig) => {
      const identity = await rig.fixture.addForeignMachine(undefined)
      const before = await rig.machine(identity)
      const definition = await foundAs(rig, identity)
      const disk = { identity: randomUUID(), pool: rig.fixture.pool.key, name: 'root' }
      const nic = { name: 'a', macAddress: '02:00:00:00:00:07', segment: rig.fixture.segment, addresses: [] }
      const changes: readonly Partial<MachineDefinition>[] = [
        { cores: definition.cores + 1 },
        { memoryBytes: definition.memoryBytes * 2 },
        { disks: [disk] },
        { nics: [nic] },
      ]
      for (const change of changes) {
        const wish = adopt(rig, identity, { ...definition, ...change })
        await refused(t, rig.perform(wish), 'InvalidArgument', 'FailedPrecondition')
      }
      t.deepEqual(await rig.machine(identity), before)
      const missing = rig.identity()
      await refused(t, rig.perform(adopt(rig, missing, definition)), 'NotFound')
      const theirs = await rig.fixture.addForeignMachine(others)
      const wish = adopt(rig, theirs, await foundAs(rig, theirs))
      await refused(t, rig.perform(wish), 'FailedPrecondition')
      t.deepEqual((await rig.machine(theirs))?.mark, others)
    },
  )

  rule('rule 36: a machine is given back as it is and is then nobody’s; a missing one is a success', async (t, rig) => {
    const identity = rig.identity()
    const release = (epoch: number) => rig.onHost('ReleaseMachine', identity, { identity, epoch })
    t.is(await rig.perform(release(1)), undefined)
    const made = await rig.perform(rig.define(identity, { epoch: 4, power: 'Running' }))
    await refused(t, rig.perform(release(3)), 'StaleEpoch')
    const released = await rig.perform(release(4))
    t.is(released?.mark, undefined)
    t.is(released?.epoch, 0)
    t.is(released?.powerState, 'Running')
    t.is(released?.definition.cores, made.definition.cores)
    t.deepEqual(await rig.perform(release(4)), released)
    const stop = rig.onHost('StopMachine', identity, { identity, epoch: 9, mode: 'Forced' })
    await refused(t, rig.perform(stop), 'FailedPrecondition')
    t.is((await rig.machine(identity))?.powerState, 'Running')
    await rig.perform(adopt(rig, identity, await foundAs(rig, identity), 1))
    t.is((await rig.machine(identity))?.powerState, 'Running')
    const theirs = await rig.fixture.addForeignMachine(others)
    const wish = rig.onHost('ReleaseMachine', theirs, { identity: theirs, epoch: 9 })
    await refused(t, rig.perform(wish), 'FailedPrecondition')
  })

  rule('rule 35, rule 36: a volume is taken over where it lies, and left there', async (t, rig) => {
    if (rig.fixture.addForeignVolume === undefined) {
      t.pass('the fixture cannot make one')
      return
    }
    const identity = await rig.fixture.addForeignVolume(undefined)
    const before = await rig.volume(identity)
    const mark = rig.mark('data', 'Volume')
    const take = (epoch: number) => rig.onPool('AdoptVolume', identity, { identity, epoch, mark })
    const release = (epoch: number) => rig.onPool('ReleaseVolume', identity, { identity, epoch })
    const adopted = await rig.perform(take(3))
    t.deepEqual(adopted, { ...adopted, mark, epoch: 3, sizeBytes: before?.sizeBytes ?? 0 })
    t.deepEqual(await rig.perform(take(3)), adopted)
    t.deepEqual(await rig.volume(identity), adopted)
    await refused(t, rig.perform(take(2)), 'StaleEpoch')
    await refused(t, rig.perform(release(2)), 'StaleEpoch')
    t.is((await rig.perform(release(3)))?.mark, undefined)
    t.is((await rig.perform(release(3)))?.mark, undefined)
    t.is((await rig.volume(identity))?.epoch, 0)
    const remove = rig.onPool('DeleteVolume', identity, { identity, epoch: 9 })
    await refused(t, rig.perform(remove), 'FailedPrecondition')
    t.not(await rig.volume(identity), undefined)
    const missing = rig.identity()
    const lost = rig.onPool('AdoptVolume', missing, { identity: missing, epoch: 1, mark })
    await refused(t, rig.perform(lost), 'NotFound')
    t.is(await rig.perform(rig.onPool('ReleaseVolume', missing, { identity: missing, epoch: 1 })), undefined)
    const theirs = await rig.fixture.addForeignVolume({ ...others, kind: 'Volume' })
    const steal = rig.onPool('AdoptVolume', theirs, { identity: theirs, epoch: 9, mark })
    const free = rig.onPool('ReleaseVolume', theirs, { identity: theirs, epoch: 9 })
    for (const wish of [steal, free]) await refused(t, rig.perform(wish), 'FailedPrecondition')
  })

  rule('rule 36: a volume in the trash is not given back', async (t, rig) => {
    const identity = rig.identity()
    await rig.perform(rig.create(identity))
    await rig.perform(rig.onPool('TrashVolume', identity, { identity, epoch: 1, at: '2026-11-20T12:00:00Z' }))
    await refused(t, rig.perform(rig.onPool('ReleaseVolume', identity, { identity, epoch: 1 })), 'FailedPrecondition')
  })
}
