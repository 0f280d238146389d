/** Server-side apply and the bookkeeping of who manages which field, as Kubernetes does both. */

import { isRecord, type JSONObject } from '../api-object.ts'
import { canonicalJSON } from '../schema/json.ts'
import type { StructuralSchema } from '../schema/structural-schema.ts'
import { difference, equalSets, FieldSet, intersection, pathsOf, printPath, union, without } from './field-set.ts'
import { type FieldType, resourceType } from './field-types.ts'
import {
  capUpdaters,
  encodeEntries,
  entriesOf,
  isSameManager,
  type ManagedEntry,
  type Manager,
  printManager,
  rawEntries,
  unmanaged,
  withFields,
} from './managed-fields.ts'
import { compareValues, fieldsOf, mergeValues, removeFields, withNamedFields } from './typed-values.ts'

/** What both operations need to know. */
interface CommonOptions {
  /** The object as stored; undefined where it is to be created. Never changed. */
  readonly live: object | undefined
  /** Name of the field manager. */
  readonly manager: string
  /** Name of the subresource that is written; left out for the object itself. */
  readonly subresource?: string
  /** `group/version` in which the fields are named. */
  readonly apiVersion: string
  /** Now, as RFC 3339 in whole seconds. */
  readonly time: string
  /** Schema of the kind; without one objects merge field by field and lists are replaced as a whole. */
  readonly schema: StructuralSchema | undefined
  /** What every object of the kind has, even if nobody sets it. Default: nothing. */
  readonly blank?: JSONObject
  /** Top-level fields that this request cannot set (`status` of the object itself where it is a subresource). */
  readonly resetFields?: readonly string[]
}

/** What `serverSideApply` needs to know. */
export interface ApplyOptions extends CommonOptions {
  /** The configuration, whole: fields that it no longer has are given up. */
  readonly applied: object
  /** Takes fields over that others manage instead of failing. */
  readonly force: boolean
}

/** What `updateManagedFields` needs to know. */
export interface UpdateOptions extends CommonOptions {
  /** The object as it is to be stored. */
  readonly next: object
  readonly operation: 'Update'
}

/** One field that another manager manages. */
export interface ApplyConflict {
  /** The manager, as in `"kubectl" using apps/v1`. */
  readonly manager: string
  /** As in `.spec.replicas`. */
  readonly field: string
  /** As in `conflict with "kubectl" using apps/v1`. */
  readonly message: string
}

/** The object to store (the live reference where nothing changes), or who is in the way. */
export type ApplyResult =
  | { readonly ok: true; readonly object: object }
  | { readonly ok: false; readonly conflicts: readonly ApplyConflict[] }

/** Metadata that only the server sets: what a configuration says of it is not merged. */
const serverMetadata = [
  'managedFields',
  'resourceVersion',
  'uid',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
]

/** Merges a configuration into the live object, or creates one from it. */
export function serverSideApply(options: ApplyOptions): ApplyResult {
  const type = resourceType(options.schema)
  const live = options.live === undefined ? undefined : objectOf(options.live)
  const applied = withoutFields(withoutServerMetadata(objectOf(options.applied)), options.resetFields ?? [])
  const self = managerOf(options, 'Apply')
  const before = live && !rawEntries(live) ? [firstEntry(live, type, options)] : entriesOf(live)
  const last = before.find(entry => isSameManager(entry, self))

  const set = fieldsOf(applied, type)
  const others = before.filter(entry => entry !== last)
  const old = live ? withoutManagedFields(live) : {}
  const merged = objectOf(mergeValues(old, applied, type))
  const managed = others.reduce((fields, entry) => union(fields, entry.fields), set)
  const pruned = last ? objectOf(prune(merged, type, last.fields, managed)) : merged

  const comparison = compareValues(old, pruned, type)
  const changed = union(comparison.modified, comparison.added)
  const contested = options.force ? new FieldSet() : difference(changed, lastAppliedFields(old, type, self))
  const conflicts = others.flatMap(entry => conflictsWith(entry, contested))
  if (conflicts.length > 0) return { ok: false, conflicts }

  const lost = union(changed, comparison.removed)
  const kept = others.map(entry => withFields(entry, difference(entry.fields, lost)))
  const isChanged = !lost.isEmpty
  const own = difference(set, unmanaged)
  const entries = [...kept, ownEntry(self, last, own, { isChanged, time: options.time })]
  if (live && !isChanged && isSameList(entries, before)) return { ok: true, object: options.live ?? live }
  return { ok: true, object: withEntries(withLastApplied(pruned, applied, options.manager), entries) }
}

/** The object to store after a create, update or patch, its managedFields brought up to date. */
export function updateManagedFields(options: UpdateOptions): object {
  const type = resourceType(options.schema)
  const live = options.live === undefined ? undefined : objectOf(options.live)
  const next = objectOf(options.next)
  const given = rawEntries(next)
  const isReset = given?.every(entry => isRecord(entry) && Object.keys(entry).length === 0)
  if (live && isReset) return withEntries(next, [])
  // An update may say itself who manages what: that is how clients hand fields over.
  const readable = entriesOf(next)
  const before = readable.length > 0 ? readable : entriesOf(live)
  if (live && before.length === 0) return withEntries(next, [])

  const self = managerOf(options, 'Update')
  const ignored = (options.resetFields ?? []).map(name => `f:${name}`)
  const comparison = compareValues(
    live ? withoutManagedFields(live) : (options.blank ?? {}),
    withoutManagedFields(next),
    type,
  )
  const taken = difference(without(union(comparison.modified, comparison.added), ignored), unmanaged)
  const lost = without(union(union(comparison.modified, comparison.added), comparison.removed), ignored)
  const last = before.find(entry => isSameManager(entry, self))
  const others = before.filter(entry => entry !== last)
  const kept = others.map(entry => withFields(entry, difference(entry.fields, lost)))
  const own = union(last ? difference(last.fields, comparison.removed) : new FieldSet(), taken)
  const entry = ownEntry(self, last, own, { isChanged: !taken.isEmpty, time: options.time })
  return withEntries(next, capUpdaters([...kept, entry].filter(({ fields }) => !fields.isEmpty)))
}

/** The overall message of a refused apply. */
export function conflictMessage(conflicts: readonly ApplyConflict[]): string {
  const [first] = conflicts
  if (first && conflicts.length === 1) {
    return `Apply failed with 1 conflict: ${first.message}: ${first.field}`
  }
  const managers = [...new Set(conflicts.map(conflict => conflict.manager))].sort()
  const lines = managers.flatMap(manager => [
    `conflicts with ${manager}:`,
    ...conflicts.filter(conflict => conflict.manager === manager).map(conflict => `- ${conflict.field}`),
  ])
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

function objectOf(value: unknown): JSONObject {
  return isRecord(value) ? value : {}
}

function managerOf(options: CommonOptions, operation: 'Apply' | 'Update'): Manager {
  return {
    manager: options.manager === '' ? 'unknown' : options.manager,
    operation,
    apiVersion: options.apiVersion,
    ...(options.subresource ? { subresource: options.subresource } : {}),
  }
}

/** Who managed all that an object had before anyone was recorded. */
function firstEntry(live: JSONObject, type: FieldType, options: ApplyOptions): ManagedEntry {
  const fields = compareValues(options.blank ?? {}, withoutFields(live, options.resetFields ?? []), type).added
  const { apiVersion, time } = options
  return {
    manager: 'before-first-apply',
    operation: 'Update',
    apiVersion,
    time,
    fields: difference(fields, unmanaged),
  }
}

interface OwnChange {
  readonly isChanged: boolean
  readonly time: string
}

function ownEntry(self: Manager, last: ManagedEntry | undefined, fields: FieldSet, change: OwnChange): ManagedEntry {
  const isSame = last !== undefined && last.apiVersion === self.apiVersion && equalSets(last.fields, fields)
  if (isSame && !change.isChanged) return last
  // What changes hands while the object stays the same has no time of its own.
  return { ...self, time: change.isChanged ? change.time : last?.time, fields: isSame ? last.fields : fields }
}

function conflictsWith(entry: ManagedEntry, changed: FieldSet): readonly ApplyConflict[] {
  const manager = printManager(entry)
  return pathsOf(intersection(entry.fields, changed)).map(path => ({
    manager,
    field: printPath(path),
    message: `conflict with ${manager}`,
  }))
}

/** Drops what this manager applied last time, and neither it nor anybody else manages now. */
function prune(merged: JSONObject, type: FieldType, last: FieldSet, managed: FieldSet): unknown {
  if (last.isEmpty) return merged
  const named = (set: FieldSet) => withNamedFields(set, type)
  const [lastNamed, mergedNamed] = [named(last), named(fieldsOf(merged, type))]
  const keep = union(named(fieldsOf(removeFields(merged, type, lastNamed), type)), named(managed))
  const owned = removeFields(merged, type, difference(mergedNamed, keep))
  // What was never this manager's stays, even if nobody manages it.
  const dropped = difference(mergedNamed, named(fieldsOf(owned, type)))
  return removeFields(merged, type, intersection(dropped, lastNamed))
}

function withoutServerMetadata(applied: JSONObject): JSONObject {
  const { metadata } = applied
  if (!isRecord(metadata) || !serverMetadata.some(name => Object.hasOwn(metadata, name))) return applied
  const rest: Record<string, unknown> = { ...metadata }
  for (const name of serverMetadata) delete rest[name]
  return { ...applied, metadata: rest }
}

function withoutFields(object: JSONObject, names: readonly string[]): JSONObject {
  if (!names.some(name => Object.hasOwn(object, name))) return object
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
}

function withoutManagedFields(object: JSONObject): JSONObject {
  const { metadata } = object
  if (!isRecord(metadata) || !Object.hasOwn(metadata, 'managedFields')) return object
  const { managedFields: _, ...rest } = metadata
  return { ...object, metadata: rest }
}

/** Whether the entries say the same as before; those of managers without fields say nothing. */
function isSameList(entries: readonly ManagedEntry[], before: readonly ManagedEntry[]): boolean {
  const saying = entries.filter(entry => !entry.fields.isEmpty)
  return saying.length === before.length && saying.every(entry => before.includes(entry))
}

function withEntries(object: JSONObject, entries: readonly ManagedEntry[]): JSONObject {
  const { managedFields: _, ...metadata } = objectOf(object.metadata)
  const managedFields = encodeEntries(entries)
  if (managedFields.length === 0) return { ...object, metadata }
  return { ...object, metadata: { ...metadata, managedFields } }
}

const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

/** What kubectl's client-side apply has set last and nobody has changed since: kubectl takes it over without conflict. */
function lastAppliedFields(live: JSONObject, type: FieldType, { manager }: Manager): FieldSet {
  const record = objectOf(objectOf(live.metadata).annotations)[lastAppliedAnnotation]
  if (manager !== 'kubectl' || typeof record !== 'string' || record === '') return new FieldSet()
  const last = objectOf(parsed(record))
  const { added, modified, removed } = compareValues(last, live, type)
  return difference(fieldsOf(last, type), union(union(added, modified), removed))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Keeps kubectl's own record true where an object has one, so that a later client-side apply knows what was set. */
function withLastApplied(object: JSONObject, applied: JSONObject, manager: string): JSONObject {
  const metadata = objectOf(object.metadata)
  const annotations = objectOf(metadata.annotations)
  const record = annotations[lastAppliedAnnotation]
  if (manager !== 'kubectl' || typeof record !== 'string' || record === '') return object
  const appliedMetadata = objectOf(applied.metadata)
  const { annotations: given, ...others } = appliedMetadata
  const { [lastAppliedAnnotation]: _, ...rest } = objectOf(given)
  const recorded = given === undefined ? others : { ...others, annotations: rest }
  const text = canonicalJSON({ ...applied, metadata: recorded })
  const updated = { ...annotations, [lastAppliedAnnotation]: `${text}\n` }
  return { ...object, metadata: { ...metadata, annotations: updated } }
}
