import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { Network } from '../../crds/network/network.ts'
import { PublicIP } from '../../crds/network/public-ip.ts'
import { allocationsByHolder, holderOf } from '../claims.ts'
import { defineReconciler, type Phase, type Reference } from '../define-reconciler.ts'
import { remove } from '../effect.ts'
import { acting, blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import { isStored, type Wish, type World } from '../world.ts'
import { appliedDocument, judgeWithdrawn, routersByNetwork, stillServes } from './applied-document.ts'
import { firewallRulesByTarget } from './firewall-rules.ts'
import { targetRefusal } from './guest-address.ts'
import { networkKey, networkPlan } from './network-plan.ts'
import { forwardingsByPublicIP } from './port-forwardings.ts'
import { addressHeld, judgePublicAddress, rangeOfAddress } from './public-addresses.ts'
import { routerLacking } from './router-ability.ts'
import { sourceNATName, staticNATTarget } from './router-document.ts'

type PublicAddress = Wish<typeof PublicIP>

function networkOf({ spec, metadata }: PublicAddress): string {
  return networkKey('Network', spec.networkName, metadata.namespace)
}

const addressAllocated: Phase<typeof PublicIP> = {
  condition: 'AddressAllocated',
  judge: (self, world) => {
    const zone = world.desired.get(Zone, self.spec.zoneName)
    if (zone === undefined) return waiting('ZoneNotFound', `Zone "${self.spec.zoneName}" does not exist`)
    return judgePublicAddress(
      {
        holder: holderOf(self),
        zoneName: self.spec.zoneName,
        zoneUID: zone.metadata.uid,
        wished: self.spec.address,
      },
      world,
    )
  },
}

const associated: Phase<typeof PublicIP> = {
  condition: 'Associated',
  needs: ['AddressAllocated'],
  judge: judgeAssociated,
}

/** The router holds the address, with the static NAT wished for. */
function judgeAssociated(self: PublicAddress, world: World): Verdict {
  const address = addressHeld(self, world)
  if (address === undefined) return waiting('AddressPending', 'No address is taken yet')
  const refusal = judgeStaticNAT(self, world)
  if (refusal !== undefined) return refusal
  const key = networkOf(self)
  const plan = world.derived(networkPlan, key)
  if (plan !== undefined && !plan.routed) {
    return blocked(
      'NotOffered',
      `spec.networkName: network "${self.spec.networkName}" has no virtual router to lead the address to`,
    )
  }
  const lacking = plan === undefined ? undefined : routerLacking(plan, world)
  if (lacking !== undefined) return lacking
  if (rangeOfAddress(self.spec.zoneName, address, world) === undefined) {
    return blocked(
      'AddressOutsideRanges',
      `${address} is in no PublicIPRange of zone "${self.spec.zoneName}" any more: bring the range back, or make another PublicIP`,
    )
  }
  const isSource = sourceNATName(key, world) === self.metadata.name
  if (isSource && world.desired.list(routersByNetwork, key).length === 0) {
    return satisfied('Idle', 'Nothing uses the network yet', { summary: true })
  }
  const held = appliedDocument(key, world)?.publicAddresses.find(entry => entry.address === address)
  if (held === undefined) return waiting('RouterNotConfigured', 'The router does not hold the address yet')
  const target = staticNATTarget(self, key, world)
  if (held.staticNAT !== target) return waiting('RouterNotConfigured', 'The router does not hold the static NAT yet')
  if (held.sourceNAT !== isSource)
    return waiting('RouterNotConfigured', 'The router does not translate sources to it yet')
  return satisfied('Associated')
}

function judgeStaticNAT(self: PublicAddress, world: World): Verdict | undefined {
  const wished = self.spec.staticNAT
  if (wished === undefined) return undefined
  const key = networkOf(self)
  if (sourceNATName(key, world) === self.metadata.name) {
    return blocked(
      'SourceNATAddress',
      'spec.staticNAT: the source NAT address of a network cannot be translated to one machine',
    )
  }
  const plan = world.derived(networkPlan, key)
  if (plan !== undefined && !plan.services.includes('StaticNAT')) {
    return blocked('NotOffered', 'spec.staticNAT: the offering of the network has no service StaticNAT: remove it')
  }
  const rules = world.desired.list(forwardingsByPublicIP, `${self.metadata.namespace}/${self.metadata.name}`)
  if (rules.length > 0) {
    const names = rules.map(({ metadata }) => metadata.name).join(', ')
    return blocked('RulesOnAddress', `spec.staticNAT excludes port forwarding rules on the address: remove ${names}`)
  }
  const { namespace } = self.metadata
  const refusal = targetRefusal({ network: key, namespace, ...wished }, 'spec.staticNAT', world)
  if (refusal !== undefined) return refusal
  if (world.desired.get(VirtualMachine, wished.virtualMachineName, namespace) === undefined) return undefined
  if (staticNATTarget(self, key, world) !== undefined) return undefined
  return waiting(
    'MachineHasNoAddress',
    `Machine "${wished.virtualMachineName}" has no address in network "${self.spec.networkName}" yet`,
  )
}

const noLongerServed: Phase<typeof PublicIP> = {
  condition: 'Associated',
  judge: (self, world) => {
    const address = addressHeld(self, world)
    const serves = stillServes(
      networkOf(self),
      ({ publicAddresses }) => publicAddresses.some(entry => entry.address === address),
      world,
    )
    return judgeWithdrawn(serves, 'the address')
  },
}

const returned: Phase<typeof PublicIP> = {
  condition: 'AddressAllocated',
  needs: ['Associated'],
  judge: (self, world) => {
    const held = world.desired.list(allocationsByHolder, self.metadata.uid).filter(isStored)
    return held.length === 0
      ? satisfied('Returned')
      : acting('Returning', 'Giving back the address', ...held.map(remove))
  },
}

function references({ spec, metadata: { namespace } }: PublicAddress): readonly Reference[] {
  const machine = spec.staticNAT?.virtualMachineName
  return [
    { kind: Zone, name: spec.zoneName, field: 'spec.zoneName' },
    { kind: Network, name: spec.networkName, namespace, field: 'spec.networkName' },
    ...(machine === undefined
      ? []
      : [{ kind: VirtualMachine, name: machine, namespace, field: 'spec.staticNAT.virtualMachineName' }]),
  ]
}

/** The reconciler of public addresses. */
export const publicIPReconciler = defineReconciler(PublicIP, {
  references,
  phases: [addressAllocated, associated],
  teardown: [noLongerServed, returned],
  usedBy: [
    { index: forwardingsByPublicIP, value: ({ metadata }) => `${metadata.namespace}/${metadata.name}` },
    { index: firewallRulesByTarget, value: ({ metadata }) => `PublicIP/${metadata.namespace}/${metadata.name}` },
  ],
  report: (status, self, world) => {
    const address = addressHeld(self, world)
    if (address === undefined) delete status.address
    else status.address = address
  },
})
