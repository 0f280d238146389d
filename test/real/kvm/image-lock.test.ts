import test from 'ava'
import { DriverError } from '../../../drivers/contract/errors.ts'
import type { MachineDisk } from '../../../drivers/contract/facts.ts'
import { Rig } from '../../drivers/conformance-rig.ts'
import { skipped } from '../../skipped.ts'
import { missingForGuests } from '../lab/libvirt.ts'
import { startKVMFixture } from './fixture.ts'

const missing = missingForGuests()

if (missing.length > 0) {
  skipped(test, 'the image lock on KVM', missing)
} else {
  test('VM-053 a directory pool: QEMU itself refuses a second writer of a disk, whichever domain it is', async t => {
    t.timeout(240_000)
    await using rig = new Rig(await startKVMFixture())
    const [disk, first, second] = [rig.identity(), rig.identity(), rig.identity()]
    await rig.perform(rig.create(disk))
    const disks: readonly MachineDisk[] = [{ identity: disk, pool: rig.fixture.pool.key, name: 'root' }]
    const definition = rig.definition({ disks })
    t.is((await rig.perform(rig.define(first, { definition, power: 'Running' }))).powerState, 'Running')
    const error = await rig
      .perform(rig.define(second, { definition, mark: rig.mark('other'), power: 'Running' }))
      .catch((reason: unknown) => reason)
    t.true(error instanceof DriverError)
    t.log(error instanceof DriverError ? `${error.code}: ${error.message}` : '')
    t.is((await rig.machine(first))?.powerState, 'Running')
    t.not((await rig.machine(second))?.powerState, 'Running')

    await rig.perform(rig.onHost('StopMachine', first, { identity: first, epoch: 1, mode: 'Forced' }))
    const later = await rig.converge(rig.define(second, { definition, mark: rig.mark('other'), power: 'Running' }))
    t.is(later.powerState, 'Running', 'the lock goes with the process that held it')
  })
}
