import { PublicTemplate } from './compute/public-template.ts'
import { ServiceOffering } from './compute/service-offering.ts'
import { VirtualMachine } from './compute/virtual-machine.ts'
import type { AnyKind } from './define-kind.ts'
import { Allocation } from './infrastructure/allocation.ts'
import { Host } from './infrastructure/host.ts'
import { HostCluster } from './infrastructure/host-cluster.ts'
import { HostPod } from './infrastructure/host-pod.ts'
import { PhysicalNetwork } from './infrastructure/physical-network.ts'
import { PrimaryStorage } from './infrastructure/primary-storage.ts'
import { PublicIPRange } from './infrastructure/public-ip-range.ts'
import { SecondaryStorage } from './infrastructure/secondary-storage.ts'
import { Settings } from './infrastructure/settings.ts'
import { SystemVM } from './infrastructure/system-vm.ts'
import { VirtualRouter } from './infrastructure/virtual-router.ts'
import { Zone } from './infrastructure/zone.ts'
import { FirewallRule } from './network/firewall-rule.ts'
import { Network } from './network/network.ts'
import { NetworkOffering } from './network/network-offering.ts'
import { PortForwardingRule } from './network/port-forwarding-rule.ts'
import { PublicIP } from './network/public-ip.ts'
import { SharedNetwork } from './network/shared-network.ts'
import { DiskOffering } from './storage/disk-offering.ts'
import { Volume } from './storage/volume.ts'

/** Every kind of the API, places before what is placed in them. */
export const kinds: readonly AnyKind[] = [
  Settings,
  Zone,
  PhysicalNetwork,
  HostPod,
  HostCluster,
  Host,
  PrimaryStorage,
  SecondaryStorage,
  PublicIPRange,
  Allocation,
  SystemVM,
  VirtualRouter,
  ServiceOffering,
  PublicTemplate,
  DiskOffering,
  NetworkOffering,
  SharedNetwork,
  Network,
  PublicIP,
  VirtualMachine,
  Volume,
  PortForwardingRule,
  FirewallRule,
]

const byName = new Map(kinds.map(kind => [`${kind.apiVersion}/${kind.kind}`, kind]))

/** The kind of that apiVersion and name, where it is one of ours. */
export function kindOf(apiVersion: string, kind: string): AnyKind | undefined {
  return byName.get(`${apiVersion}/${kind}`)
}
