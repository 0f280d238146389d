import { finalizerOf } from '../../crds/finalizer.ts'
import { SystemVM, type SystemVMSpec } from '../../crds/infrastructure/system-vm.ts'
import type { Zone } from '../../crds/infrastructure/zone.ts'
import { conditionOf } from '../../crds/meta.ts'
import type { Phase } from '../define-reconciler.ts'
import { create, remove } from '../effect.ts'
import { systemVMsInZone } from '../infrastructure/users.ts'
import { acting, blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import { isStored, type Wish, type World } from '../world.ts'

type ZoneWish = Wish<typeof Zone>
type System = Wish<typeof SystemVM>
type Role = SystemVMSpec['role']

const suffixes: Readonly<Record<Role, string>> = { ConsoleProxy: 'console', SecondaryStorage: 'storage' }

/** The name of the system VM that a zone makes for a role. */
export function systemVMName({ metadata }: Pick<ZoneWish, 'metadata'>, role: Role): string {
  return `s-${metadata.uid.slice(0, 8)}-${suffixes[role]}`
}

/** Whether a system VM of the role does its work in the zone. There is none: one is made (SYS-045). */
export function judgeSystemVM(zone: ZoneWish, role: Role, world: World): Verdict {
  const machines = ofRole(zone, role, world)
  if (machines.length === 0) {
    const name = systemVMName(zone, role)
    return acting('Creating', `Creating SystemVM "${name}"`, create(systemVMOf(zone, role)))
  }
  const said = machines.map(({ metadata: { name } }) => ({
    name,
    ready: world.desired.status(SystemVM, name, undefined, status => conditionOf({ status }, 'Ready')),
    stalled: world.desired.status(SystemVM, name, undefined, status => conditionOf({ status }, 'Stalled')),
  }))
  const up = said.find(({ ready }) => ready?.status === 'True')
  if (up !== undefined) return satisfied('CarriedBySystemVM', `SystemVM "${up.name}"`)
  const stuck = said.find(({ stalled }) => stalled?.status === 'True')
  if (stuck?.stalled !== undefined)
    return blocked(stuck.stalled.reason, `SystemVM "${stuck.name}": ${stuck.stalled.message}`)
  const [first] = said
  const why = first?.ready?.message || first?.ready?.reason || 'not reported yet'
  return waiting('SystemVMNotReady', `SystemVM "${first?.name}": ${why}`)
}

/** Takes away the zone's own system VM of a role that is no longer wished for. Undefined: there is none. */
export function retireSystemVM(zone: ZoneWish, role: Role, world: World): Verdict | undefined {
  const own = ofRole(zone, role, world).filter(machine => isOwn(machine, zone))
  if (own.length === 0) return undefined
  const leaving = own.filter(machine => isStored(machine) && machine.metadata.deletionTimestamp === undefined)
  if (leaving.length === 0) return waiting('Removing', `SystemVM "${own[0]?.metadata.name}" is still being removed`)
  return acting('Removing', 'The system VM is no longer wished for', ...leaving.map(remove))
}

/** A zone that is being deleted first takes away the system VMs that it made. */
export const systemVMsRetired: Phase<typeof Zone> = {
  condition: 'ConsoleAvailable',
  judge: (self, world) =>
    retireSystemVM(self, 'ConsoleProxy', world) ??
    retireSystemVM(self, 'SecondaryStorage', world) ??
    satisfied('Removed'),
}

function ofRole({ metadata: { name } }: ZoneWish, role: Role, world: World): readonly System[] {
  return world.desired.list(systemVMsInZone, name).filter(({ spec }) => spec.role === role)
}

function isOwn({ metadata }: System, zone: ZoneWish): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === zone.metadata.uid) === true
}

function systemVMOf(zone: ZoneWish, role: Role) {
  const { name, uid } = zone.metadata
  const owner = { apiVersion: zone.apiVersion, kind: zone.kind, name, uid, controller: true }
  return {
    apiVersion: SystemVM.apiVersion,
    kind: SystemVM.kind,
    metadata: {
      name: systemVMName(zone, role),
      finalizers: [finalizerOf(SystemVM)],
      ownerReferences: [owner],
    },
    spec: { zoneName: name, role },
  }
}
