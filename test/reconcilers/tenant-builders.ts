/** Builders of offerings, templates and tenants' resources, as in the quickstart unless a test says otherwise. */
import { PublicTemplate, type PublicTemplateSpec } from '../../crds/compute/public-template.ts'
import { ServiceOffering, type ServiceOfferingSpec } from '../../crds/compute/service-offering.ts'
import { VirtualMachine, type VirtualMachineSpec } from '../../crds/compute/virtual-machine.ts'
import { FirewallRule, type FirewallRuleSpec } from '../../crds/network/firewall-rule.ts'
import { Network, type NetworkSpec } from '../../crds/network/network.ts'
import { NetworkOffering, type NetworkOfferingSpec } from '../../crds/network/network-offering.ts'
import { PortForwardingRule, type PortForwardingRuleSpec } from '../../crds/network/port-forwarding-rule.ts'
import { PublicIP, type PublicIPSpec } from '../../crds/network/public-ip.ts'
import { SharedNetwork, type SharedNetworkSpec } from '../../crds/network/shared-network.ts'
import { DiskOffering, type DiskOfferingSpec } from '../../crds/storage/disk-offering.ts'
import { Volume, type VolumeSpec } from '../../crds/storage/volume.ts'
import { allocatable, type Changes, managed, resource } from './resource-builder.ts'

/** ServiceOffering `small`: 1 core of 1000 MHz, 512 MiB, highly available. */
export function offering(changes: Changes<ServiceOfferingSpec> = {}) {
  const spec: ServiceOfferingSpec = {
    ...allocatable,
    cores: 1,
    clockMHz: 1000,
    memory: '512Mi',
    highlyAvailable: true,
    restartPriority: 'Normal',
    cpuCap: false,
    hostTags: [],
    storageTags: [],
    planner: 'FirstFit',
    storageType: 'Shared',
    provisioningType: 'Thin',
  }
  return resource(ServiceOffering, { name: 'small', spec }, changes)
}

/** PublicTemplate `tiny-linux` for the simulator: 8 GiB. */
export function template(changes: Changes<PublicTemplateSpec> = {}) {
  const spec: PublicTemplateSpec = {
    ...allocatable,
    osType: 'Linux',
    images: [{ hypervisor: 'Simulator', format: 'QCOW2', url: 'sim://images/tiny-linux' }],
    size: '8Gi',
    passwordEnabled: false,
  }
  return resource(PublicTemplate, { name: 'tiny-linux', spec }, changes)
}

/** DiskOffering `data-20g`. */
export function diskOffering(changes: Changes<DiskOfferingSpec> = {}) {
  const spec: DiskOfferingSpec = {
    ...allocatable,
    size: '20Gi',
    customSize: false,
    storageType: 'Shared',
    provisioningType: 'Thin',
    tags: [],
  }
  return resource(DiskOffering, { name: 'data-20g', spec }, changes)
}

/** NetworkOffering `isolated-source-nat`: all services by the virtual router, egress denied. */
export function networkOffering(changes: Changes<NetworkOfferingSpec> = {}) {
  const services = ['DHCP', 'DNS', 'UserData', 'SourceNAT', 'StaticNAT', 'PortForwarding', 'Firewall', 'LoadBalancing']
  const spec: NetworkOfferingSpec = {
    ...allocatable,
    guestType: 'Isolated',
    services: services.map(name => ({ name, provider: 'VirtualRouter' })) as NetworkOfferingSpec['services'],
    egressDefault: 'Deny',
    persistent: false,
    specifyVLAN: false,
    conserveMode: true,
    tags: [],
  }
  return resource(NetworkOffering, { name: 'isolated-source-nat', spec }, changes)
}

/** Network shop/web: 10.1.1.0/24. */
export function network(changes: Changes<NetworkSpec> = {}) {
  const spec: NetworkSpec = { zoneName: 'zone-a', networkOfferingName: 'isolated-source-nat', cidr: '10.1.1.0/24' }
  return resource(Network, { name: 'web', namespace: 'shop', spec }, changes)
}

/** SharedNetwork `shared-1` of zone-a: 10.20.0.0/24 on VNI 5001. */
export function sharedNetwork(changes: Changes<SharedNetworkSpec> = {}) {
  const spec: SharedNetworkSpec = {
    ...allocatable,
    zoneName: 'zone-a',
    physicalNetworkName: 'fabric',
    networkOfferingName: 'shared',
    cidr: '10.20.0.0/24',
    gateway: '10.20.0.1',
    addresses: ['10.20.0.10-10.20.0.99'],
    vlan: 5001,
  }
  return resource(SharedNetwork, { name: 'shared-1', spec }, changes)
}

/** PublicIP shop/web-ip of network web. */
export function publicIP(changes: Changes<PublicIPSpec> = {}) {
  const spec: PublicIPSpec = { zoneName: 'zone-a', networkName: 'web' }
  return resource(PublicIP, { name: 'web-ip', namespace: 'shop', spec }, changes)
}

/** PortForwardingRule shop/web-http: port 80 of web-ip to 8080 of web-1. */
export function portForwardingRule(changes: Changes<PortForwardingRuleSpec> = {}) {
  const spec: PortForwardingRuleSpec = {
    publicIPName: 'web-ip',
    protocol: 'TCP',
    publicPort: 80,
    virtualMachineName: 'web-1',
    privatePort: 8080,
    sourceCIDRs: ['0.0.0.0/0'],
  }
  return resource(PortForwardingRule, { name: 'web-http', namespace: 'shop', spec }, changes)
}

/** FirewallRule shop/web-out: egress of network web to TCP 80 and 443. */
export function firewallRule(changes: Changes<FirewallRuleSpec> = {}) {
  const spec: FirewallRuleSpec = {
    direction: 'Egress',
    networkName: 'web',
    protocol: 'TCP',
    ports: [80, 443],
    portRanges: [],
    sourceCIDRs: [],
    destinationCIDRs: ['0.0.0.0/0'],
  }
  return resource(FirewallRule, { name: 'web-out', namespace: 'shop', spec }, changes)
}

/** VirtualMachine shop/web-1: small, from tiny-linux, one NIC in network web. */
export function machine(changes: Changes<VirtualMachineSpec> = {}) {
  const spec: VirtualMachineSpec = {
    ...managed,
    zoneName: 'zone-a',
    serviceOfferingName: 'small',
    templateRef: { kind: 'PublicTemplate', name: 'tiny-linux' },
    runStrategy: 'Always',
    shutdownTimeout: '120s',
    volumes: [],
    nics: [{ name: 'web', networkName: 'web', secondaryIPs: [], securityGroupNames: [] }],
    sshKeyNames: [],
  }
  return resource(VirtualMachine, { name: 'web-1', namespace: 'shop', spec }, changes)
}

/** Volume shop/data-1 of offering data-20g. */
export function volume(changes: Changes<VolumeSpec> = {}) {
  const spec: VolumeSpec = { ...managed, zoneName: 'zone-a', diskOfferingName: 'data-20g' }
  return resource(Volume, { name: 'data-1', namespace: 'shop', spec }, changes)
}
