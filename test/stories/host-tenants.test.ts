import test from 'ava'
import { ServiceOffering } from '../../crds/compute/service-offering.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { conditionOf, type Resource } from '../../crds/meta.ts'
import { Cloud, quickstart } from './cloud.ts'
import { simulatedHost } from './manifests.ts'

const lostHosts = 1_000
/** Machines by tenant. A namespace stands for a tenant. */
const tenants = { large: 60, medium: 20, small: 3 }
const machines = 83

function host(name: string, index: number, memory: string) {
  const address = `172.16.${20 + Math.floor(index / 200)}.${(index % 200) + 1}`
  return simulatedHost(name, address, { cores: 16, memory })
}

const tiny = {
  apiVersion: ServiceOffering.apiVersion,
  kind: ServiceOffering.kind,
  metadata: { name: 'tiny' },
  spec: { cores: 1, clockMHz: 100, memory: '1Gi', highlyAvailable: true, rootDiskSize: '1Gi' },
}

const tenancies = Object.entries(tenants).flatMap(([namespace, count]) => [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  ...Array.from({ length: count }, (_, index) => ({
    apiVersion: VirtualMachine.apiVersion,
    kind: VirtualMachine.kind,
    metadata: { name: `app-${index}`, namespace },
    spec: {
      zoneName: 'zone-a',
      serviceOfferingName: 'tiny',
      templateRef: { kind: 'PublicTemplate', name: 'tiny-linux' },
      placement: { clusterName: 'cluster-1' },
      nics: [],
    },
  })),
])

/** How many machines of each tenant run, on whatever host. */
function running(cloud: Cloud): Readonly<Record<string, number>> {
  const marks = cloud.simulator.world
    .list()
    .machines.filter(({ facts }) => facts.powerState === 'Running')
    .map(({ facts }) => facts.mark?.namespace ?? '')
  return Object.fromEntries(Object.keys(tenants).map(name => [name, marks.filter(mark => mark === name).length]))
}

function waitingForRoom(cloud: Cloud): number {
  const all = [...cloud.engine.desired.all(VirtualMachine)] as Resource[]
  return all.filter(machine => conditionOf(machine, 'Scheduled')?.reason === 'NoHostFits').length
}

function isRunning(cloud: Cloud): boolean {
  return Object.values(running(cloud)).reduce((sum, count) => sum + count) === machines
}

/** Lets time pass in steps of 5 s: a cloud of this size is not looked at more often. */
async function untilSo(cloud: Cloud, holds: () => boolean): Promise<void> {
  const end = cloud.environment.clock.monotonic() + 900_000
  while (!holds()) {
    if (cloud.environment.clock.monotonic() >= end) throw new Error(`Not so after 900 virtual seconds: ${holds}`)
    await cloud.advance(5_000)
  }
}

test('OPS-102 1,000 hosts are lost at once: tenants take turns for what room there is, and in the end every machine runs once', async t => {
  t.timeout(600_000)
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart.replace(/---[^-]*kind: VirtualMachine[\s\S]*?(?=---|$)/g, ''), tiny)
  for (const name of ['host-1', 'host-2']) await cloud.patch(Host, name, undefined, { allocationState: 'Disabled' })
  const names = Array.from({ length: lostHosts }, (_, index) => `lost-${index}`)
  await cloud.apply(...names.map((name, index) => host(name, index, '1Gi')), ...tenancies)
  await untilSo(cloud, () => isRunning(cloud))

  for (const name of names) cloud.simulator.world.killHost(name)
  await untilSo(cloud, () => waitingForRoom(cloud) === machines)
  t.deepEqual(running(cloud), { large: 0, medium: 0, small: 0 })

  await cloud.apply(host('refuge-1', lostHosts, '10Gi'))
  await untilSo(cloud, () => waitingForRoom(cloud) === machines - 9)
  await cloud.advance(60_000)
  t.deepEqual(running(cloud), { large: 3, medium: 3, small: 3 })

  await cloud.apply(host('refuge-2', lostHosts + 1, '128Gi'))
  await untilSo(cloud, () => waitingForRoom(cloud) === 0)
  await cloud.advance(60_000)
  t.deepEqual(running(cloud), tenants)
  const again = cloud.simulator.world.list().machines.filter(({ facts }) => facts.powerState === 'Running')
  t.is(new Set(again.map(({ identity }) => identity)).size, again.length)
  t.deepEqual(cloud.simulator.world.invariants(), [])
})
