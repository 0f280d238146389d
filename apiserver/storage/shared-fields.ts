import type { APIObject, JSONObject } from '../api-object.ts'
import { deepFreeze, isRecord, withMetadata } from '../api-object.ts'
import { BoundedMap } from '../bounded-map.ts'

/** How many sets of fields are remembered, and how long one may be in characters: bounds what is kept. */
const limit = 500
const longest = 8_192

const known = new BoundedMap<string, JSONObject>(limit)
const sharedSets = new WeakSet<object>()

/**
 * The same object with the sets of fields in its managedFields shared with all objects that have equal ones. Objects of
 * a kind have the same fields set by the same managers, and these sets are a large part of what they take when parsed.
 */
export function withSharedFields(object: APIObject): APIObject {
  const { managedFields } = object.metadata
  if (managedFields === undefined || managedFields.every(hasSharedSet)) return object
  return withMetadata(object, { managedFields: managedFields.map(withSharedSet) })
}

function hasSharedSet({ fieldsV1 }: JSONObject): boolean {
  return fieldsV1 === undefined || (isRecord(fieldsV1) && sharedSets.has(fieldsV1))
}

function withSharedSet(entry: JSONObject): JSONObject {
  const { fieldsV1 } = entry
  return hasSharedSet(entry) || !isRecord(fieldsV1) ? entry : { ...entry, fieldsV1: sharedSet(fieldsV1) }
}

/** The set that all objects share whose sets equal this one, deeply frozen; the same where it is very large. */
export function sharedSet(fields: JSONObject): JSONObject {
  if (sharedSets.has(fields)) return fields
  const text = JSON.stringify(fields)
  const before = known.get(text)
  if (before !== undefined) return before
  const copy: unknown = JSON.parse(text)
  if (!isRecord(copy) || text.length > longest) return fields
  // A copy, so that what is kept holds on to nothing of the object that brought it.
  deepFreeze(copy)
  known.set(text, copy)
  sharedSets.add(copy)
  return copy
}
