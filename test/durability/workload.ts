/** A cloud of some size, and machines with data volumes spread over networks. */
import { parseAllDocuments } from 'yaml'
import type { Writable } from '../../controllers/api/client.ts'

const infrastructure = `
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: Settings
metadata: {name: default}
spec: {expungeDelay: 0s}
---
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: Zone
metadata: {name: zone-a}
spec: {networkType: Advanced, publicDNS: [192.0.2.53], internalDNS: [172.16.0.53], guestCIDR: 10.1.1.0/24}
---
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: PhysicalNetwork
metadata: {name: fabric}
spec:
  zoneName: zone-a
  isolation: VXLAN
  segments: ["5000-5999"]
  traffic:
  - {type: Management, label: mgmt0}
  - {type: Public, label: public0}
  - {type: Guest, label: guest0}
  - {type: Storage, label: storage0}
---
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: HostPod
metadata: {name: pod-1}
spec:
  zoneName: zone-a
  cidr: 172.16.10.0/24
  gateway: 172.16.10.1
  systemIPRanges: [{addresses: 172.16.10.10-172.16.10.60}]
---
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: HostCluster
metadata: {name: cluster-1}
spec: {podName: pod-1, hypervisor: Simulator, cpuOvercommitRatio: "2", memoryOvercommitRatio: "1"}
---
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: PrimaryStorage
metadata: {name: primary-1}
spec: {scope: Cluster, clusterName: cluster-1, url: sim://primary-1, capacity: 20Ti}
---
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: SecondaryStorage
metadata: {name: secondary-1}
spec: {zoneName: zone-a, url: sim://secondary-1}
---
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: PublicIPRange
metadata: {name: public-1}
spec: {zoneName: zone-a, cidr: 192.0.2.0/24, gateway: 192.0.2.1, addresses: [192.0.2.100-192.0.2.199]}
---
apiVersion: compute.skystead.dev/v1alpha1
kind: ServiceOffering
metadata: {name: small}
spec: {cores: 1, clockMHz: 1000, memory: 512Mi, highlyAvailable: true}
---
apiVersion: storage.skystead.dev/v1alpha1
kind: DiskOffering
metadata: {name: data-1g}
spec: {size: 1Gi}
---
apiVersion: compute.skystead.dev/v1alpha1
kind: PublicTemplate
metadata: {name: tiny-linux}
spec:
  osType: Linux
  images: [{hypervisor: Simulator, format: QCOW2, url: sim://images/tiny-linux}]
---
apiVersion: network.skystead.dev/v1alpha1
kind: NetworkOffering
metadata: {name: isolated}
spec:
  guestType: Isolated
  services:
  - {name: DHCP, provider: VirtualRouter}
  - {name: DNS, provider: VirtualRouter}
  - {name: SourceNAT, provider: VirtualRouter}
  egressDefault: Allow
`

/** Zone to offerings, with so many hosts. Nothing that a tenant owns. */
export function cloudOf(hosts: number): readonly Writable[] {
  const fixed = parseAllDocuments(infrastructure).map(document => document.toJS() as Writable)
  const each = Array.from({ length: hosts }, (_, index) => ({
    apiVersion: 'infrastructure.skystead.dev/v1alpha1',
    kind: 'Host',
    metadata: { name: `host-${index + 1}` },
    spec: {
      clusterName: 'cluster-1',
      address: `172.16.10.${101 + index}`,
      simulator: { cores: 32, clockMHz: 2400, memory: '64Gi' },
      powerControl: { driver: 'Simulator' },
    },
  }))
  return [...fixed, ...each]
}

/** So many namespaces, each with one isolated network. */
export function networks(count: number): readonly Writable[] {
  return Array.from({ length: count }, (_, index) => {
    const name = tenant(index)
    return [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
      {
        apiVersion: 'network.skystead.dev/v1alpha1',
        kind: 'Network',
        metadata: { name: 'net', namespace: name },
        spec: { zoneName: 'zone-a', networkOfferingName: 'isolated', cidr: '10.1.1.0/24' },
      },
    ]
  }).flat()
}

/** One machine with its data volume, in one of so many networks. */
export function deployment(index: number, networkCount: number): readonly Writable[] {
  const namespace = tenant(index % networkCount)
  const name = `vm-${index}`
  return [
    {
      apiVersion: 'compute.skystead.dev/v1alpha1',
      kind: 'VirtualMachine',
      metadata: { name, namespace },
      spec: {
        zoneName: 'zone-a',
        serviceOfferingName: 'small',
        templateRef: { kind: 'PublicTemplate', name: 'tiny-linux' },
        nics: [{ name: 'net', networkName: 'net' }],
        volumes: [{ name: 'data', volumeName: `${name}-data` }],
      },
    },
    {
      apiVersion: 'storage.skystead.dev/v1alpha1',
      kind: 'Volume',
      metadata: { name: `${name}-data`, namespace },
      spec: { zoneName: 'zone-a', diskOfferingName: 'data-1g' },
    },
  ]
}

function tenant(index: number): string {
  return `tenant-${index + 1}`
}
