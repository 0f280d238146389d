/** Fields of offerings and templates. */
import type { AcceptedCase, DefaultCase, FixedCase, NeededCase, RefusedCase } from './cases.ts'

export const offeringDefaults: readonly DefaultCase[] = [
  {
    title: 'OFF-032 machines are not highly available',
    kind: 'ServiceOffering',
    field: 'highlyAvailable',
    value: false,
  },
  { title: 'machines may use spare cycles', kind: 'ServiceOffering', field: 'cpuCap', value: false },
  { title: 'OFF-034 the first host that fits is taken', kind: 'ServiceOffering', field: 'planner', value: 'FirstFit' },
  { title: 'OFF-019 root disks are on shared storage', kind: 'ServiceOffering', field: 'storageType', value: 'Shared' },
  { title: 'any host will do', kind: 'ServiceOffering', field: 'hostTags', value: [] },
  { title: 'any pool will do', kind: 'ServiceOffering', field: 'storageTags', value: [] },
  { title: 'OFF-045 the administrator gives the size', kind: 'DiskOffering', field: 'customSize', value: false },
  { title: 'a disk wants no tags', kind: 'DiskOffering', field: 'tags', value: [] },
  { title: 'OFF-123 NET-157 egress is allowed', kind: 'NetworkOffering', field: 'egressDefault', value: 'Allow' },
  { title: 'OFF-091 NET-066 networks are not persistent', kind: 'NetworkOffering', field: 'persistent', value: false },
  {
    title: 'the VLAN is not the creator’s to name',
    kind: 'NetworkOffering',
    field: 'specifyVLAN',
    value: false,
  },
  { title: 'OFF-119 services may share a public address', kind: 'NetworkOffering', field: 'conserveMode', value: true },
  { title: 'any physical network will do', kind: 'NetworkOffering', field: 'tags', value: [] },
  {
    title: 'OFF-061 networks without a rate: 200 Mbit/s',
    kind: 'Settings',
    field: 'networkRateMbps',
    value: 200,
  },
  {
    title: 'OFF-061 machines without a rate: 200 Mbit/s',
    kind: 'Settings',
    field: 'machineRateMbps',
    value: 200,
  },
  { title: 'TPL-084 the image takes no password', kind: 'PublicTemplate', field: 'passwordEnabled', value: false },
  {
    title: 'STO-134 a removed disk can be taken back for a day',
    kind: 'Settings',
    field: 'expungeDelay',
    value: '24h',
  },
]

export const offeringNeeds: readonly NeededCase[] = [
  { title: 'OFF-008 INF-129 a service offering', kind: 'ServiceOffering', fields: ['cores', 'clockMHz', 'memory'] },
  { title: 'TPL-002 a template', kind: 'PublicTemplate', fields: ['osType', 'images'] },
  { title: 'a network', kind: 'Network', fields: ['zoneName', 'networkOfferingName'] },
  {
    title: 'NET-047 a shared network',
    kind: 'SharedNetwork',
    fields: ['zoneName', 'physicalNetworkName', 'networkOfferingName', 'cidr', 'gateway', 'addresses'],
  },
]

const routerServices = [
  'VPN',
  'DNS',
  'DHCP',
  'UserData',
  'Firewall',
  'LoadBalancing',
  'SourceNAT',
  'StaticNAT',
  'PortForwarding',
] as const
const byRouter = (...names: readonly string[]) => names.map(name => ({ name, provider: 'VirtualRouter' }))
const isolated = (...names: readonly string[]) => ({ guestType: 'Isolated', services: byRouter('SourceNAT', ...names) })
const shared = (...names: readonly string[]) => ({
  guestType: 'Shared',
  services: byRouter(...names),
  persistent: false,
})

export const offeringsAccepted: readonly AcceptedCase[] = [
  {
    title: 'VM-170 user data of exactly 32 KiB when encoded',
    kind: 'VirtualMachine',
    changes: [{ userData: 'x'.repeat(24_576) }],
  },
  {
    title: 'INF-129 a service offering with cores, clock, memory, HA, storage type and tags of its root disk',
    kind: 'ServiceOffering',
    changes: [
      {
        displayText: 'Large',
        cores: 8,
        clockMHz: 2400,
        memory: '16Gi',
        highlyAvailable: true,
        storageType: 'Local',
        storageTags: ['ssd'],
        networkRateMbps: 100,
      },
    ],
  },
  {
    title: 'INF-130 a disk offering with a text, a size and tags',
    kind: 'DiskOffering',
    changes: [{ displayText: 'Gold', customSize: false, size: '20Gi', tags: ['gold', 'ssd'] }],
  },
  { title: 'OFF-042 a rate of 0 on a machine', kind: 'ServiceOffering', changes: [{ networkRateMbps: 0 }] },
  { title: 'OFF-042 a rate of 0 on a network', kind: 'NetworkOffering', changes: [{ networkRateMbps: 0 }] },
  {
    title: 'OFF-042 OFF-061 a rate of 0 in Settings',
    kind: 'Settings',
    changes: [{ networkRateMbps: 0, machineRateMbps: 0 }],
  },
  {
    title: 'OFF-034 both planners',
    kind: 'ServiceOffering',
    changes: [{ planner: 'FirstFit' }, { planner: 'Dispersing' }],
  },
  {
    title: 'OFF-045 a disk whose size the tenant gives',
    kind: 'DiskOffering',
    changes: [{ customSize: true, size: undefined }],
  },
  {
    title: 'OFF-097 every service that the virtual router has',
    kind: 'NetworkOffering',
    changes: routerServices.map(name => isolated(...(name === 'SourceNAT' ? [] : [name]))),
  },
  {
    title: 'OFF-103 services of isolated and of shared networks',
    kind: 'NetworkOffering',
    changes: ['DHCP', 'DNS', 'LoadBalancing', 'Firewall', 'StaticNAT'].flatMap(name => [
      isolated(name),
      shared('SourceNAT', name),
    ]),
  },
  { title: 'OFF-105 user data in an isolated network', kind: 'NetworkOffering', changes: [isolated('UserData')] },
  {
    title: 'OFF-105 security groups in a shared network',
    kind: 'NetworkOffering',
    changes: [{ ...shared('UserData'), services: [{ name: 'SecurityGroup', provider: 'Host' }] }],
  },
  {
    title: 'OFF-090 NET-064 an isolated network that persists',
    kind: 'NetworkOffering',
    changes: [{ persistent: true }],
  },
  {
    title: 'TPL-055 a system that is not known, and any other',
    kind: 'PublicTemplate',
    changes: [{ osType: 'Other' }, { osType: 'Debian GNU/Linux 12 (64-bit)' }],
  },
  {
    title: 'TPL-011 images by HTTP and HTTPS',
    kind: 'PublicTemplate',
    changes: ['http', 'https'].map(scheme => ({
      images: [{ hypervisor: 'KVM', format: 'QCOW2', url: `${scheme}://images.example.org/a.qcow2` }],
    })),
  },
  {
    title: 'TPL-018 checksums of four kinds',
    kind: 'PublicTemplate',
    changes: [
      ['md5', 32],
      ['sha1', 40],
      ['sha256', 64],
      ['sha512', 128],
    ].map(([name, length]) => ({
      images: [
        {
          hypervisor: 'KVM',
          format: 'RAW',
          url: 'https://a/b',
          checksum: `${name}:${'0f'.repeat(Number(length) / 2)}`,
        },
      ],
    })),
  },
  {
    title: 'TPL-019 the format of each hypervisor',
    kind: 'PublicTemplate',
    changes: [
      ['KVM', 'QCOW2'],
      ['KVM', 'RAW'],
      ['XenServer', 'VHD'],
      ['VSphere', 'OVA'],
      ['HyperV', 'VHDX'],
      ['LXC', 'TAR'],
    ].map(([hypervisor, format]) => ({ images: [{ hypervisor, format, url: 'https://a/b' }] })),
  },
]

export const offeringsRefused: readonly RefusedCase[] = [
  {
    title: 'VM-170 user data of more than 32 KiB when encoded: 24,577 characters',
    kind: 'VirtualMachine',
    changes: [{ userData: 'x'.repeat(24_577) }],
    field: 'spec.userData',
    message: /may not be more than 24576/,
  },
  {
    title: 'NET-152 NET-160 protocols that a firewall does not know',
    kind: 'FirewallRule',
    changes: ['SCTP', 'tcp', '6'].map(protocol => ({ protocol })),
    field: 'spec.protocol',
    message: /supported values: "All", "ICMP", "TCP", "UDP"/,
  },
  {
    title: 'OFF-042 a rate below 0',
    kind: 'NetworkOffering',
    changes: [{ networkRateMbps: -1 }],
    field: 'spec.networkRateMbps',
    message: /greater than or equal to 0/,
  },
  {
    title: 'OFF-018 clock and memory in letters',
    kind: 'ServiceOffering',
    changes: [{ clockMHz: '１０００' }],
    field: 'spec.clockMHz',
    message: /must be of type integer/,
  },
  {
    title: 'OFF-002 a data disk in a service offering',
    kind: 'ServiceOffering',
    changes: [{ size: '20Gi' }],
    field: 'spec.size',
    message: /unknown field/,
  },
  {
    title: 'OFF-002 processors in a disk offering',
    kind: 'DiskOffering',
    changes: [{ cores: 1 }],
    field: 'spec.cores',
    message: /unknown field/,
  },
  {
    title: 'a network in a service offering',
    kind: 'ServiceOffering',
    changes: [{ networkName: 'web' }],
    field: 'spec.networkName',
    message: /unknown field/,
  },
  {
    title: 'OFF-104 OFF-106 services of isolated networks in a shared one',
    kind: 'NetworkOffering',
    changes: ['PortForwarding', 'VPN', 'NetworkACL'].map(name => shared(name)),
    field: 'spec',
    message: /may not hold 'PortForwarding', 'VPN' or 'NetworkACL'/,
  },
  {
    title: 'OFF-102 security groups by the router',
    kind: 'NetworkOffering',
    changes: [{ ...shared(), services: byRouter('SecurityGroup') }],
    field: 'spec.services[0]',
    message: /must be 'Host'/,
  },
  {
    title: 'OFF-102 NET-023 a service that there is not',
    kind: 'NetworkOffering',
    changes: [isolated('ElasticIP')],
    field: 'spec.services[1].name',
    message: /supported values/,
  },
  {
    title: 'OFF-102 NET-023 a provider that there is not',
    kind: 'NetworkOffering',
    changes: [{ services: [{ name: 'DHCP', provider: 'NetScaler' }] }],
    field: 'spec.services[0].provider',
    message: /supported values/,
  },
  {
    title: 'NET-049 any service in an L2 network',
    kind: 'NetworkOffering',
    changes: routerServices.map(name => ({ guestType: 'L2', services: byRouter(name) })),
    field: 'spec',
    message: /must be empty where `guestType` is 'L2'/,
  },
  {
    title: 'OFF-091 NET-064 an L2 network that persists',
    kind: 'NetworkOffering',
    changes: [{ guestType: 'L2', services: [], persistent: true }],
    field: 'spec',
    message: /only be true where `guestType` is 'Isolated'/,
  },
  {
    title: 'TPL-019 the format of another hypervisor',
    kind: 'PublicTemplate',
    changes: [
      ['XenServer', 'QCOW2'],
      ['VSphere', 'VHD'],
      ['HyperV', 'QCOW2'],
      ['LXC', 'OVA'],
    ].map(([hypervisor, format]) => ({ images: [{ hypervisor, format, url: 'https://a/b' }] })),
    field: 'spec.images[0]',
    message: /`format` must be/,
  },
  {
    title: 'TPL-002 an image without a hypervisor',
    kind: 'PublicTemplate',
    changes: [{ images: [{ format: 'RAW', url: 'https://a/b' }] }],
    field: 'spec.images[0].hypervisor',
    message: /Required value/,
  },
  {
    title: 'TPL-002 a template without images',
    kind: 'PublicTemplate',
    changes: [{ images: [] }],
    field: 'spec.images',
    message: /at least 1 items/,
  },
  {
    title: 'TPL-018 a checksum of no known kind',
    kind: 'PublicTemplate',
    changes: [
      { images: [{ hypervisor: 'KVM', format: 'RAW', url: 'https://a/b', checksum: `crc32:${'0'.repeat(8)}` }] },
    ],
    field: 'spec.images[0].checksum',
    message: /should match/,
  },
]

export const offeringsFixed: readonly FixedCase[] = [
  {
    title: 'OFF-008 what a service offering sizes',
    kind: 'ServiceOffering',
    edits: {
      cores: 7,
      clockMHz: 7,
      memory: '7Gi',
      cpuCap: true,
      storageType: 'Local',
      provisioningType: 'Fat',
      rootDiskSize: '7Gi',
      networkRateMbps: 7,
    },
  },
  { title: 'OFF-050 what a disk offering sizes', kind: 'DiskOffering', edits: { size: '7Gi', storageType: 'Local' } },
  {
    title: 'OFF-091 NET-066 what a network offering decides',
    kind: 'NetworkOffering',
    edits: { guestType: 'L2', persistent: true, specifyVLAN: true, conserveMode: false, networkRateMbps: 7 },
  },
  { title: 'TPL-002 the size of a template', kind: 'PublicTemplate', edits: { size: '7Gi' } },
  {
    title: 'OFF-084 HST-086 the VLAN and the physical network of a shared network',
    kind: 'SharedNetwork',
    edits: { vlan: 77, physicalNetworkName: 'other' },
  },
]
