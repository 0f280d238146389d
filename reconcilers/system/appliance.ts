import type { DriftDecision, Management } from '../../crds/common.ts'
import type { AnyKind } from '../../crds/define-kind.ts'
import { formatQuantity } from '../../crds/invariants/quantity.ts'
import type { Capability, MachineDefinition, MachineFacts, MachineNIC, Mark } from '../../drivers/contract/facts.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { allocationsByHolder, definitionClaims, holderOf, machineClaim } from '../claims.ts'
import { judgeSettled, settledCondition } from '../compute/machine-move.ts'
import { judgePlace, judgeRelease } from '../compute/machine-place.ts'
import { judgePower, judgeRemoval } from '../compute/machine-power.ts'
import { isMigrating, whereSeen } from '../compute/whereabouts.ts'
import type { Phase } from '../define-reconciler.ts'
import { operate, remove } from '../effect.ts'
import { byName, type Difference, decideByChange, type Field, type Fields } from '../fields.ts'
import { managementModeOf } from '../management.ts'
import { once } from '../once.ts'
import type { PlacementRequest } from '../placement/request.ts'
import { acting, blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import { isStored, type Seen, type Wish, type World } from '../world.ts'
import { abilityOf } from './zone-capabilities.ts'

/** How long an appliance may take to shut down, in ms. */
const shutdownTimeout = 30_000

/** A machine of the control plane's own: a virtual router, a console proxy, a secondary storage VM. */
export interface Appliance<K extends AnyKind> {
  readonly role: MachineDefinition['role'] | ((self: Wish<K>) => MachineDefinition['role'])
  /** What a host must be able to do to carry it. */
  readonly capability: Capability
  readonly size: (self: Wish<K>) => { readonly cores: number; readonly clockMHz: number; readonly memoryBytes: number }
  /** Its NICs; undefined while a part of them is not known yet. */
  readonly nics: (self: Wish<K>, world: World) => readonly MachineNIC[] | undefined
}

/** What every appliance's kind has in its spec. */
interface ApplianceWish {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid: string
    readonly generation: number
  }
  readonly spec: { readonly zoneName: string; readonly management: Management }
}

/** The phases of an appliance: a place, a stay there, power. It always runs, and is moved when its host is proven off. */
export function appliancePhases<K extends AnyKind>(
  appliance: Appliance<K>,
): readonly [scheduled: Phase<K>, settled: Phase<K>, powerApplied: Phase<K>] {
  return [
    {
      condition: 'Scheduled',
      judge: (self, world) => judgeScheduled(self as ApplianceWish & Wish<K>, appliance, world),
    },
    {
      condition: settledCondition,
      informational: true,
      judge: (self, world) => judgeStay(self as ApplianceWish & Wish<K>, appliance, world),
    },
    { condition: 'PowerApplied', judge: (self, world) => judgeUp(self as ApplianceWish & Wish<K>, appliance, world) },
  ]
}

/** What the deletion of an appliance does: off, gone, everything given back. */
export function applianceTeardown<K extends AnyKind>(): readonly Phase<K>[] {
  return [
    {
      condition: 'PowerApplied',
      judge: (self, world) => {
        const refusal = orphaning(self as ApplianceWish & Wish<K>)
        if (refusal !== undefined) return refusal
        const identity = world.identity(self as ApplianceWish & Wish<K>)
        return judgeRemoval(identity, machineClaim(identity, world), shutdownTimeout, world)
      },
    },
    {
      condition: 'Scheduled',
      needs: ['PowerApplied'],
      judge: (self, world) => {
        const identity = world.identity(self as ApplianceWish & Wish<K>)
        const claim = machineClaim(identity, world)
        return claim === undefined
          ? satisfied('Released')
          : (judgeRelease(claim, identity, world) ?? satisfied('Released'))
      },
    },
    {
      condition: 'Configured',
      needs: ['PowerApplied', 'Scheduled'],
      judge: (self, world) => {
        const { uid } = (self as ApplianceWish & Wish<K>).metadata
        const held = world.desired
          .list(allocationsByHolder, uid)
          .filter(claim => claim.spec.type !== 'Machine' && claim.spec.type !== 'Stray' && isStored(claim))
        if (held.length === 0) return satisfied('Returned')
        return acting('Returning', 'Giving back what it holds', ...held.map(remove))
      },
    },
  ]
}

/** A machine as the host of its claim reports it. */
export function seenAtHome(identity: string, world: World): Seen<MachineFacts> | undefined {
  return whereSeen(identity, machineClaim(identity, world), world)
}

/** What is wished of an appliance, as far as it is seen at its host. */
export interface ApplianceWished {
  readonly definition: MachineDefinition
}

const nicsPath = 'status.nics'

/** The fields that every appliance has. */
export const applianceFields: readonly Field<ApplianceWished, MachineFacts>[] = [
  sized('spec.cores', ({ cores }) => cores),
  sized('spec.clockMHz', ({ clockMHz }) => clockMHz),
  sized('spec.memory', ({ memoryBytes }) => formatQuantity(memoryBytes, 'Bytes')),
  {
    path: nicsPath,
    desired: ({ definition }) => byName(definition.nics),
    observed: ({ definition }) => byName(definition.nics),
    change: 'Live',
  },
]

function sized(path: string, of: (definition: MachineDefinition) => unknown): Field<ApplianceWished, MachineFacts> {
  return { path, desired: wished => of(wished.definition), observed: found => of(found.definition), change: 'Restart' }
}

/** What is done about a difference of an appliance: it keeps nothing of its own, so it is restarted where need be. */
export function decideAppliance(
  difference: Difference,
  self: { readonly metadata: { readonly uid: string } },
  world: World,
): DriftDecision {
  return seenAtHome(world.identity(self), world)?.current === false ? 'WaitsForHost' : decideByChange(difference)
}

/** An appliance that runs, as its host reports it. */
export function runningAppliance(
  self: { readonly metadata: { readonly uid: string } },
  world: World,
): MachineFacts | undefined {
  const facts = seenAtHome(world.identity(self), world)?.facts
  return facts?.powerState === 'Running' ? facts : undefined
}

/**
 * Whether the machine on its host is as described. NICs are changed live; another size needs a restart, and an
 * appliance, which keeps nothing of its own, is restarted for it. Undefined: it is.
 */
export function judgeDefined<K extends AnyKind>(
  self: Wish<K>,
  appliance: Appliance<K>,
  fields: Fields<K>,
  world: World,
): Verdict | undefined {
  const wish = self as ApplianceWish & Wish<K>
  const refusal = orphaning(wish)
  if (refusal !== undefined) return refusal
  const identity = world.identity(wish)
  const claim = machineClaim(identity, world)
  const here = seenAtHome(identity, world)
  const wished = applianceDefinition(self, appliance, world)
  const differences = fields(self, world)?.differences ?? []
  if (claim === undefined || here === undefined || !here.current || wished === undefined) return undefined
  if (isMigrating(claim)) return undefined
  const { definition } = here.facts
  const { epoch } = claim.spec
  const target = { endpoint: here.endpoint, identity }
  if (differences.some(({ path }) => path === nicsPath)) {
    const next = { ...definition, nics: wished.nics }
    const change = operation('DefineMachine', target, { identity, epoch, mark: markOf(wish, world), definition: next })
    return acting('Changing', 'Its NICs are being changed', operate(change, definitionClaims(claim, world)))
  }
  if (!differences.some(({ change }) => change === 'Restart')) return undefined
  const stop = operation('StopMachine', target, { identity, epoch, mode: 'Forced' })
  return acting('Resizing', 'It is being restarted with its new size', operate(stop, [claim.metadata.name]))
}

function orphaning({ spec: { management } }: ApplianceWish): Verdict | undefined {
  if (management.deletionPolicy === 'Delete') return undefined
  return blocked('NotSupportedYet', 'spec.management.deletionPolicy "Orphan" is not supported yet: set it to "Delete"')
}

function judgeScheduled<K extends AnyKind>(
  self: ApplianceWish & Wish<K>,
  appliance: Appliance<K>,
  world: World,
): Verdict {
  return once(world, `scheduled/${self.metadata.uid}`, () => findPlace(self, appliance, world))
}

function findPlace<K extends AnyKind>(self: ApplianceWish & Wish<K>, appliance: Appliance<K>, world: World): Verdict {
  const identity = world.identity(self)
  const { zoneName } = self.spec
  const { capability } = appliance
  if (machineClaim(identity, world) === undefined && abilityOf(zoneName, capability, world) === 'Lacking') {
    return blocked(
      'NotSupportedYet',
      `spec.zoneName: no host of zone "${zoneName}" can carry it (capability ${capability}): add one that can`,
    )
  }
  return judgePlace(
    {
      identity,
      holder: holderOf(self),
      request: requestOf(self, appliance),
      wanted: true,
      movable: true,
      restartPriority: 'System',
      volumeHolders: {},
    },
    world,
  )
}

function requestOf<K extends AnyKind>(self: ApplianceWish & Wish<K>, appliance: Appliance<K>): PlacementRequest {
  const { zoneName } = self.spec
  const size = appliance.size(self)
  return { zoneName, ...size, capabilities: [appliance.capability], hostTags: [], planner: 'FirstFit', volumes: [] }
}

function judgeStay<K extends AnyKind>(self: ApplianceWish & Wish<K>, appliance: Appliance<K>, world: World): Verdict {
  const identity = world.identity(self)
  const wish = {
    identity,
    claim: machineClaim(identity, world),
    request: requestOf(self, appliance),
    movable: true,
    observes: managementModeOf(self, world) === 'Observe',
    restartPriority: 'System' as const,
  }
  return judgeSettled(wish, world)
}

function judgeUp<K extends AnyKind>(self: ApplianceWish & Wish<K>, appliance: Appliance<K>, world: World): Verdict {
  const identity = world.identity(self)
  const claim = machineClaim(identity, world)
  if (claim === undefined) return waiting('NotScheduled', 'The machine has no place on a host yet')
  const place = judgeScheduled(self, appliance, world)
  const wished = applianceDefinition(self, appliance, world)
  const definition = wished ?? seenAtHome(identity, world)?.facts.definition
  const pending = waiting('NetworkNotReady', 'A part of its network is not known yet')
  const hold = place.is === 'satisfied' ? (wished === undefined ? pending : undefined) : place
  return judgePower(
    {
      identity,
      claim,
      mark: markOf(self, world),
      definition: definition ?? { ...appliance.size(self), role: roleOf(self, appliance), ...nothing },
      runStrategy: 'Always',
      shutdownTimeout,
      generation: self.metadata.generation,
      ...(hold === undefined ? {} : { hold: asHold(hold), keptUp: place.is !== 'acting' }),
    },
    world,
  )
}

const nothing = { guestHostName: '', disks: [], nics: [] } as const

/** What holds a start back is for another phase to bring about: here it is only waited for. */
function asHold(verdict: Verdict): Verdict {
  return verdict.is === 'acting' ? waiting(verdict.reason, verdict.message) : verdict
}

/** An appliance's machine as it should be defined; undefined while a part of it is not known yet. */
export function applianceDefinition<K extends AnyKind>(
  self: Wish<K>,
  appliance: Appliance<K>,
  world: World,
): MachineDefinition | undefined {
  const nics = appliance.nics(self, world)
  if (nics === undefined) return undefined
  return {
    role: roleOf(self, appliance),
    ...appliance.size(self),
    guestHostName: (self as ApplianceWish & Wish<K>).metadata.name,
    disks: [],
    nics,
  }
}

function roleOf<K extends AnyKind>(self: Wish<K>, { role }: Appliance<K>): MachineDefinition['role'] {
  return typeof role === 'function' ? role(self) : role
}

function markOf(self: ApplianceWish, world: World): Mark {
  const { name, namespace } = self.metadata
  return {
    installation: world.installation,
    kind: self.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
  }
}
