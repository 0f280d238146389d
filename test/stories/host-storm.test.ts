import test from 'ava'
import { ServiceOffering } from '../../crds/compute/service-offering.ts'
import { VirtualMachine, type VirtualMachineStatus } from '../../crds/compute/virtual-machine.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { conditionOf, type Resource } from '../../crds/meta.ts'
import { Cloud, quickstart } from './cloud.ts'
import { simulatedHost } from './manifests.ts'

const machines = 1_000

const big = { cores: 512, memory: '2Ti' }

function machineManifest(index: number) {
  return {
    apiVersion: VirtualMachine.apiVersion,
    kind: VirtualMachine.kind,
    metadata: { name: `crowd-${index}`, namespace: 'shop' },
    spec: {
      zoneName: 'zone-a',
      serviceOfferingName: index % 2 === 0 ? 'tiny' : 'urgent',
      templateRef: { kind: 'PublicTemplate', name: 'tiny-linux' },
      placement: { clusterName: 'cluster-1' },
      nics: [],
    },
  }
}

const offering = (name: string, restartPriority: string) => ({
  apiVersion: ServiceOffering.apiVersion,
  kind: ServiceOffering.kind,
  metadata: { name },
  spec: { cores: 1, clockMHz: 500, memory: '256Mi', highlyAvailable: true, restartPriority, rootDiskSize: '1Gi' },
})

/** Lets time pass until every machine of the crowd is Ready on one of the hosts. Looks into the cache: the crowd is large. */
async function untilReadyOn(cloud: Cloud, hosts: readonly string[], limit: number): Promise<void> {
  const end = cloud.environment.clock.monotonic() + limit
  for (;;) {
    const crowd = [...cloud.engine.desired.all(VirtualMachine)] as Resource<unknown, VirtualMachineStatus>[]
    const ready = crowd.filter(
      machine => hosts.includes(machine.status?.hostName ?? '') && conditionOf(machine, 'Ready')?.status === 'True',
    )
    if (ready.length >= machines) return
    if (cloud.environment.clock.monotonic() >= end) throw new Error(`only ${ready.length} are Ready on ${hosts.join()}`)
    await cloud.advance(1_000)
  }
}

test('OPS-102 HST-100 a host with 1,000 machines dies: all are Ready elsewhere within a minute, none runs twice', async t => {
  t.timeout(840_000)
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart, offering('tiny', 'Low'), offering('urgent', 'High'))
  await cloud.untilReady()
  await cloud.patch(HostCluster, 'cluster-1', undefined, { hostFailure: { fencing: 'Automatic' } })
  for (const name of ['host-1', 'host-2']) await cloud.patch(Host, name, undefined, { allocationState: 'Disabled' })
  await cloud.apply(simulatedHost('big-1', '172.16.10.151', big))
  await cloud.untilReady()
  await cloud.apply(...Array.from({ length: machines }, (_, index) => machineManifest(index)))
  await untilReadyOn(cloud, ['big-1'], 600_000)
  await cloud.apply(simulatedHost('big-2', '172.16.10.152', big), simulatedHost('big-3', '172.16.10.153', big))
  await cloud.until(async () => {
    const hosts = await cloud.list(Host)
    return hosts.filter(host => conditionOf(host, 'Connected')?.status === 'True').length === 5
  })

  cloud.simulator.world.killHost('big-1')
  await cloud.until(async () => {
    const host = await cloud.get(Host, 'big-1')
    return host !== undefined && conditionOf(host, 'LossContained')?.reason === 'Fenced'
  })
  const detected = cloud.environment.clock.monotonic()
  await untilReadyOn(cloud, ['big-2', 'big-3'], 60_000)
  t.log(
    `${machines} machines Ready elsewhere ${(cloud.environment.clock.monotonic() - detected) / 1000} s after the fence`,
  )
  const running = cloud.simulator.world.list().machines.filter(({ facts }) => facts.powerState === 'Running')
  t.is(new Set(running.map(({ identity }) => identity)).size, running.length)
  t.deepEqual(cloud.simulator.world.invariants(), [])
})
