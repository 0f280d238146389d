import deepEqual from 'fast-deep-equal'
import type { DriftDecision, FieldChange } from '../crds/common.ts'
import type { AnyKind } from '../crds/define-kind.ts'
import { once } from './once.ts'
import type { Wish, World } from './world.ts'

/**
 * The fields of a kind: what of its wish can be seen outside, how the two are compared and how a difference is removed.
 * Drift, what Observe reports, what waits for a restart and what is changed live are all this one list.
 */

/** One field: where it is in the spec, what it is in what is wished and in what is seen, and how it is changed. */
export interface Field<Wished, Found = Wished> {
  /** Path of the field, as people know it from the manifest. */
  readonly path: string
  readonly desired: (wished: Wished) => unknown
  readonly observed: (found: Found) => unknown
  /** Whether what is seen meets the wish. Default: deep equality. */
  readonly equal?: (desired: unknown, observed: unknown) => boolean
  /** A value for people. Default: the names of a list's entries, else the value as text. */
  readonly tell?: (value: unknown) => string
  readonly change: FieldChange
}

/** A field that differs. */
export interface Difference {
  readonly path: string
  readonly desired: string
  readonly observed: string
  readonly change: FieldChange
}

/** What is seen compared with what is wished. */
export interface Comparison {
  readonly differences: readonly Difference[]
  /** What was seen, as facts that stay the same reference while nothing in them changes. */
  readonly found: object
  /** Whether what is seen of a field was another value in what was found earlier. */
  readonly movedSince: (earlier: object, path: string) => boolean
  /** What is done about a difference while the object is enforced. */
  readonly decide: (difference: Difference) => DriftDecision
}

/** The fields of a kind, ready to be compared. Undefined: nothing is there to compare with, or not all is known. */
export type Fields<K extends AnyKind = AnyKind> = (self: Wish<K>, world: World) => Comparison | undefined

/** What a kind says of its fields. */
export interface FieldParts<K extends AnyKind, Wished, Found extends object> {
  readonly fields: readonly Field<Wished, Found>[]
  /** What is wished; undefined while a part of it is not known yet. */
  readonly wished: (self: Wish<K>, world: World) => Wished | undefined
  /** What is seen; undefined while nothing is there. */
  readonly found: (self: Wish<K>, world: World) => Found | undefined
  /** What is done about a difference. Default: `Never` is refused, all else is removed at once. */
  readonly decide?: (difference: Difference, self: Wish<K>, world: World) => DriftDecision
}

/** Defines the fields of a kind; compared once in each pass, whoever asks. */
export function defineFields<K extends AnyKind, Wished, Found extends object>(
  kind: K,
  { fields, wished, found, decide }: FieldParts<K, Wished, Found>,
): Fields<K> {
  return (self, world) =>
    once(world, `fields/${kind.kind}/${self.metadata.uid}`, () => {
      const seen = found(self, world)
      const wish = seen === undefined ? undefined : wished(self, world)
      if (seen === undefined || wish === undefined) return undefined
      return {
        differences: differencesOf(fields, wish, seen),
        found: seen,
        movedSince: (earlier, path) => {
          const field = fields.find(each => each.path === path)
          return field !== undefined && !deepEqual(field.observed(earlier as Found), field.observed(seen))
        },
        decide: difference => (decide ?? decideByChange)(difference, self, world),
      }
    })
}

/** Where what is seen differs from what is wished, field by field. */
export function differencesOf<Wished, Found>(
  fields: readonly Field<Wished, Found>[],
  wished: Wished,
  found: Found,
): readonly Difference[] {
  return fields.flatMap(({ path, desired, observed, change, equal = deepEqual, tell = brief }) => {
    const wish = desired(wished)
    const seen = observed(found)
    return equal(wish, seen) ? [] : [{ path, desired: tell(wish), observed: tell(seen), change }]
  })
}

/** What is done about a difference that nothing else speaks for or against. */
export function decideByChange({ change }: Pick<Difference, 'change'>): DriftDecision {
  return change === 'Never' ? 'Refused' : 'Enforcing'
}

/** Entries of a list in the order of their names, so that the order says nothing. */
export function byName<T extends { readonly name: string }>(items: readonly T[]): readonly T[] {
  return items.toSorted((left, right) => (left.name < right.name ? -1 : 1))
}

const longestText = 256

function brief(value: unknown): string {
  const text = Array.isArray(value) ? value.map(nameOf).join(' ') || 'none' : String(value)
  return text.length > longestText ? `${text.slice(0, longestText - 3)}...` : text
}

function nameOf(item: unknown): string {
  return typeof item === 'object' && item !== null && 'name' in item ? String(item.name) : String(item)
}
