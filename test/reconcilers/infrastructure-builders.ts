/** Builders of operators' resources, as in the quickstart unless a test says otherwise. */
import { Host, type HostSpec } from '../../crds/infrastructure/host.ts'
import { HostCluster, type HostClusterSpec } from '../../crds/infrastructure/host-cluster.ts'
import { HostPod, type HostPodSpec } from '../../crds/infrastructure/host-pod.ts'
import { PhysicalNetwork, type PhysicalNetworkSpec } from '../../crds/infrastructure/physical-network.ts'
import { PrimaryStorage, type PrimaryStorageSpec } from '../../crds/infrastructure/primary-storage.ts'
import { PublicIPRange, type PublicIPRangeSpec } from '../../crds/infrastructure/public-ip-range.ts'
import { SecondaryStorage, type SecondaryStorageSpec } from '../../crds/infrastructure/secondary-storage.ts'
import { defaultSettings, Settings, type SettingsSpec } from '../../crds/infrastructure/settings.ts'
import { SystemVM, type SystemVMSpec } from '../../crds/infrastructure/system-vm.ts'
import { VirtualRouter, type VirtualRouterSpec } from '../../crds/infrastructure/virtual-router.ts'
import { Zone, type ZoneSpec } from '../../crds/infrastructure/zone.ts'
import { allocatable, type Changes, maintainable, managed, resource } from './resource-builder.ts'

/** Settings `default` with the schema's defaults. */
export function settings(changes: Changes<SettingsSpec> = {}) {
  return resource(Settings, { name: 'default', spec: defaultSettings }, changes)
}

/** Zone `zone-a`, Advanced. */
export function zone(changes: Changes<ZoneSpec> = {}) {
  const spec: ZoneSpec = {
    ...maintainable,
    networkType: 'Advanced',
    publicDNS: ['192.0.2.53'],
    internalDNS: ['172.16.0.53'],
    guestCIDR: '10.1.1.0/24',
    networkDomain: 'zone-a.cloud.internal',
    consoleProxy: 'Disabled',
  }
  return resource(Zone, { name: 'zone-a', spec }, changes)
}

/** PhysicalNetwork `fabric` of zone-a: VXLAN 5000-5999, all traffic. */
export function physicalNetwork(changes: Changes<PhysicalNetworkSpec> = {}) {
  const spec: PhysicalNetworkSpec = {
    ...allocatable,
    zoneName: 'zone-a',
    isolation: 'VXLAN',
    segments: ['5000-5999'],
    traffic: [
      { type: 'Management', label: 'mgmt0', labels: [] },
      { type: 'Public', label: 'public0', labels: [] },
      { type: 'Guest', label: 'guest0', labels: [] },
      { type: 'Storage', label: 'storage0', labels: [] },
    ],
    tags: [],
  }
  return resource(PhysicalNetwork, { name: 'fabric', spec }, changes)
}

/** HostPod `pod-1` of zone-a: 172.16.10.0/24. */
export function pod(changes: Changes<HostPodSpec> = {}) {
  const spec: HostPodSpec = {
    ...maintainable,
    zoneName: 'zone-a',
    cidr: '172.16.10.0/24',
    gateway: '172.16.10.1',
    systemIPRanges: [{ addresses: '172.16.10.10-172.16.10.60' }],
    storageIPRanges: [],
  }
  return resource(HostPod, { name: 'pod-1', spec }, changes)
}

/** HostCluster `cluster-1` of pod-1: Simulator, CPU promised twice, memory once. */
export function cluster(changes: Changes<HostClusterSpec> = {}) {
  const spec: HostClusterSpec = {
    ...maintainable,
    podName: 'pod-1',
    hypervisor: 'Simulator',
    cpuOvercommitRatio: '2',
    memoryOvercommitRatio: '1',
  }
  return resource(HostCluster, { name: 'cluster-1', spec }, changes)
}

/** Host `host-1` of cluster-1: 16 cores of 2400 MHz, 64 GiB, with a power controller. */
export function host(changes: Changes<HostSpec> = {}) {
  const spec: HostSpec = {
    ...allocatable,
    ...managed,
    clusterName: 'cluster-1',
    address: '172.16.10.101',
    tags: [],
    lifecycle: 'Active',
    simulator: { cores: 16, clockMHz: 2400, memory: '64Gi' },
    powerControl: { driver: 'Simulator' },
  }
  return resource(Host, { name: 'host-1', spec }, changes)
}

/** PrimaryStorage `primary-1` for cluster-1: 2 TiB. */
export function pool(changes: Changes<PrimaryStorageSpec> = {}) {
  const spec: PrimaryStorageSpec = {
    ...maintainable,
    ...managed,
    scope: 'Cluster',
    clusterName: 'cluster-1',
    url: 'sim://primary-1',
    capacity: '2Ti',
    tags: [],
    overcommitRatio: '1',
  }
  return resource(PrimaryStorage, { name: 'primary-1', spec }, changes)
}

/** SecondaryStorage `secondary-1` of zone-a. */
export function store(changes: Changes<SecondaryStorageSpec> = {}) {
  const spec: SecondaryStorageSpec = { ...managed, zoneName: 'zone-a', url: 'sim://secondary-1', transfer: 'Host' }
  return resource(SecondaryStorage, { name: 'secondary-1', spec }, changes)
}

/** PublicIPRange `public-1` of zone-a: 192.0.2.100 to .199. */
export function publicRange(changes: Changes<PublicIPRangeSpec> = {}) {
  const spec: PublicIPRangeSpec = {
    ...allocatable,
    zoneName: 'zone-a',
    cidr: '192.0.2.0/24',
    gateway: '192.0.2.1',
    addresses: ['192.0.2.100-192.0.2.199'],
  }
  return resource(PublicIPRange, { name: 'public-1', spec }, changes)
}

/** SystemVM `console-1` of zone-a. */
export function systemVM(changes: Changes<SystemVMSpec> = {}) {
  const spec: SystemVMSpec = {
    ...managed,
    zoneName: 'zone-a',
    role: 'ConsoleProxy',
    cores: 1,
    clockMHz: 500,
    memory: '512Mi',
  }
  return resource(SystemVM, { name: 'console-1', spec }, changes)
}

/** VirtualRouter `router-1` of network shop/web. */
export function router(changes: Changes<VirtualRouterSpec> = {}) {
  const spec: VirtualRouterSpec = {
    ...managed,
    zoneName: 'zone-a',
    networkRef: { kind: 'Network', namespace: 'shop', name: 'web' },
    cores: 1,
    clockMHz: 500,
    memory: '256Mi',
  }
  return resource(VirtualRouter, { name: 'router-1', spec }, changes)
}
