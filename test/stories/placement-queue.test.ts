import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { conditionOf } from '../../crds/meta.ts'
import { Cloud, quickstart, withoutTrash } from './cloud.ts'
import { runsOn } from './incidents.ts'
import { machine } from './manifests.ts'

function offering(name: string, memory: string, more = ''): string {
  return `
apiVersion: compute.skystead.dev/v1alpha1
kind: ServiceOffering
metadata: {name: ${name}}
spec: {cores: 1, clockMHz: 100, memory: ${memory}${more}}
`
}

for (const [what, more] of [
  ['a machine larger than any host', ''],
  ['a machine whose tag no host has', ', hostTags: [gpu]'],
] as const) {
  test(`${what} holds back nobody who waits behind it: what is freed is theirs within seconds`, async t => {
    await using cloud = await Cloud.start()
    await cloud.apply(withoutTrash, quickstart)
    await cloud.untilReady()
    await cloud.apply(offering('never', more === '' ? '1Ti' : '1Gi', more), offering('half', '40Gi'))
    await cloud.apply(machine('never', { serviceOfferingName: 'never' }))
    await cloud.apply(
      machine('first', { serviceOfferingName: 'half' }),
      machine('second', { serviceOfferingName: 'half' }),
    )
    await cloud.until(async () => runsOn(cloud, 'first').length === 1 && runsOn(cloud, 'second').length === 1)
    await cloud.apply(machine('third', { serviceOfferingName: 'half' }))
    await cloud.advance(30_000)
    const waiting = await cloud.get(VirtualMachine, 'third', 'shop')
    t.is(conditionOf(waiting ?? {}, 'Scheduled')?.reason, 'NoHostFits')
    await cloud.delete(VirtualMachine, 'first', 'shop')
    await cloud.until(async () => (await cloud.get(VirtualMachine, 'first', 'shop')) === undefined)
    await cloud.until(async () => runsOn(cloud, 'third').length === 1, 15_000)
    t.deepEqual(runsOn(cloud, 'never'), [])
  })
}
