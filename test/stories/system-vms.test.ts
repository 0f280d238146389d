import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { HostPod } from '../../crds/infrastructure/host-pod.ts'
import { SystemVM } from '../../crds/infrastructure/system-vm.ts'
import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { conditionOf } from '../../crds/meta.ts'
import { SharedNetwork } from '../../crds/network/shared-network.ts'
import { Cloud, quickstart } from './cloud.ts'

test('SYS-024 SYS-029 SYS-045 SYS-061 a zone that wishes a console proxy gets one with a system and a public address, and a new one when it is destroyed', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.patch(Zone, 'zone-a', undefined, { consoleProxy: 'SystemVM' })
  const isUp = async () => {
    const zone = await cloud.get(Zone, 'zone-a')
    return zone !== undefined && conditionOf(zone, 'ConsoleAvailable')?.reason === 'CarriedBySystemVM'
  }
  await cloud.until(isUp)
  const [proxy] = await cloud.list(SystemVM)
  t.regex(proxy?.status?.managementAddress ?? '', /^172\.16\.10\.(1\d|[2-5]\d|60)$/)
  t.regex(proxy?.status?.publicAddress ?? '', /^192\.0\.2\.1\d\d$/)
  await cloud.until(async () => {
    const pod = await cloud.get(HostPod, 'pod-1')
    return pod?.status?.capacity?.find(({ resource }) => resource === 'SystemIP')?.allocated === '1'
  })
  await cloud.delete(SystemVM, proxy?.metadata.name ?? '')
  await cloud.until(async () => {
    const [now] = await cloud.list(SystemVM)
    return now !== undefined && now.metadata.uid !== proxy?.metadata.uid && (await isUp())
  })
  await cloud.patch(Zone, 'zone-a', undefined, { consoleProxy: 'Disabled' })
  await cloud.until(async () => (await cloud.list(SystemVM)).length === 0)
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

const shared = `
apiVersion: network.skystead.dev/v1alpha1
kind: NetworkOffering
metadata: {name: shared}
spec:
  guestType: Shared
  services: [{name: DHCP, provider: VirtualRouter}, {name: DNS, provider: VirtualRouter}]
---
apiVersion: network.skystead.dev/v1alpha1
kind: SharedNetwork
metadata: {name: campus}
spec:
  zoneName: zone-a
  physicalNetworkName: zone-a-fabric
  networkOfferingName: shared
  cidr: 10.20.0.0/24
  gateway: 10.20.0.1
  addresses: [10.20.0.0-10.20.0.19]
  vlan: 850
---
apiVersion: compute.skystead.dev/v1alpha1
kind: VirtualMachine
metadata: {name: desk, namespace: shop}
spec:
  zoneName: zone-a
  serviceOfferingName: small
  templateRef: {kind: PublicTemplate, name: tiny-linux}
  nics: [{name: campus, sharedNetworkName: campus}]
`

test('NET-045 NET-047 a shared network serves machines of tenants from its range, by a router with an address of its own', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart, shared)
  await cloud.untilReady()
  const campus = await cloud.get(SharedNetwork, 'campus')
  const capacity = campus?.status?.capacity?.find(({ resource }) => resource === 'GuestIP')
  t.is(capacity?.total, '18')
  t.is(capacity?.allocated, '2')
  const desk = await cloud.get(VirtualMachine, 'desk', 'shop')
  t.regex(desk?.status?.nics?.[0]?.ipAddress ?? '', /^10\.20\.0\.([2-9]|1\d)$/)
  const router = cloud.simulator.world
    .list()
    .machines.find(
      ({ facts }) => facts.mark?.kind === VirtualRouter.kind && facts.mark.name === campus?.status?.routerName,
    )
  const [inner] = router?.facts.definition.nics ?? []
  t.is(inner?.segment.id, 850)
  t.not(inner?.addresses[0], '10.20.0.1')
  t.is(router?.facts.router?.document.guest.gateway, '10.20.0.1')
  await cloud.delete(VirtualMachine, 'desk', 'shop')
  await cloud.delete(SharedNetwork, 'campus')
  await cloud.until(async () => (await cloud.list(SharedNetwork)).length === 0)
  t.false((await cloud.list(VirtualRouter)).some(({ metadata }) => metadata.name === campus?.status?.routerName))
})
