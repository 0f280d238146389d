import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { addressKey } from '../../crds/invariants/addresses.ts'
import { parseBytes } from '../../crds/invariants/quantity.ts'
import type { MachineFacts, MachineNIC, RouterDocument } from '../../drivers/contract/facts.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { allocate, allocationsByHolder, holderOf, machineClaim } from '../claims.ts'
import { isMigrating } from '../compute/whereabouts.ts'
import { defineReconciler, type Phase } from '../define-reconciler.ts'
import { operate } from '../effect.ts'
import { defineFields, type Field } from '../fields.ts'
import { macAddressOf } from '../identity.ts'
import {
  type Appliance,
  type ApplianceWished,
  applianceDefinition,
  applianceFields,
  appliancePhases,
  applianceTeardown,
  decideAppliance,
  judgeDefined,
  runningAppliance,
  seenAtHome,
} from '../system/appliance.ts'
import { acting, blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import { defineIndex, type Wish, type World } from '../world.ts'
import { chooseAddress } from './addressing.ts'
import { routersByNetwork } from './applied-document.ts'
import {
  addressPoolOf,
  guestSegmentOn,
  type NetworkKey,
  type NetworkPlan,
  networkKey,
  networkPlan,
  trafficOn,
} from './network-plan.ts'
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
  capability: 'VirtualRouter',
  size: ({ spec }) => ({ cores: spec.cores, clockMHz: spec.clockMHz, memoryBytes: parseBytes(spec.memory) }),
  nics: (self, world) => {
    const identity = world.identity(self)
    const plan = world.derived(networkPlan, networkServed(self))
    const hostName = machineClaim(identity, world)?.spec.machine?.hostName
    if (plan === undefined) return undefined
    const guest = guestSegmentOn(plan, hostName, world)
    const address = guestAddressOf(self, plan, world)
    if (guest === undefined || address === undefined) return undefined
    const inner: MachineNIC = {
      name: 'guest',
      macAddress: macAddressOf(identity, 'guest'),
      segment: guest,
      addresses: [address],
    }
    if (!plan.services.includes('SourceNAT')) return [inner]
    const outer = trafficOn(plan.zoneName, hostName, 'Public', world)
    if (outer === undefined) return undefined
    return [inner, { name: 'public', macAddress: macAddressOf(identity, 'public'), segment: outer, addresses: [] }]
  },
}

/** The router's own address in the network: the gateway of a tenant's network, one of the range in a shared one. */
function guestAddressOf(self: Router, plan: NetworkPlan, world: World): string | undefined {
  if (plan.kind === 'Network') return plan.gateway
  return world.desired
    .list(allocationsByHolder, self.metadata.uid)
    .find(({ spec }) => spec.type === 'IP' && spec.realm === plan.uid)?.spec.value
}

interface RouterWished extends ApplianceWished {
  readonly document: RouterDocument
}

/** One section of the document that a router holds; given to it as a whole, of which it applies the difference. */
function section<Name extends keyof RouterDocument>(
  name: Name,
  tell: (value: RouterDocument[Name]) => string,
): Field<RouterWished, MachineFacts> {
  return {
    path: `status.configuration.${name}`,
    desired: ({ document }) => document[name],
    observed: ({ router }) => router?.document[name],
    tell: value => (value === undefined ? 'none' : tell(value as RouterDocument[Name])),
    change: 'Live',
  }
}

const shown = 8

function entries<T>(tell: (entry: T) => string): (list: readonly T[]) => string {
  return list => {
    const more = list.length > shown ? ` and ${list.length - shown} more` : ''
    return list.length === 0 ? 'none' : `${list.slice(0, shown).map(tell).join(' ')}${more}`
  }
}

const fields = defineFields(VirtualRouter, {
  fields: [
    ...applianceFields,
    section('guest', ({ cidr, gateway, domain }) => `${cidr} ${gateway} ${domain}`),
    section(
      'dhcp',
      entries(({ hostName, address }) => `${hostName}=${address}`),
    ),
    section(
      'publicAddresses',
      entries(({ address }) => address),
    ),
    section(
      'portForwardings',
      entries(
        ({ protocol, address, publicPort, target, privatePort }) =>
          `${protocol}/${address}:${publicPort}->${target}:${privatePort}`,
      ),
    ),
    section('firewall', ({ egressDefault, rules }) => `egress ${egressDefault}, ${rules.length} rules`),
    section(
      'userData',
      entries(({ address, hash }) => `${address}=${hash.slice(0, 8)}`),
    ),
  ],
  wished: (self, world) => {
    const definition = applianceDefinition(self, appliance, world)
    const document = world.derived(routerDocument, networkServed(self))?.document
    return definition === undefined || document === undefined ? undefined : { definition, document }
  },
  found: runningAppliance,
  decide: decideAppliance,
})

/** A network has one router: a second one would answer at the same addresses. Who is older or has a place stays. */
const alone: Phase<typeof VirtualRouter> = {
  condition: 'Alone',
  judge: (self, world) => {
    const { uid } = self.metadata
    const routers = world.desired.list(routersByNetwork, networkServed(self))
    const age = routers.findIndex(({ metadata }) => metadata.uid === uid)
    const other = routers.find(
      (router, index) =>
        router.metadata.uid !== uid && (index < age || machineClaim(world.identity(router), world) !== undefined),
    )
    if (other === undefined) return satisfied('Alone')
    const { kind, name } = self.spec.networkRef
    return blocked(
      'NetworkServedAlready',
      `spec.networkRef: VirtualRouter "${other.metadata.name}" serves ${kind} "${name}" already: delete one of the two`,
    )
  },
}

function onlyAlone(phase: Phase<typeof VirtualRouter>): Phase<typeof VirtualRouter> {
  return { ...phase, needs: [...(phase.needs ?? []), alone.condition] }
}

const addressed: Phase<typeof VirtualRouter> = {
  condition: 'AddressesAllocated',
  needs: ['Alone'],
  judge: (self, world) => {
    const plan = world.derived(networkPlan, networkServed(self))
    if (plan === undefined) return waiting('NetworkNotFound', 'The network it serves is missing')
    const held = guestAddressOf(self, plan, world)
    if (held !== undefined) return satisfied('Allocated', held)
    const pool = addressPoolOf(plan)
    if (pool === undefined) return waiting('NetworkNotFound', 'The network it serves has no addresses')
    const identity = world.identity(self)
    const seen = world.observed.machines(identity).flatMap(({ facts }) => facts.definition.nics)
    const address = chooseAddress(
      pool,
      identity,
      seen.flatMap(({ addresses }) => addresses),
      world,
    )
    if (address === undefined) {
      return waiting('AddressesExhausted', 'The network it serves has no free address', { recheck: 60_000 })
    }
    const holder = holderOf(self)
    const claim = allocate({ type: 'IP', realm: plan.uid, value: addressKey(address), holder }, world)
    return acting('Allocating', `Taking ${address}`, claim)
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
  const pauses = here?.facts.migratingTo !== undefined
  if (here === undefined || claim === undefined || (here.facts.powerState !== 'Running' && !pauses)) {
    return waiting('NotRunning', 'The router does not run')
  }
  if (!here.current) return waiting('HostSilent', 'The host of the router does not answer')
  const changing = judgeDefined(self, appliance, fields, world)
  if (changing !== undefined) return changing
  const differences = fields(self, world)?.differences ?? []
  if (here.facts.router?.hash === wished.hash && differences.length === 0) return satisfied('AsDescribed')
  if (isMigrating(claim)) return waiting('Migrating', 'The router is configured when its migration is over')
  const args = { identity, epoch: claim.spec.epoch, ...wished }
  const change = operation('ConfigureRouter', { endpoint: here.endpoint, identity }, args)
  return acting('Configuring', 'The router is being given its configuration', operate(change, [claim.metadata.name]))
}

/** The reconciler of virtual routers. */
export const virtualRouterReconciler = defineReconciler(VirtualRouter, {
  references: ({ spec }) => [{ kind: Zone, name: spec.zoneName, field: 'spec.zoneName' }],
  fields,
  phases: [alone, ...appliancePhases(appliance).map(onlyAlone), addressed, configured],
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
