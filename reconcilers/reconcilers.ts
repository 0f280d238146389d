import { virtualMachineReconciler } from './compute/virtual-machine.ts'
import type { Reconciler } from './define-reconciler.ts'
import { hostReconciler } from './infrastructure/host.ts'
import { hostClusterReconciler } from './infrastructure/host-cluster.ts'
import { hostPodReconciler } from './infrastructure/host-pod.ts'
import { physicalNetworkReconciler } from './infrastructure/physical-network.ts'
import { primaryStorageReconciler } from './infrastructure/primary-storage.ts'
import { publicIPRangeReconciler } from './infrastructure/public-ip-range.ts'
import { secondaryStorageReconciler } from './infrastructure/secondary-storage.ts'
import { settingsReconciler } from './infrastructure/settings.ts'
import { zoneReconciler } from './infrastructure/zone.ts'
import { firewallRuleReconciler } from './network/firewall-rule.ts'
import { networkReconciler } from './network/network.ts'
import { portForwardingRuleReconciler } from './network/port-forwarding-rule.ts'
import { publicIPReconciler } from './network/public-ip.ts'
import { sharedNetworkReconciler } from './network/shared-network.ts'
import { virtualRouterReconciler } from './network/virtual-router.ts'
import { diskOfferingReconciler, networkOfferingReconciler, serviceOfferingReconciler } from './offerings/offerings.ts'
import { publicTemplateReconciler } from './offerings/public-template.ts'
import { volumeReconciler } from './storage/volume.ts'
import { systemVMReconciler } from './system/system-vm.ts'

/** Every kind's reconciler. */
export const reconcilers: readonly Reconciler[] = [
  zoneReconciler,
  settingsReconciler,
  hostPodReconciler,
  hostClusterReconciler,
  hostReconciler,
  physicalNetworkReconciler,
  primaryStorageReconciler,
  secondaryStorageReconciler,
  publicIPRangeReconciler,
  serviceOfferingReconciler,
  diskOfferingReconciler,
  networkOfferingReconciler,
  publicTemplateReconciler,
  virtualMachineReconciler,
  volumeReconciler,
  networkReconciler,
  sharedNetworkReconciler,
  virtualRouterReconciler,
  systemVMReconciler,
  publicIPReconciler,
  portForwardingRuleReconciler,
  firewallRuleReconciler,
]
