import { Allocation, type AllocationSpec } from '../../crds/infrastructure/allocation.ts'
import type { Resource } from '../../crds/meta.ts'
import { type Standing, standingOf } from '../standing.ts'
import type { Edit } from './edits.ts'
import { keyOf, nameOf, type ObjectName } from './object-name.ts'

/** An object that the control plane itself would make or remove. */
export interface Consequence {
  readonly object: ObjectName
  readonly change: 'Create' | 'Delete'
}

/** A claim of a place, or a scarce value, that would be taken, given back or moved. */
export interface ClaimChange {
  readonly change: 'Take' | 'Free' | 'Move'
  readonly type: AllocationSpec['type']
  readonly value: string
  readonly holder: ObjectName
  /** Where it is: the host of a machine, the pool of a volume; left out where it is no place. */
  readonly place?: string
  /** What the value is the identity of: the disk of an attachment; left out where it is none. */
  readonly of?: ObjectName
  /**
   * The holder is made by the plan, and gets an identity of its own when it is really made: a value that is searched for
   * from there will be another one, unless the spec names it.
   */
  readonly isProvisional?: true
}

/** An object that would not be Ready when everything has been done. */
export interface Unmet extends Pick<Standing, 'state' | 'reason' | 'message'> {
  readonly object: ObjectName
  /** Whether it is not so already, with the same reason. */
  readonly isNew: boolean
}

type Objects = ReadonlyMap<string, Resource>

/** Objects made and removed beside those that are edited. Claims are told by `claimChanges`. */
export function consequencesOf(
  before: Objects,
  after: Objects,
  edits: readonly Pick<Edit, 'object'>[],
): readonly Consequence[] {
  const edited = new Set(edits.map(({ object }) => keyOf(object)))
  const others = (from: Objects, to: Objects) =>
    [...from].filter(([key, { kind }]) => kind !== Allocation.kind && !to.has(key) && !edited.has(key))
  return [
    ...others(after, before).map(([, object]) => ({ object: nameOf(object), change: 'Create' as const })),
    ...others(before, after).map(([, object]) => ({ object: nameOf(object), change: 'Delete' as const })),
  ]
}

/** Claims taken, given back and moved. */
export function claimChanges(
  before: Objects,
  after: Objects,
  objectOf: (identity: string) => ObjectName | undefined,
): readonly ClaimChange[] {
  const keys = new Set([...before.keys(), ...after.keys()])
  const told = (change: ClaimChange['change'], spec: AllocationSpec): ClaimChange => {
    const { type, value, holder } = spec
    const place = placeOf(spec)
    const of = place === undefined ? objectOf(value) : undefined
    const name = holderName(holder)
    const isProvisional = change === 'Take' && !before.has(keyOf(name))
    return {
      change,
      type,
      value,
      holder: name,
      ...(place === undefined ? {} : { place }),
      ...(of === undefined ? {} : { of }),
      ...(isProvisional ? { isProvisional } : {}),
    }
  }
  return [...keys].flatMap(key => {
    const [old, next] = [claimOf(before.get(key)), claimOf(after.get(key))]
    // A value that one gives back and another takes goes by the same name.
    const sameHolder = old?.holder.uid === next?.holder.uid
    if (old !== undefined && next !== undefined && sameHolder) {
      return placeOf(old) === placeOf(next) ? [] : [told('Move', next)]
    }
    return [...(old === undefined ? [] : [told('Free', old)]), ...(next === undefined ? [] : [told('Take', next)])]
  })
}

/** What would not be Ready. */
export function unmetOf(before: Objects, after: Objects): readonly Unmet[] {
  return [...after].flatMap(([key, object]) => {
    if (object.kind === Allocation.kind) return []
    const { state, reason, message } = standingOf(object)
    if (state === 'Ready') return []
    const known = before.get(key)
    const was = known && standingOf(known)
    return [{ object: nameOf(object), state, reason, message, isNew: was?.state !== state || was.reason !== reason }]
  })
}

function claimOf(object: Resource | undefined): AllocationSpec | undefined {
  // The edge: an object of the kind has its spec.
  return object?.kind === Allocation.kind ? (object.spec as AllocationSpec) : undefined
}

function placeOf(spec: AllocationSpec | undefined): string | undefined {
  return spec?.machine?.hostName ?? spec?.volume?.poolName
}

function holderName({ kind, namespace, name }: AllocationSpec['holder']): ObjectName {
  return { kind, ...(namespace === undefined ? {} : { namespace }), name }
}
