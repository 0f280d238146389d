import { Allocation } from '../../crds/infrastructure/allocation.ts'
import type { Effect } from '../../reconcilers/effect.ts'
import type { World } from '../../reconcilers/world.ts'
import type { Judgement } from './status.ts'

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
    case 'Delete':
      return true
    case 'Operate':
    case 'Update':
      return false
    case 'Create':
      return effect.object.kind === Allocation.kind && exists(identity, world)
  }
}

function exists(identity: string, world: World): boolean {
  return world.observed.machines(identity).length > 0 || world.observed.volumes(identity).length > 0
}
