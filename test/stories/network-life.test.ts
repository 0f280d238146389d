import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import { Network } from '../../crds/network/network.ts'
import { PublicIP } from '../../crds/network/public-ip.ts'
import { Volume } from '../../crds/storage/volume.ts'
import { Cloud, quickstart, withoutTrash } from './cloud.ts'

function routerOf(cloud: Cloud) {
  return cloud.simulator.world.list().machines.find(({ facts }) => facts.mark?.kind === VirtualRouter.kind)?.facts
}

test('SYS-045 SYS-091 SYS-094 SYS-101 a router that is deleted is made anew, with everything it served', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const before = routerOf(cloud)
  const [router] = await cloud.list(VirtualRouter)
  await cloud.delete(VirtualRouter, router?.metadata.name ?? '')
  await cloud.until(async () => {
    const [now] = await cloud.list(VirtualRouter)
    return now !== undefined && now.metadata.uid !== router?.metadata.uid
  })
  await cloud.untilReady()
  const after = routerOf(cloud)
  t.not(after?.identity, before?.identity)
  t.deepEqual(after?.router, before?.router)
  t.is(after?.router?.document.dhcp.length, 2)
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('NET-138 the source NAT address stays with its network: deleted by hand it is made anew', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const before = await cloud.get(PublicIP, 'web-source-nat', 'shop')
  await cloud.delete(PublicIP, 'web-source-nat', 'shop')
  await cloud.until(async () => {
    const now = await cloud.get(PublicIP, 'web-source-nat', 'shop')
    return now !== undefined && now.metadata.uid !== before?.metadata.uid
  })
  await cloud.untilReady()
  await cloud.until(async () => {
    const network = await cloud.get(Network, 'web', 'shop')
    const source = routerOf(cloud)?.router?.document.publicAddresses.find(({ sourceNAT }) => sourceNAT)
    return source !== undefined && source.address === network?.status?.sourceNATAddress
  })
  const publicIP = await cloud.get(PublicIP, 'web-source-nat', 'shop')
  t.is(publicIP?.status?.address, (await cloud.get(Network, 'web', 'shop'))?.status?.sourceNATAddress)
})

test('VM-037 VM-040 VM-043 STO-077 STO-136 machines destroyed at once: addresses and root disks go, data disks stay; stops keep disks', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const disks = () =>
    cloud.simulator.world
      .list()
      .volumes.map(({ facts }) => facts.identity)
      .toSorted()
  const before = disks()
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Halted' })
  await cloud.untilReady()
  t.is((await cloud.get(VirtualMachine, 'web-1', 'shop'))?.status?.powerState, 'Off')
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Always' })
  await cloud.untilReady()
  t.deepEqual(disks(), before)
  const data = await cloud.get(Volume, 'web-2-data', 'shop')
  for (const name of ['web-1', 'web-2']) await cloud.delete(VirtualMachine, name, 'shop')
  await cloud.until(async () => (await cloud.list(VirtualMachine)).length === 0)
  await cloud.until(async () => (await cloud.list(Volume)).length === 1)
  t.deepEqual(disks(), [data?.metadata.uid])
  const left = (await cloud.list(Allocation)).filter(({ spec }) => spec.type === 'IP' || spec.type === 'Attachment')
  t.deepEqual(left, [])
})

const rooms = ['a', 'b', 'c'].map(
  name => `
apiVersion: network.skystead.dev/v1alpha1
kind: Network
metadata: {name: room-${name}, namespace: shop}
spec: {zoneName: zone-a, networkOfferingName: isolated-source-nat, cidr: 10.5.0.0/24}
---
apiVersion: compute.skystead.dev/v1alpha1
kind: VirtualMachine
metadata: {name: desk-${name}, namespace: shop}
spec:
  zoneName: zone-a
  serviceOfferingName: small
  templateRef: {kind: PublicTemplate, name: tiny-linux}
  nics: [{name: room, networkName: room-${name}}]
`,
)

test('NET-028 NET-044 NET-061 NET-062 OFF-089 networks of the same subnet are apart; unused for 10 minutes they give all back; deleted at once they go', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart, ...rooms)
  await cloud.untilReady()
  const segments = (await cloud.list(Network)).map(({ status }) => status?.segment)
  t.is(new Set(segments).size, 4)
  t.true(segments.every(segment => Number(segment) >= 5000 && Number(segment) <= 5999))
  for (const name of ['a', 'b', 'c']) await cloud.delete(VirtualMachine, `desk-${name}`, 'shop')
  await cloud.until(async () => (await cloud.list(VirtualMachine)).length === 2)
  await cloud.advance(500_000)
  t.is((await cloud.list(VirtualRouter)).length, 4)
  await cloud.advance(200_000)
  t.is((await cloud.list(VirtualRouter)).length, 1)
  t.is((await cloud.list(Allocation)).filter(({ spec }) => spec.type === 'Segment').length, 1)
  await cloud.untilReady()
  for (const name of ['a', 'b', 'c']) await cloud.delete(Network, `room-${name}`, 'shop')
  await cloud.until(async () => (await cloud.list(Network)).length === 1)
  await cloud.untilReady()
  t.deepEqual(cloud.simulator.world.invariants(), [])
})
