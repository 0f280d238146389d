/**
 * Whether everything of ours at a host or pool belongs to an object here. What does not was made under a store of the API
 * that was lost, and an object may be applied again that it is the thing of. Therefore it is noted where nothing is left
 * over: such a place hides nothing while it cannot be read, and whoever has no claim yet need not wait for it.
 */
import type { AnyKind } from '../../crds/define-kind.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { type EndpointKey, endpointIdentity } from '../../drivers/contract/endpoint.ts'
import { allocate, allocationName, type Claim, holderOf } from '../claims.ts'
import type { Phase } from '../define-reconciler.ts'
import { remove } from '../effect.ts'
import { acting, satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
import { isStored, type Wish, type World } from '../world.ts'

/** Where such a kind is outside, and how much is left over there. */
export interface Place<K extends AnyKind> {
  readonly key: (self: Wish<K>, world: World) => EndpointKey
  /** Things that bear our mark and the name of an object, and have no claim there. */
  readonly leftovers: (self: Wish<K>, world: World) => number
}

/** Whether a host or pool may hold something of ours that nobody knows of: nobody has read it, now or when it was noted. */
export function mayHide(key: EndpointKey, world: World): boolean {
  return !world.observed.endpoint(key).listed && noteOf(key, world) === undefined
}

function noteOf(key: EndpointKey, world: World): Claim | undefined {
  return world.desired.get(Allocation, allocationName('Inventory', endpointIdentity(key)))
}

/** Notes that nothing is left over at a host or pool, and takes that back when something is. */
export function accounted<K extends AnyKind>(place: Place<K>): Phase<K> {
  return {
    condition: 'Accounted',
    informational: true,
    judge: (self, world) => judgeAccount(self, place, world),
  }
}

function judgeAccount<K extends AnyKind>(self: Wish<K>, { key, leftovers }: Place<K>, world: World): Verdict {
  const endpoint = key(self, world)
  const note = noteOf(endpoint, world)
  const { answers, listed } = world.observed.endpoint(endpoint)
  if (answers !== 'Yes' || !listed) {
    if (note !== undefined) return satisfied('Accounted', 'Nothing was left over when it was last read')
    return unknown('NotRead', 'What is there was not read yet: nothing new is made in its zone before')
  }
  const count = leftovers(self, world)
  const message = `${count} things of ours are there that no object here has a claim for: apply their manifests and rebind them, or remove them there`
  if (count > 0 && note !== undefined && isStored(note)) return acting('LeftoversThere', message, remove(note))
  if (count > 0) return waiting('LeftoversThere', message)
  if (note !== undefined) return satisfied('Accounted')
  const value = endpointIdentity(endpoint)
  return acting('Noting', 'Nothing is left over', allocate({ type: 'Inventory', value, holder: holderOf(self) }, world))
}

/** A host or pool that is deleted takes the note with it. */
export function accountForgotten<K extends AnyKind>({ key }: Place<K>): Phase<K> {
  return {
    condition: 'Accounted',
    needs: ['Unclaimed'],
    judge: (self, world) => {
      const note = noteOf(key(self, world), world)
      if (note === undefined || !isStored(note)) return satisfied('Forgotten')
      return acting('Forgetting', 'What was noted of its inventory is removed', remove(note))
    },
  }
}
