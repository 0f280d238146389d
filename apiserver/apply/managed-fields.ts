/** The entries of `metadata.managedFields`. */

import { isRecord, type JSONObject } from '../api-object.ts'
import { decodeFields, encodeFields, equalSets, FieldSet, union } from './field-set.ts'

/** Who manages fields, and how it came to. */
export interface Manager {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource?: string
}

/** One entry, with its fields as a set. */
export interface ManagedEntry extends Manager {
  /** RFC 3339; undefined in entries whose maker gave none. */
  readonly time: string | undefined
  readonly fields: FieldSet
  /** The entry as it was read, as long as it says the same. */
  readonly source?: JSONObject
}

/** Updates by more managers than this are merged, oldest first. */
const maximumUpdaters = 10

/** Whether two entries are the same manager's: an applier stays the same whatever version it applies. */
export function isSameManager(a: Manager, b: Manager): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    (a.operation === 'Apply' || a.apiVersion === b.apiVersion) &&
    (a.subresource ?? '') === (b.subresource ?? '')
  )
}

/** The manager as conflicts name it: `"kubectl"`, `"web" with subresource "status" using apps/v1`. */
export function printManager(manager: Manager): string {
  const subresource = manager.subresource ? ` with subresource ${JSON.stringify(manager.subresource)}` : ''
  const version = manager.operation === 'Update' ? ` using ${manager.apiVersion}` : ''
  return `${JSON.stringify(manager.manager)}${subresource}${version}`
}

/** The raw entries of an object; undefined where it has none. */
export function rawEntries(object: JSONObject | undefined): readonly unknown[] | undefined {
  const metadata = object?.metadata
  const entries = isRecord(metadata) ? metadata.managedFields : undefined
  return Array.isArray(entries) && entries.length > 0 ? entries : undefined
}

/** The entries of an object. Entries that cannot be read are left out. */
export function entriesOf(object: JSONObject | undefined): readonly ManagedEntry[] {
  return (rawEntries(object) ?? []).flatMap(entry => decodeEntry(entry) ?? [])
}

function decodeEntry(entry: unknown): ManagedEntry | undefined {
  if (!isRecord(entry)) return undefined
  const { manager, operation, apiVersion, time, subresource, fieldsV1 } = entry
  if (operation !== 'Apply' && operation !== 'Update') return undefined
  if (typeof apiVersion !== 'string') return undefined
  return {
    manager: typeof manager === 'string' ? manager : '',
    operation,
    apiVersion,
    ...(typeof subresource === 'string' && subresource !== '' ? { subresource } : {}),
    time: typeof time === 'string' ? time : undefined,
    fields: decodeFields(fieldsV1),
    source: entry,
  }
}

/** The entry with other fields; the same where they are equal. */
export function withFields(entry: ManagedEntry, fields: FieldSet): ManagedEntry {
  if (equalSets(entry.fields, fields)) return entry
  const { source: _, ...rest } = entry
  return { ...rest, fields }
}

/** Entries as an object carries them: without empty ones, appliers first, then by time and name. */
export function encodeEntries(entries: readonly ManagedEntry[]): readonly JSONObject[] {
  return entries
    .filter(entry => !entry.fields.isEmpty)
    .sort(compareEntries)
    .map(encodeEntry)
}

function encodeEntry(entry: ManagedEntry): JSONObject {
  if (entry.source) return entry.source
  return {
    manager: entry.manager,
    operation: entry.operation,
    apiVersion: entry.apiVersion,
    ...(entry.time === undefined ? {} : { time: entry.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: encodeFields(entry.fields),
    ...(entry.subresource === undefined ? {} : { subresource: entry.subresource }),
  }
}

function compareEntries(a: ManagedEntry, b: ManagedEntry): number {
  return (
    compareText(a.operation, b.operation) ||
    compareText(a.time ?? '', b.time ?? '') ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource ?? '', b.subresource ?? '')
  )
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Merges the oldest updaters into `ancient-changes` until few enough are left. */
export function capUpdaters(entries: readonly ManagedEntry[]): readonly ManagedEntry[] {
  const updaters = entries.filter(entry => entry.operation === 'Update').sort(compareEntries)
  let surplus = updaters.length - maximumUpdaters
  if (surplus <= 0) return entries
  const result = new Set(entries)
  const buckets = new Map<string, ManagedEntry>()
  for (const entry of updaters) {
    if (surplus <= 0) break
    const bucket = buckets.get(entry.apiVersion)
    result.delete(entry)
    if (bucket) {
      result.delete(bucket)
      surplus--
    }
    const merged: ManagedEntry = bucket
      ? {
          manager: 'ancient-changes',
          operation: 'Update',
          apiVersion: entry.apiVersion,
          time: entry.time,
          fields: union(bucket.fields, entry.fields),
        }
      : entry
    buckets.set(entry.apiVersion, merged)
    result.add(merged)
  }
  return [...result]
}

/** Fields that nobody manages: the server sets them, or they name the object. */
export const unmanaged: FieldSet = new FieldSet()
for (const name of ['apiVersion', 'kind', 'metadata']) unmanaged.insert([`f:${name}`])
for (const name of [
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
]) {
  unmanaged.insert(['f:metadata', `f:${name}`])
}
