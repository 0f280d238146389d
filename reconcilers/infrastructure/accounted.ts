/**
 * Whether everything of ours at a host or pool belongs to an object here. What does not was made under a store of the API
 * that was lost, and an object may be applied again that it is the thing of. Therefore it is noted where nothing is left
 * over: such a place hides nothing while it cannot be read, and whoever has no claim yet need not wait for it.
 */
import type { AnyKind } from '../../crds/define-kind.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { type EndpointKey, endpointIdentity } from '../../drivers/contract/endpoint.ts'
import { allocate, allocation, allocationName, type Claim, holderOf, noteOnClaim } from '../claims.ts'
import type { Phase } from '../define-reconciler.ts'
import { type Effect, remove } from '../effect.ts'
import { acting, satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
import { isStored, type Wish, type World } from '../world.ts'

/** What is to be done about leftovers. */
const mend = 'apply their manifests and rebind them, or remove them there'

/** Where such a kind is outside, and how much is left over there. */
export interface Place<K extends AnyKind> {
  readonly key: (self: Wish<K>, world: World) => EndpointKey
  /** Things that bear our mark and the name of an object, and have no claim there. */
  readonly leftovers: (self: Wish<K>, world: World) => number
  /** Machines that left it and may still be defined there. Default: none. */
  readonly strays?: (self: Wish<K>, world: World) => number
  /** Why it may not be forgotten while something may be left over there; undefined where it may. Default: it may. */
  readonly keptFor?: (self: Wish<K>, world: World) => string | undefined
}

/**
 * Whether a host or pool may hold something of ours that nobody knows of: nobody has read it, now or when it was noted, and
 * what is outside may be older than the API's store.
 */
export function mayHide(key: EndpointKey, world: World): boolean {
  return !world.observed.endpoint(key).listed && !isAccounted(key, world)
}

function isAccounted(key: EndpointKey, world: World): boolean {
  const note = noteOf(key, world)
  return note === undefined ? noteOfInstallation(world) !== undefined : !tellsLeftovers(note)
}

/** What is left over where all is accounted for otherwise: a machine that was let go by the operator's word, and ran on. */
function tellsLeftovers({ spec }: Claim): boolean {
  return spec.notes?.leftoversAt !== undefined
}

/** The note that the API's store is the first that the installation has: every mark outside was made under it. */
export function accountOfInstallation(id: string, now: string): ReturnType<typeof allocation> {
  const holder = { group: Allocation.group, kind: 'Installation', name: id, uid: id }
  return allocation({ type: 'Inventory', value: id, holder }, now)
}

function noteOfInstallation(world: World): Claim | undefined {
  return world.desired.get(Allocation, allocationName('Inventory', world.installation))
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

function judgeAccount<K extends AnyKind>(self: Wish<K>, place: Place<K>, world: World): Verdict {
  const endpoint = place.key(self, world)
  const note = noteOf(endpoint, world)
  const count = place.leftovers(self, world)
  if (count > 0) {
    const message = `${leftoversTold(count)}: ${mend}`
    const effect = leftoversNoted(self, place, world)
    return effect === undefined ? waiting('LeftoversThere', message) : acting('LeftoversThere', message, effect)
  }
  if (note === undefined && noteOfInstallation(world) !== undefined) {
    return satisfied('Accounted', 'Nothing outside is older than what the API has stored')
  }
  const { answers, listed } = world.observed.endpoint(endpoint)
  if (answers !== 'Yes' || !listed) return judgeUnread(note)
  if (note === undefined) return acting('Noting', 'Nothing is left over', allocate(noteFor(self, endpoint), world))
  if (!tellsLeftovers(note)) return satisfied('Accounted')
  return acting('Noting', 'Nothing is left over any more', ...(isStored(note) ? [remove(note)] : []))
}

function judgeUnread(note: Claim | undefined): Verdict {
  if (note === undefined) {
    return unknown('NotRead', 'What is there was not read yet: nothing new is made in its zone before')
  }
  if (tellsLeftovers(note)) {
    return waiting('LeftoversThere', `Something of ours was left over there when it was last read: ${mend}`)
  }
  return satisfied('Accounted', 'Nothing was left over when it was last read')
}

function noteFor<K extends AnyKind>(self: Wish<K>, endpoint: EndpointKey) {
  return { type: 'Inventory', value: endpointIdentity(endpoint), holder: holderOf(self) } as const
}

/**
 * Writes down that something is left over. Where the installation's note accounts for everything, a note of the place itself
 * must say so, or nobody would wait for it after a restart. What only left it, and is noted as a stray, is not waited for.
 */
function leftoversNoted<K extends AnyKind>(self: Wish<K>, place: Place<K>, world: World): Effect | undefined {
  const endpoint = place.key(self, world)
  const note = noteOf(endpoint, world)
  if (noteOfInstallation(world) === undefined) return note !== undefined && isStored(note) ? remove(note) : undefined
  if (note !== undefined && !isStored(note)) return undefined
  const isTold = note !== undefined && tellsLeftovers(note)
  if (place.leftovers(self, world) <= (place.strays?.(self, world) ?? 0)) return isTold ? remove(note) : undefined
  if (isTold) return undefined
  const notes = { leftoversAt: world.now() }
  return note === undefined ? allocate({ ...noteFor(self, endpoint), notes }, world) : noteOnClaim(note, notes)
}

/** A host or pool that is deleted takes the note with it. */
export function accountForgotten<K extends AnyKind>(place: Place<K>): Phase<K> {
  return {
    condition: 'Accounted',
    needs: ['Unclaimed'],
    judge: (self, world) => {
      const kept = judgeLeftBehind(self, place, world)
      if (kept !== undefined) return kept
      const note = noteOf(place.key(self, world), world)
      if (note === undefined || !isStored(note)) return satisfied('Forgotten')
      return acting('Forgetting', 'What was noted of its inventory is removed', remove(note))
    },
  }
}

/** What is left over at a place that is forgotten runs on where nobody looks any more. */
function judgeLeftBehind<K extends AnyKind>(self: Wish<K>, place: Place<K>, world: World): Verdict | undefined {
  const kept = place.keptFor?.(self, world)
  if (kept === undefined) return undefined
  const strays = place.strays?.(self, world) ?? 0
  if (strays > 0) {
    const what = `${strays} machines that left may still be defined there: what is left of them is removed when it answers`
    return waiting('StraysThere', `${what}. ${kept}`)
  }
  const endpoint = place.key(self, world)
  const { answers, listed } = world.observed.endpoint(endpoint)
  if (answers !== 'Yes' || !listed) {
    if (isAccounted(endpoint, world)) return undefined
    const what = 'Things of ours may be there that no object here has a claim for, and it was not read yet'
    return waiting('NotRead', `${what}: they would run on unseen. ${kept}`)
  }
  const count = place.leftovers(self, world)
  if (count === 0) return undefined
  return waiting('LeftoversThere', `${leftoversTold(count)}, and would run on unseen: ${mend}. ${kept}`)
}

function leftoversTold(count: number): string {
  return `${count} things of ours are there that no object here has a claim for`
}
