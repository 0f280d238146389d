import type { AnyKind } from '../../crds/define-kind.ts'
import type { MachineDefinition, MachineFacts, MachineNIC } from '../../drivers/contract/facts.ts'
import { allocationsByHolder, holderOf, machineClaim } from '../claims.ts'
import { judgePlace, judgeRelease } from '../compute/machine-place.ts'
import { claimedHost, judgePower, judgeRemoval } from '../compute/machine-power.ts'
import type { Phase } from '../define-reconciler.ts'
import { remove } from '../effect.ts'
import { acting, satisfied, type Verdict, waiting } from '../verdict.ts'
import { isStored, type Seen, type Wish, type World } from '../world.ts'

/** How long an appliance may take to shut down, in ms. */
const shutdownTimeout = 30_000

/** A machine of the control plane's own: a virtual router, a console proxy, a secondary storage VM. */
export interface Appliance<K extends AnyKind> {
  readonly role: MachineDefinition['role'] | ((self: Wish<K>) => MachineDefinition['role'])
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
  readonly spec: { readonly zoneName: string }
}

/** The phases of an appliance: a place, then power. It always runs, and is moved when its host is proven off. */
export function appliancePhases<K extends AnyKind>(appliance: Appliance<K>): readonly Phase<K>[] {
  return [
    {
      condition: 'Scheduled',
      judge: (self, world) => judgeScheduled(self as ApplianceWish & Wish<K>, appliance, world),
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
        const held = world.desired.list(allocationsByHolder, uid).filter(isStored)
        if (held.length === 0) return satisfied('Returned')
        return acting('Returning', 'Giving back what it holds', ...held.map(remove))
      },
    },
  ]
}

/** A machine as the host of its claim reports it. */
export function seenAtHome(identity: string, world: World): Seen<MachineFacts> | undefined {
  const claim = machineClaim(identity, world)
  const host = claim === undefined ? undefined : claimedHost(claim)
  return world.observed.machines(identity).find(({ endpoint }) => endpoint === host)
}

function judgeScheduled<K extends AnyKind>(
  self: ApplianceWish & Wish<K>,
  appliance: Appliance<K>,
  world: World,
): Verdict {
  return judgePlace(
    {
      identity: world.identity(self),
      holder: holderOf(self),
      request: {
        zoneName: self.spec.zoneName,
        ...appliance.size(self),
        hypervisors: ['Simulator'],
        hostTags: [],
        planner: 'FirstFit',
        volumes: [],
      },
      wanted: true,
      movable: true,
      volumeHolders: {},
    },
    world,
  )
}

function judgeUp<K extends AnyKind>(self: ApplianceWish & Wish<K>, appliance: Appliance<K>, world: World): Verdict {
  const identity = world.identity(self)
  const claim = machineClaim(identity, world)
  if (claim === undefined) return waiting('NotScheduled', 'The machine has no place on a host yet')
  const nics = appliance.nics(self, world)
  const role = typeof appliance.role === 'function' ? appliance.role(self) : appliance.role
  const { name, namespace, generation } = self.metadata
  const hold = nics === undefined ? waiting('NetworkNotReady', 'Its network has no segment yet') : undefined
  return judgePower(
    {
      identity,
      claim,
      mark: {
        installation: world.installation,
        kind: self.kind,
        ...(namespace === undefined ? {} : { namespace }),
        name,
      },
      definition: { role, ...appliance.size(self), guestHostName: name, disks: [], nics: nics ?? [] },
      runStrategy: 'Always',
      shutdownTimeout,
      generation,
      ...(hold === undefined ? {} : { hold }),
    },
    world,
  )
}
