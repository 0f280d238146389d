/** Fields of places: zones, pods, clusters, hosts, networks and storages. */
import type { AcceptedCase, DefaultCase, FixedCase, NeededCase, RefusedCase } from './cases.ts'

export const placeDefaults: readonly DefaultCase[] = [
  { title: 'INF-155 CPU is promised once', kind: 'HostCluster', field: 'cpuOvercommitRatio', value: '1' },
  { title: 'INF-155 HST-058 memory is promised once', kind: 'HostCluster', field: 'memoryOvercommitRatio', value: '1' },
  {
    title: 'INF-203 STO-042 the space of a pool is promised once',
    kind: 'PrimaryStorage',
    field: 'overcommitRatio',
    value: '1',
  },
  { title: 'a host has no tags', kind: 'Host', field: 'tags', value: [] },
  { title: 'HST-037 a zone takes new things', kind: 'Zone', field: 'allocationState', value: 'Enabled' },
  { title: 'HST-037 a pod takes new things', kind: 'HostPod', field: 'allocationState', value: 'Enabled' },
  { title: 'HST-037 a cluster takes new things', kind: 'HostCluster', field: 'allocationState', value: 'Enabled' },
  { title: 'a host is in service', kind: 'Host', field: 'lifecycle', value: 'Active' },
  {
    title: 'HST-043 thresholds of a cluster: told at 0.75, skipped from 0.85',
    kind: 'Settings',
    field: 'capacityThresholds',
    value: {
      cpu: { notification: '0.75', disable: '0.85' },
      memory: { notification: '0.75', disable: '0.85' },
      storageAllocated: { notification: '0.75', disable: '0.85' },
      storageUsed: { notification: '0.75', disable: '0.85' },
      publicIP: { notification: '0.75', disable: '1' },
      segments: { notification: '0.75', disable: '1' },
    },
  },
  { title: 'INF-033 guests are in cloud.internal', kind: 'Settings', field: 'networkDomain', value: 'cloud.internal' },
]

export const placeNeeds: readonly NeededCase[] = [
  { title: 'INF-023 INF-027 NET-001 a zone', kind: 'Zone', fields: ['networkType', 'publicDNS', 'internalDNS'] },
  { title: 'INF-131 a pod', kind: 'HostPod', fields: ['zoneName', 'cidr', 'gateway'] },
  { title: 'INF-145 INF-153 a cluster', kind: 'HostCluster', fields: ['podName', 'hypervisor'] },
  { title: 'INF-149 INF-162 a host', kind: 'Host', fields: ['clusterName', 'address'] },
  {
    title: 'INF-086 a range of public addresses',
    kind: 'PublicIPRange',
    fields: ['zoneName', 'cidr', 'gateway', 'addresses'],
  },
  { title: 'INF-078 a physical network', kind: 'PhysicalNetwork', fields: ['zoneName', 'traffic'] },
  { title: 'STO-005 a pool', kind: 'PrimaryStorage', fields: ['scope', 'url'] },
  { title: 'an image store', kind: 'SecondaryStorage', fields: ['zoneName', 'url'] },
  { title: 'INF-022 a machine', kind: 'VirtualMachine', fields: ['zoneName'] },
]

const traffic = (...types: readonly string[]) => types.map(type => ({ type, label: `${type.toLowerCase()}0` }))

const subnet = { cidr: '172.16.10.0/24', gateway: '172.16.10.1' }

export const placesAccepted: readonly AcceptedCase[] = [
  {
    title: 'INF-030 the same server for guests and for system machines',
    kind: 'Zone',
    changes: [{ publicDNS: ['192.0.2.53'], internalDNS: ['192.0.2.53'] }],
  },
  {
    title: 'INF-027 up to four resolvers of each kind',
    kind: 'Zone',
    changes: [{ publicDNS: ['192.0.2.1', '192.0.2.2', '2001:db8::1', '192.0.2.4'] }],
  },
  { title: 'INF-033 a zone without a network domain', kind: 'Zone', changes: [{ networkDomain: undefined }] },
  {
    title: 'INF-024 zones of both types',
    kind: 'Zone',
    changes: [{ networkType: 'Basic', guestCIDR: undefined }, { networkType: 'Advanced' }],
  },
  {
    title: 'INF-145 clusters of every hypervisor',
    kind: 'HostCluster',
    changes: ['KVM', 'XenServer', 'VSphere', 'HyperV', 'LXC', 'BareMetal', 'Simulator'].map(hypervisor => ({
      hypervisor,
    })),
  },
  {
    title: 'INF-153 a cluster with a pod and a hypervisor and nothing else',
    kind: 'HostCluster',
    changes: [
      {
        cpuOvercommitRatio: undefined,
        memoryOvercommitRatio: undefined,
        allocationState: undefined,
        lifecycle: undefined,
      },
    ],
  },
  {
    title: 'an over-commit of 4 on XenServer',
    kind: 'HostCluster',
    changes: [{ hypervisor: 'XenServer', cpuOvercommitRatio: '4', memoryOvercommitRatio: '4.0' }],
  },
  {
    title: 'INF-114 HST-080 segments in several ranges with gaps',
    kind: 'PhysicalNetwork',
    changes: [{ segments: ['100-199', '300', '500-599', '4094'] }],
  },
  {
    title: 'INF-078 INF-102 NET-004 kinds of traffic together, or one by one',
    kind: 'PhysicalNetwork',
    changes: [
      { traffic: traffic('Management', 'Public', 'Guest', 'Storage') },
      { traffic: traffic('Guest') },
      { traffic: traffic('Public'), segments: [] },
    ],
  },
  {
    title: 'INF-057 NET-006 a label of its own for each hypervisor',
    kind: 'PhysicalNetwork',
    changes: [
      {
        traffic: [
          {
            type: 'Guest',
            label: 'guest0',
            labels: [
              { hypervisor: 'KVM', label: 'cloudbr0' },
              { hypervisor: 'XenServer', label: 'cloud-guest' },
              { hypervisor: 'VSphere', label: 'vSwitch0' },
            ],
          },
        ],
      },
    ],
  },
  {
    title: 'INF-086 a public range with a VLAN, and one without',
    kind: 'PublicIPRange',
    changes: [{ vlan: 500 }, { vlan: 4094 }, { vlan: undefined }],
  },
  {
    title: 'INF-136 a reserved range inside the pod: .2 to .7',
    kind: 'HostPod',
    changes: [
      { ...subnet, systemIPRanges: [{ addresses: '172.16.10.2-172.16.10.7' }] },
      { ...subnet, systemIPRanges: undefined },
    ],
  },
  {
    title: 'a pod with more than one reserved range, and one for storage',
    kind: 'HostPod',
    changes: [
      {
        ...subnet,
        systemIPRanges: [{ addresses: '172.16.10.10-172.16.10.20' }, { addresses: '172.16.10.40-172.16.10.60' }],
        storageIPRanges: [{ addresses: '172.16.20.10-172.16.20.20' }],
      },
    ],
  },
  {
    title: 'STO-004 pools of every protocol',
    kind: 'PrimaryStorage',
    changes: ['nfs', 'iscsi', 'rbd', 'smb', 'presetup', 'clvm', 'sharedmountpoint', 'vmfs', 'file', 'sim'].map(
      scheme => ({
        url: `${scheme}://store.example.org/exports/one`,
      }),
    ),
  },
  {
    title: 'STO-005 pools of a zone, of a cluster and of a host',
    kind: 'PrimaryStorage',
    changes: [
      { scope: 'Zone', zoneName: 'zone-a', clusterName: undefined, hostName: undefined },
      { scope: 'Cluster', zoneName: undefined, clusterName: 'cluster-1', hostName: undefined },
      { scope: 'Host', zoneName: undefined, clusterName: undefined, hostName: 'host-1' },
    ],
  },
  {
    title: 'power by IPMI with its credentials in a Secret',
    kind: 'Host',
    changes: [{ powerControl: { driver: 'IPMI', address: '10.0.0.9:623', credentialsSecretName: 'bmc' } }],
  },
  {
    title: 'HST-094 power by Redfish, with a system of several and with a pinned certificate',
    kind: 'Host',
    changes: [
      {},
      { redfish: { systemID: 'System.Embedded.1' } },
      { redfish: { certificateFingerprint: Array.from({ length: 32 }, () => 'A7').join(':') } },
    ].map(redfish => ({
      powerControl: { driver: 'Redfish', address: '10.0.0.9', credentialsSecretName: 'bmc', ...redfish },
    })),
  },
  { title: 'HST-004 a KVM host', kind: 'Host', changes: [{ simulator: undefined, kvm: {} }] },
]

export const placesRefused: readonly RefusedCase[] = [
  {
    title: 'INF-090 guest traffic without a range of VLANs',
    kind: 'PhysicalNetwork',
    changes: [{ segments: [] }],
    field: 'spec',
    message: /`segments` must be given/,
  },
  {
    title: 'INF-027 five resolvers',
    kind: 'Zone',
    changes: [{ publicDNS: [1, 2, 3, 4, 5].map(last => `192.0.2.${last}`) }],
    field: 'spec.publicDNS',
    message: /at most 4 items/,
  },
  {
    title: 'INF-027 no internal resolver',
    kind: 'Zone',
    changes: [{ internalDNS: [] }],
    field: 'spec.internalDNS',
    message: /at least 1 items/,
  },
  {
    title: 'INF-108 VLAN 0 and VLANs above 4094',
    kind: 'PhysicalNetwork',
    changes: [{ segments: ['4095'] }, { segments: ['4000-5000'] }],
    field: 'spec',
    message: /VLAN ids from 1 to 4094/,
  },
  {
    title: 'INF-145 a hypervisor that there is not',
    kind: 'HostCluster',
    changes: [{ hypervisor: 'OVM' }],
    field: 'spec.hypervisor',
    message: /supported values/,
  },
  {
    title: 'INF-217 a protocol that there is not',
    kind: 'PrimaryStorage',
    changes: [{ url: 'ftp://store/one' }],
    field: 'spec.url',
    message: /must be a URL such as/,
  },
  {
    title: 'a password in the manifest of a host',
    kind: 'Host',
    changes: [{ password: 'secret' }],
    field: 'spec.password',
    message: /unknown field/,
  },
  {
    title: 'INF-179 a pool chosen by a tenant',
    kind: 'Volume',
    changes: [{ poolName: 'primary-1' }],
    field: 'spec.poolName',
    message: /unknown field/,
  },
  {
    title: 'HST-058 an over-commit of memory below 1',
    kind: 'HostCluster',
    changes: [{ memoryOvercommitRatio: '0.99' }],
    field: 'spec.memoryOvercommitRatio',
    message: /at least '1'/,
  },
  {
    title: 'INF-102 no kind of traffic at all',
    kind: 'PhysicalNetwork',
    changes: [{ traffic: [] }],
    field: 'spec.traffic',
    message: /at least 1 items/,
  },
]

export const placesFixed: readonly FixedCase[] = [
  { title: 'INF-023 NET-001 the type of a zone', kind: 'Zone', edits: { networkType: 'Basic' } },
  {
    title: 'INF-145 the pod and the hypervisor of a cluster',
    kind: 'HostCluster',
    edits: { podName: 'pod-9', hypervisor: 'LXC' },
  },
  { title: 'INF-162 the cluster of a host', kind: 'Host', edits: { clusterName: 'cluster-9' } },
  { title: 'INF-039 the zone of a network', kind: 'Network', edits: { zoneName: 'zone-z' } },
  { title: 'INF-022 the zone of a machine', kind: 'VirtualMachine', edits: { zoneName: 'zone-z' } },
]
