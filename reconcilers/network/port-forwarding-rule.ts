import deepEqual from 'fast-deep-equal'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { PortForwardingRule } from '../../crds/network/port-forwarding-rule.ts'
import { PublicIP } from '../../crds/network/public-ip.ts'
import { defineReconciler, type Phase } from '../define-reconciler.ts'
import { blocked, satisfied, waiting } from '../verdict.ts'
import { appliedDocument, judgeWithdrawn, stillServes } from './applied-document.ts'
import { guestAddress, targetRefusal } from './guest-address.ts'
import { networkPlan } from './network-plan.ts'
import { networkOfForwarding, olderForwarding, targetOf } from './port-forwardings.ts'
import { routerDocument, sourceNATName } from './router-document.ts'

const valid: Phase<typeof PortForwardingRule> = {
  condition: 'Valid',
  judge: (self, world) => {
    const older = olderForwarding(self, world)
    if (older !== undefined) {
      return blocked(
        'PortsTaken',
        `spec.publicPort: rule "${older}" is older and holds these ports of "${self.spec.publicIPName}"`,
      )
    }
    const publicIP = world.desired.get(PublicIP, self.spec.publicIPName, self.metadata.namespace)
    if (publicIP?.spec.staticNAT !== undefined) {
      return blocked(
        'StaticNATOnAddress',
        `spec.publicIPName: "${self.spec.publicIPName}" is translated to one machine as a whole`,
      )
    }
    const key = networkOfForwarding(self, world)
    const plan = key === undefined ? undefined : world.derived(networkPlan, key)
    if (plan !== undefined && !plan.services.includes('PortForwarding')) {
      return blocked('NotOffered', 'spec.publicIPName: the offering of its network has no service PortForwarding')
    }
    if (key === undefined) return satisfied('Valid')
    if (plan?.conserveMode === false && sourceNATName(key, world) === self.spec.publicIPName) {
      return blocked(
        'AddressServesAlready',
        `spec.publicIPName: "${self.spec.publicIPName}" is the source NAT address, and the offering's conserveMode is false: take another address`,
      )
    }
    const refusal = targetRefusal(targetOf(self, key), 'spec.virtualMachineName', world)
    if (refusal !== undefined) return refusal
    return satisfied('Valid')
  },
}

const applied: Phase<typeof PortForwardingRule> = {
  condition: 'Applied',
  needs: ['Valid'],
  judge: (self, world) => {
    const key = networkOfForwarding(self, world)
    if (key === undefined) return waiting('PublicIPNotFound', `PublicIP "${self.spec.publicIPName}" does not exist`)
    const { virtualMachineName } = self.spec
    if (guestAddress(targetOf(self, key), world) === undefined) {
      return waiting(
        'MachineHasNoAddress',
        `Machine "${virtualMachineName}" has no address in the network of "${self.spec.publicIPName}"`,
      )
    }
    const identity = world.identity(self)
    const of = (rules: readonly { readonly identity: string }[] | undefined) =>
      rules?.find(rule => rule.identity === identity)
    const wished = of(world.derived(routerDocument, key)?.document.portForwardings)
    const found = of(appliedDocument(key, world)?.portForwardings)
    if (wished === undefined || !deepEqual(wished, found))
      return waiting('RouterNotConfigured', 'The router does not hold the rule yet')
    return satisfied('Applied')
  },
}

const withdrawn: Phase<typeof PortForwardingRule> = {
  condition: 'Applied',
  judge: (self, world) => {
    const key = networkOfForwarding(self, world)
    if (key === undefined) return satisfied('Removed')
    const identity = world.identity(self)
    return judgeWithdrawn(
      stillServes(key, ({ portForwardings }) => portForwardings.some(rule => rule.identity === identity), world),
      'the rule',
    )
  },
}

/** The reconciler of port forwarding rules. */
export const portForwardingRuleReconciler = defineReconciler(PortForwardingRule, {
  references: ({ spec, metadata: { namespace } }) => [
    { kind: PublicIP, name: spec.publicIPName, namespace, field: 'spec.publicIPName' },
    { kind: VirtualMachine, name: spec.virtualMachineName, namespace, field: 'spec.virtualMachineName' },
  ],
  phases: [valid, applied],
  teardown: [withdrawn],
})
