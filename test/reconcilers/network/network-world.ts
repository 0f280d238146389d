/** The quickstart's network in a test world: web with its router, web-ip, web-1; and what phases say of it. */
import type { AnyKind } from '../../../crds/define-kind.ts'
import type { Resource } from '../../../crds/meta.ts'
import type { RouterDocument } from '../../../drivers/contract/facts.ts'
import type { Reconciler } from '../../../reconcilers/define-reconciler.ts'
import { networkKey } from '../../../reconcilers/network/network-plan.ts'
import { routerDocument } from '../../../reconcilers/network/router-document.ts'
import type { Verdict } from '../../../reconcilers/verdict.ts'
import type { EndpointState, Wish } from '../../../reconcilers/world.ts'
import { allocation, holder, machineClaim } from '../claim-builders.ts'
import { hostFacts, machineFacts } from '../fact-builders.ts'
import { cluster, host, physicalNetwork, pod, publicRange, router, zone } from '../infrastructure-builders.ts'
import { answering } from '../observed-tables.ts'
import { keyOf, uidOf } from '../resource-builder.ts'
import { machine, network, networkOffering, offering, publicIP, template } from '../tenant-builders.ts'
import { passOf, type TestWorld, worldOf } from '../world-builder.ts'

/** The host that everything is on. */
export const host1 = keyOf('Host', 'host-1')
/** The key of network shop/web. */
export const web = networkKey('Network', 'web', 'shop')

/** The operators' part: one zone with one host that was read. */
export const places: readonly Resource[] = [
  zone(),
  physicalNetwork(),
  pod(),
  cluster(),
  host(),
  publicRange(),
  offering(),
  template(),
  networkOffering(),
]

/** A world with these objects beside the operators' part; later objects of the same name replace earlier ones. */
export function networkWorld(
  objects: readonly Resource[],
  parts: { readonly state?: EndpointState; readonly capabilities?: Parameters<typeof hostFacts>[0] } = {},
): TestWorld {
  const world = worldOf({
    objects: places,
    endpoints: { [host1]: parts.state ?? answering },
    hosts: { [host1]: hostFacts(parts.capabilities) },
  })
  world.put(...objects)
  return world
}

/** The claim of an address in network web for an object. */
export function addressClaim(object: Resource, value: string, realm = uidOf('Network', 'web', 'shop')) {
  return allocation({ type: 'IP', realm, value, holder: holder(object) })
}

/** The claim of a public address for an object. */
export function publicClaim(object: Resource, value: string) {
  return allocation({ type: 'PublicIP', realm: uidOf('Zone', 'zone-a'), value, holder: holder(object) })
}

/** The claim of a segment for an object. */
export function segmentClaim(object: Resource, value: string) {
  return allocation({ type: 'Segment', realm: uidOf('PhysicalNetwork', 'fabric'), value, holder: holder(object) })
}

/** Network web in use: router and web-1 placed, addresses held, the source NAT address and web-ip. */
export function served(): readonly Resource[] {
  const sourceNAT = publicIP({
    name: 'web-source-nat',
    metadata: {
      ownerReferences: [
        {
          apiVersion: 'network.skystead.dev/v1alpha1',
          kind: 'Network',
          name: 'web',
          uid: uidOf('Network', 'web', 'shop'),
          controller: true,
        },
      ],
    },
  })
  return [
    network(),
    router(),
    machine(),
    sourceNAT,
    publicIP(),
    segmentClaim(network(), '5001'),
    machineClaim(router(), 'host-1', { clockMHz: 500, memoryBytes: 256 * 2 ** 20 }),
    machineClaim(machine(), 'host-1'),
    addressClaim(machine(), '10.1.1.20'),
    publicClaim(sourceNAT, '192.0.2.101'),
    publicClaim(publicIP(), '192.0.2.102'),
  ]
}

/** Lets the router of network web run with what it shall hold now, or with this document. */
export function configureRouter(world: TestWorld, document?: RouterDocument, current = true): void {
  const wished = world.derived(routerDocument, web)
  const held = document === undefined ? wished : { hash: 'another', document }
  const facts = machineFacts(router(), { ...(held === undefined ? {} : { router: held }) })
  world.see({ machines: [{ endpoint: host1, facts, current }] })
}

/** What each phase of a kind says of an object as the world has it. */
export function verdictsOf<K extends AnyKind>(
  reconciler: Reconciler<K>,
  object: Resource,
  world: TestWorld,
  list: 'phases' | 'teardown' = 'phases',
): Readonly<Record<string, Verdict>> {
  const { name, namespace } = object.metadata
  const self = world.desired.get(reconciler.kind, name, namespace) as Wish<K> | undefined
  if (self === undefined) throw new Error(`Cannot judge ${object.kind} ${name}: the world has none`)
  const pass = passOf(world)
  return Object.fromEntries((reconciler[list] ?? []).map(phase => [phase.condition, phase.judge(self, pass)]))
}

/** Verdict and reason, and for what acts the effects: `acting Allocating Create`. */
export function brief(verdict: Verdict | undefined): string {
  if (verdict === undefined) return 'nothing'
  const effects = verdict.is === 'acting' ? verdict.effects : []
  return [
    verdict.is,
    verdict.reason,
    ...effects.map(effect => (effect.effect === 'Operate' ? effect.operation.verb : effect.effect)),
  ].join(' ')
}

/** Names of the Allocations or children that a verdict creates. */
export function created(verdict: Verdict | undefined): readonly string[] {
  if (verdict?.is !== 'acting') return []
  return verdict.effects.flatMap(effect => (effect.effect === 'Create' ? [effect.object.metadata.name] : []))
}
