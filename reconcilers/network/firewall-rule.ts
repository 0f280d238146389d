import deepEqual from 'fast-deep-equal'
import { rangeOf } from '../../crds/invariants/addresses.ts'
import { contains } from '../../crds/invariants/number-range.ts'
import { FirewallRule } from '../../crds/network/firewall-rule.ts'
import { Network } from '../../crds/network/network.ts'
import { PublicIP } from '../../crds/network/public-ip.ts'
import { defineReconciler, type Phase } from '../define-reconciler.ts'
import { blocked, satisfied, waiting } from '../verdict.ts'
import { appliedDocument, judgeWithdrawn, routersByNetwork, stillServes } from './applied-document.ts'
import { networkOfFirewallRule } from './firewall-rules.ts'
import { networkPlan } from './network-plan.ts'
import { routerDocument } from './router-document.ts'

const valid: Phase<typeof FirewallRule> = {
  condition: 'Valid',
  judge: (self, world) => {
    const key = networkOfFirewallRule(self, world)
    const plan = key === undefined ? undefined : world.derived(networkPlan, key)
    if (plan === undefined) return satisfied('Valid')
    const field = self.spec.direction === 'Egress' ? 'spec.networkName' : 'spec.publicIPName'
    if (!plan.services.includes('Firewall')) {
      return blocked(
        'NotOffered',
        `${field}: the offering of the network has no service Firewall: choose another network, or another offering`,
      )
    }
    const outside =
      self.spec.direction === 'Egress' ? self.spec.sourceCIDRs.find(cidr => !isInside(cidr, plan.cidr)) : undefined
    if (outside === undefined) return satisfied('Valid')
    return blocked(
      'SourceOutsideNetwork',
      `spec.sourceCIDRs: ${outside} is not inside ${plan.cidr}, where the network's guests are: leave it out, or narrow it`,
    )
  },
}

function isInside(cidr: string, network: string | undefined): boolean {
  if (network === undefined || cidr.includes(':')) return false
  return contains(rangeOf(network), rangeOf(cidr))
}

const applied: Phase<typeof FirewallRule> = {
  condition: 'Applied',
  needs: ['Valid'],
  judge: (self, world) => {
    const key = networkOfFirewallRule(self, world)
    if (key === undefined) return waiting('TargetNotFound', 'The network or the public address does not exist')
    if (world.desired.list(routersByNetwork, key).length === 0) {
      return satisfied('Idle', 'The rule is kept as soon as the network has a router', { summary: true })
    }
    const identity = world.identity(self)
    const of = (rules: readonly { readonly identity: string }[] | undefined) =>
      rules?.find(rule => rule.identity === identity)
    const wished = of(world.derived(routerDocument, key)?.document.firewall.rules)
    const found = of(appliedDocument(key, world)?.firewall.rules)
    const { publicIPName } = self.spec
    if (wished === undefined && publicIPName !== undefined) {
      return waiting('RouterNotConfigured', `PublicIP "${publicIPName}" has no address, or is being deleted`)
    }
    if (wished === undefined || !deepEqual(wished, found))
      return waiting('RouterNotConfigured', 'The router does not hold the rule yet')
    return satisfied('Applied')
  },
}

const withdrawn: Phase<typeof FirewallRule> = {
  condition: 'Applied',
  judge: (self, world) => {
    const key = networkOfFirewallRule(self, world)
    const identity = world.identity(self)
    if (key === undefined) return satisfied('Removed')
    return judgeWithdrawn(
      stillServes(key, ({ firewall }) => firewall.rules.some(rule => rule.identity === identity), world),
      'the rule',
    )
  },
}

/** The reconciler of firewall rules. */
export const firewallRuleReconciler = defineReconciler(FirewallRule, {
  references: ({ spec, metadata: { namespace } }) => [
    ...(spec.networkName === undefined
      ? []
      : [{ kind: Network, name: spec.networkName, namespace, field: 'spec.networkName' }]),
    ...(spec.publicIPName === undefined
      ? []
      : [{ kind: PublicIP, name: spec.publicIPName, namespace, field: 'spec.publicIPName' }]),
  ],
  phases: [valid, applied],
  teardown: [withdrawn],
})
