import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { parseBytes } from '../../crds/invariants/quantity.ts'
import type { MachineNIC } from '../../drivers/contract/facts.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { machineClaim } from '../claims.ts'
import { defineReconciler, type Phase } from '../define-reconciler.ts'
import { operate } from '../effect.ts'
import { macAddressOf } from '../identity.ts'
import { type Appliance, appliancePhases, applianceTeardown, seenAtHome } from '../system/appliance.ts'
import { acting, satisfied, type Verdict, waiting } from '../verdict.ts'
import { defineIndex, type Wish, type World } from '../world.ts'
import { type NetworkKey, networkKey, networkPlan, segmentOn } from './network-plan.ts'
import { routerDocument } from './router-document.ts'

type Router = Wish<typeof VirtualRouter>

/** Routers by the name of their zone. */
export const routersByZone = defineIndex(VirtualRouter, 'routersByZone', ({ spec }) => [spec.zoneName])

/** The key of the network that a router serves. */
export function networkServed({ spec: { networkRef } }: Router): NetworkKey {
  return networkKey(networkRef.kind, networkRef.name, networkRef.namespace)
}

/** A router as an appliance: one machine of the control plane's own. */
const appliance: Appliance<typeof VirtualRouter> = {
  role: 'VirtualRouter',
  size: ({ spec }) => ({ cores: spec.cores, clockMHz: spec.clockMHz, memoryBytes: parseBytes(spec.memory) }),
  nics: (self, world) => {
    const identity = world.identity(self)
    const plan = world.derived(networkPlan, networkServed(self))
    const hostName = machineClaim(identity, world)?.spec.machine?.hostName
    if (plan === undefined) return undefined
    const guest = segmentOn(plan, hostName, 'Guest', world)
    if (guest === undefined || plan.gateway === undefined) return undefined
    const inner: MachineNIC = {
      name: 'guest',
      macAddress: macAddressOf(identity, 'guest'),
      segment: guest,
      addresses: [plan.gateway],
    }
    if (!plan.services.includes('SourceNAT')) return [inner]
    const outer = segmentOn(plan, hostName, 'Public', world)
    if (outer === undefined) return undefined
    return [inner, { name: 'public', macAddress: macAddressOf(identity, 'public'), segment: outer, addresses: [] }]
  },
}

const configured: Phase<typeof VirtualRouter> = {
  condition: 'Configured',
  needs: ['PowerApplied'],
  judge: judgeConfigured,
}

/** The router holds exactly the rendered document. It is given the whole of it; it applies the difference. */
function judgeConfigured(self: Router, world: World): Verdict {
  const identity = world.identity(self)
  const wished = world.derived(routerDocument, networkServed(self))
  if (wished === undefined) return waiting('NetworkNotFound', 'The network it serves is missing or has no addresses')
  const here = seenAtHome(identity, world)
  const claim = machineClaim(identity, world)
  if (here === undefined || claim === undefined || here.facts.powerState !== 'Running') {
    return waiting('NotRunning', 'The router does not run')
  }
  if (!here.current) return waiting('HostSilent', 'The host of the router does not answer')
  if (here.facts.router?.hash === wished.hash) return satisfied('AsDescribed')
  const args = { identity, epoch: claim.spec.epoch, ...wished }
  const change = operation('ConfigureRouter', { endpoint: here.endpoint, identity }, args)
  return acting('Configuring', 'The router is being given its configuration', operate(change, [claim.metadata.name]))
}

/** The reconciler of virtual routers. */
export const virtualRouterReconciler = defineReconciler(VirtualRouter, {
  references: ({ spec }) => [{ kind: Zone, name: spec.zoneName, field: 'spec.zoneName' }],
  phases: [...appliancePhases(appliance), configured],
  teardown: applianceTeardown(),
  report: (status, self, world) => {
    const identity = world.identity(self)
    const held = machineClaim(identity, world)?.spec.machine
    const here = seenAtHome(identity, world)
    if (held === undefined) delete status.hostName
    else status.hostName = held.hostName
    status.powerState = here === undefined ? 'Off' : here.current ? here.facts.powerState : 'Unknown'
    const hash = here?.facts.router?.hash
    if (hash === undefined) delete status.configurationHash
    else status.configurationHash = hash
    const source = world
      .derived(routerDocument, networkServed(self))
      ?.document.publicAddresses.find(({ sourceNAT }) => sourceNAT)
    if (source === undefined) delete status.publicAddress
    else status.publicAddress = source.address
  },
})
