/** Somebody's machine that runs beside the cloud, and the manifests that take it over. */
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { conditionOf } from '../../crds/meta.ts'
import type { MachineFacts, VolumeFacts } from '../../drivers/contract/facts.ts'
import { Cloud, quickstart, withoutTrash } from './cloud.ts'

const gibibyte = 1024 ** 3
/** Identities of the machine and of its two disks. */
export const machine = '6f0c0000-0000-4000-8000-000000000001'
export const root = '6f0c0000-0000-4000-8000-000000000002'
export const data = '6f0c0000-0000-4000-8000-000000000003'

/** A cloud beside which somebody runs a machine with two disks, on the bridge of the zone's guests. */
export async function withForeigner(mark?: MachineFacts['mark']): Promise<Cloud> {
  const cloud = await Cloud.start()
  await cloud.apply(quickstart, withoutTrash)
  await cloud.untilReady()
  runForeigner(cloud, (await cloud.get(PrimaryStorage, 'primary-1'))?.metadata.uid ?? '', mark)
  await cloud.advance(5_000)
  return cloud
}

/** Somebody runs a machine with two disks in a pool. */
export function runForeigner(cloud: Cloud, pool: string, mark?: MachineFacts['mark']): void {
  const key = `PrimaryStorage/${pool}` as const
  const { world } = cloud.simulator
  for (const identity of [root, data]) world.addForeignVolume('primary-1', { identity, sizeBytes: 2 * gibibyte })
  world.addForeignMachine('host-1', {
    identity: machine,
    ...(mark === undefined ? {} : { mark }),
    definition: {
      cores: 2,
      memoryBytes: gibibyte,
      guestHostName: 'old-web',
      disks: [
        { identity: root, pool: key, name: 'vda' },
        { identity: data, pool: key, name: 'vdb' },
      ],
      nics: [
        {
          name: 'net0',
          macAddress: '52:54:00:00:00:01',
          segment: { network: '', isolation: 'VXLAN', id: 5900, label: 'guest0' },
          addresses: [],
        },
      ],
    },
  })
}

function identityOf(kind: string, group: string, name: string, identity: string): string {
  return `
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: Allocation
metadata: {name: identity-${identity}}
spec: {type: Identity, value: ${identity}, holder: {group: ${group}, kind: ${kind}, namespace: shop, name: ${name}, uid: ""}}
`
}

/** Allocations that give them to the objects. */
export const identities = [
  identityOf('VirtualMachine', 'compute.skystead.dev', 'old-web', machine),
  identityOf('Volume', 'storage.skystead.dev', 'old-web-root', root),
  identityOf('Volume', 'storage.skystead.dev', 'old-web-data', data),
]

/** The network that its NIC is plugged into, as an object, and the offerings that fit. */
export const shared = `
apiVersion: compute.skystead.dev/v1alpha1
kind: ServiceOffering
metadata: {name: custom-2}
spec: {cores: 2, clockMHz: 1000, memory: 1Gi}
---
apiVersion: network.skystead.dev/v1alpha1
kind: NetworkOffering
metadata: {name: l2-vlan}
spec: {guestType: L2, specifyVLAN: true}
---
apiVersion: network.skystead.dev/v1alpha1
kind: Network
metadata: {name: old-net, namespace: shop}
spec: {zoneName: zone-a, networkOfferingName: l2-vlan, vlan: 5900}
`

/** The Volume of a disk. */
export function volume(name: string, identity: string, management = ''): string {
  return `
apiVersion: storage.skystead.dev/v1alpha1
kind: Volume
metadata: {name: ${name}, namespace: shop, annotations: {skystead.dev/identity: ${identity}}}
spec: {zoneName: zone-a, size: 2Gi${management}}
`
}

/** The VirtualMachine, as it really is but for these parts. */
export function described(parts: { readonly memory?: string; readonly management?: string } = {}): string {
  const { management = '' } = parts
  return `
apiVersion: compute.skystead.dev/v1alpha1
kind: VirtualMachine
metadata: {name: old-web, namespace: shop, annotations: {skystead.dev/identity: ${machine}}}
spec:
  zoneName: zone-a
  serviceOfferingName: ${parts.memory === undefined ? 'custom-2' : 'small'}
  rootVolume: {volumeName: old-web-root}
  volumes: [{name: data, volumeName: old-web-data}]
  nics: [{name: eth0, networkName: old-net, macAddress: "52:54:00:00:00:01"}]${management}
`
}

/** What a spec says of an object that is to be given back. */
export const orphan = '\n  management: {deletionPolicy: Orphan}'

/** What its host has of a machine. */
export function factsOf(cloud: Cloud, identity = machine): MachineFacts | undefined {
  return cloud.simulator.world.list().machines.find(({ facts }) => facts.identity === identity)?.facts
}

/** What its pool has of a disk. */
export function diskOf(cloud: Cloud, identity: string): VolumeFacts | undefined {
  return cloud.simulator.world.list().volumes.find(({ facts }) => facts.identity === identity)?.facts
}

/** What was done to the machine and its disks since then, by verb. */
export function doneSince(cloud: Cloud, sequence: number): readonly string[] {
  const ours = new Set([machine, root, data])
  return cloud.simulator.world.journal
    .since(sequence)
    .filter(({ identity, source, outcome }) => source === 'Operation' && outcome === 'Done' && ours.has(identity))
    .map(({ action }) => action)
}

/** Why a condition of the machine that is taken over is as it is. */
export async function reasonOf(cloud: Cloud, type: string): Promise<string | undefined> {
  return conditionOf((await cloud.get(VirtualMachine, 'old-web', 'shop')) ?? {}, type)?.reason
}
