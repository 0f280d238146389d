import { type Edit, type Refusal, sample } from './refusal.ts'

/** Edits of samples that are refused. */
export const refusedEdits: readonly Refusal[] = [
  [
    'INF-023 another type of zone',
    'Zone',
    { networkType: 'Basic', guestCIDR: undefined },
    'spec.networkType',
    /cannot be changed once it is set/,
  ],
  ['another zone of a pod', 'HostPod', { zoneName: 'zone-c' }, 'spec.zoneName', /cannot be changed/],
  ['another hypervisor of a cluster', 'HostCluster', { hypervisor: 'KVM' }, 'spec.hypervisor', /cannot be changed/],
  ['another cluster of a host', 'Host', { clusterName: 'cluster-2' }, 'spec.clusterName', /cannot be changed/],
  [
    'a socket for a host that had none: another libvirt would answer for it',
    'Host',
    { kvm: { socketPath: '/run/other/libvirt-sock' }, simulator: undefined },
    'spec',
    /`kvm.socketPath` cannot be changed/,
  ],
  ['another place of a pool', 'PrimaryStorage', { url: 'sim://other' }, 'spec.url', /cannot be changed/],
  ['OFF-008 other cores of an offering', 'ServiceOffering', { cores: 2 }, 'spec.cores', /cannot be changed/],
  ['OFF-008 another memory of an offering', 'ServiceOffering', { memory: '1Gi' }, 'spec.memory', /cannot be changed/],
  ['OFF-008 another clock of an offering', 'ServiceOffering', { clockMHz: 2000 }, 'spec.clockMHz', /cannot be changed/],
  [
    'OFF-008 a rate for an offering that had none',
    'ServiceOffering',
    { networkRateMbps: 10 },
    'spec',
    /can neither be set nor removed/,
  ],
  [
    'OFF-050 a size for a disk offering that had none',
    'DiskOffering',
    { size: '1Gi', customSize: false },
    'spec',
    /can neither be set nor removed/,
  ],
  [
    'another guest type of a network offering',
    'NetworkOffering',
    { guestType: 'Shared', services: [] },
    'spec.guestType',
    /cannot be changed/,
  ],
  [
    'another image under the same name',
    'PublicTemplate',
    { images: [{ hypervisor: 'Simulator', format: 'QCOW2', url: 'sim://images/other' }] },
    'spec.images[0].url',
    /cannot be changed/,
  ],
  ['OFF-084 another VLAN of a shared network', 'SharedNetwork', { vlan: 851 }, 'spec.vlan', /cannot be changed/],
  ['HST-086 a VLAN for a network that had none', 'Network', { vlan: 700 }, 'spec', /can neither be set nor removed/],
  ['another CIDR of a network', 'Network', { cidr: '10.1.2.0/24' }, 'spec.cidr', /cannot be changed/],
  [
    'another template of a machine',
    'VirtualMachine',
    { templateRef: { kind: 'PublicTemplate', name: 'other' } },
    'spec.templateRef',
    /cannot be changed/,
  ],
  ['STO-124 a smaller volume', 'Volume', { size: '19.5Gi' }, 'spec.size', /may not shrink/],
  ['a volume whose size is taken away', 'Volume', { size: undefined }, 'spec', /`size` may not be removed/],
  [
    'a claim moved without a new epoch',
    'Allocation',
    { machine: { ...Object(sample('Allocation').spec.machine), hostName: 'host-2' } },
    'spec',
    /together with an `epoch` one higher/,
  ],
  ['an epoch that skips one', 'Allocation', { epoch: 3 }, 'spec', /`epoch` must stay or grow by one/],
  [
    'another holder of an allocation',
    'Allocation',
    { holder: { ...Object(sample('Allocation').spec.holder), name: 'web-2' } },
    'spec.holder',
    /cannot be changed/,
  ],
]

/** Edits of samples that are accepted. */
export const allowedEdits: readonly Edit[] = [
  ['INF-115 other segments of a physical network', 'PhysicalNetwork', { segments: ['800-899'] }],
  ['INF-156 another over-commit of a cluster', 'HostCluster', { cpuOvercommitRatio: '3.5' }],
  ['another offering of a machine', 'VirtualMachine', { serviceOfferingName: 'large' }],
  ['a halted machine', 'VirtualMachine', { runStrategy: 'Halted' }],
  ['STO-120 a larger volume', 'Volume', { size: '20.5Gi' }],
  ['STO-120 the same size in another unit', 'Volume', { size: '20480Mi' }],
  [
    'OFF-008 other texts and tags of an offering',
    'ServiceOffering',
    { displayText: 'Small', hostTags: ['ssd'], allocationState: 'Disabled' },
  ],
  [
    'NET-165 another target of a port forwarding rule',
    'PortForwardingRule',
    { virtualMachineName: 'web-2', privatePort: 7000 },
  ],
  [
    'a claim moved with a new epoch',
    'Allocation',
    { epoch: 2, machine: { ...Object(sample('Allocation').spec.machine), hostName: 'host-2' } },
  ],
  ['a note on a claim', 'Allocation', { notes: { stopRequestedAt: '2026-11-20T13:00:00Z' } }],
  [
    'NET-159 rules for networks of both families and for all of IPv4',
    'FirewallRule',
    { sourceCIDRs: ['2001:db8::/32', '::/0', '10.0.0.0/8'], destinationCIDRs: ['0.0.0.0/0'] },
  ],
]
