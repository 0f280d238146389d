import { virtualMachineReconciler } from './compute/virtual-machine.ts'
import type { Reconciler } from './define-reconciler.ts'
import { firewallRuleReconciler } from './network/firewall-rule.ts'
import { networkReconciler } from './network/network.ts'
import { portForwardingRuleReconciler } from './network/port-forwarding-rule.ts'
import { publicIPReconciler } from './network/public-ip.ts'
import { virtualRouterReconciler } from './network/virtual-router.ts'
import { volumeReconciler } from './storage/volume.ts'

/** Every kind's reconciler. */
export const reconcilers: readonly Reconciler[] = [
  virtualMachineReconciler,
  volumeReconciler,
  networkReconciler,
  virtualRouterReconciler,
  publicIPReconciler,
  portForwardingRuleReconciler,
  firewallRuleReconciler,
]
