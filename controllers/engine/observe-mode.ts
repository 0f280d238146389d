import type { Management } from '../../crds/common.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { kindOf } from '../../crds/kinds.ts'
import type { Verb } from '../../drivers/contract/operation.ts'
import type { Effect, ObjectIdentity, UpdateEffect } from '../../reconcilers/effect.ts'
import type { World } from '../../reconcilers/world.ts'
import type { Judgement } from './status.ts'

interface ManagedSpec {
  readonly management?: Partial<Management>
}

/**
 * Under `Observe` nothing outside is changed, and no claim announces that it will be. What exists is still claimed, so
 * that nothing else takes its place, and what is proven gone is given back. A release takes away only our own mark.
 */
export function observed<J extends Judgement>(judgement: J, identity: string, deleting: boolean, world: World): J {
  const { verdict } = judgement
  if (verdict.is !== 'acting') return judgement
  const effects = verdict.effects.filter(effect => isAllowed(effect, identity, world))
  if (effects.length === verdict.effects.length) return judgement
  const message = deleting
    ? `The deletion waits: ${verdict.message} is not done while spec.management.mode is Observe. Set it to Enforce, or spec.management.deletionPolicy to Orphan`
    : `Not done while spec.management.mode is Observe: ${verdict.message}`
  return { ...judgement, verdict: { ...verdict, reason: 'Observing', message, effects } }
}

function isAllowed(effect: Effect, identity: string, world: World): boolean {
  switch (effect.effect) {
    case 'Observe':
    case 'Event':
      return true
    case 'Delete':
      return effect.object.kind === Allocation.kind || leavesAll(effect.object, world)
    case 'Operate':
      return releases.has(effect.operation.verb)
    case 'Update':
      return !announces(effect, world)
    case 'Create':
      return effect.object.kind === Allocation.kind && exists(identity, world)
  }
}

/** A child is made equal to its own wish: when it goes, so does what it stands for, unless that is to be left. */
function leavesAll({ apiVersion, kind, metadata: { name, namespace } }: ObjectIdentity, world: World): boolean {
  const childKind = kindOf(apiVersion, kind)
  const spec = childKind && (world.desired.get(childKind, name, namespace)?.spec as ManagedSpec | undefined)
  return spec?.management?.deletionPolicy === 'Orphan'
}

/** Operations that take away our own mark and change nothing else: how what is only observed is given back. */
const releases: ReadonlySet<Verb> = new Set<Verb>(['ReleaseMachine', 'ReleaseVolume'])

/** A claim that moves, or tells of an operation to come, does so under a new epoch. */
function announces({ object: { kind, metadata, spec } }: UpdateEffect, world: World): boolean {
  if (kind !== Allocation.kind) return false
  const before = world.desired.get(Allocation, metadata.name)?.spec.epoch
  return (spec as { readonly epoch?: number }).epoch !== before
}

function exists(identity: string, world: World): boolean {
  return world.observed.machines(identity).length > 0 || world.observed.volumes(identity).length > 0
}
