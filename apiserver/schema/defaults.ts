/** Sets defaults, also in the place of nulls that the schema does not allow, and drops others of those. */

import { isRecord } from '../api-object.ts'
import { setOwn } from './json.ts'
import { defaultOf, type SchemaNode } from './schema-node.ts'

/**
 * What becomes of a null that the schema does not allow, where it has no default. `'kept'` is for validation to refuse. It
 * would take null for a list without elements: there it is always dropped.
 */
export type StrayNulls = 'dropped' | 'kept'

/** The value with defaults set; the same reference where nothing changes. */
export function defaultValue(value: unknown, node: SchemaNode, nulls: StrayNulls = 'dropped'): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return defaultList(value, node, nulls)
  if (!isRecord(value)) return value
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(value)) {
    const child = node.properties.get(key) ?? node.additional
    if (!child) continue
    const item = value[key]
    if (item === null && !child.nullable) {
      if (nulls === 'kept' && child.default === undefined && child.schema.type !== 'array') continue
      copy ??= { ...value }
      if (child.default === undefined) delete copy[key]
      else setOwn(copy, key, defaultValue(defaultOf(child), child))
      continue
    }
    const defaulted = defaultValue(item, child, nulls)
    if (defaulted === item) continue
    copy ??= { ...value }
    setOwn(copy, key, defaulted)
  }
  for (const [key, child] of node.defaulted) {
    if (Object.hasOwn(value, key)) continue
    copy ??= { ...value }
    setOwn(copy, key, defaultValue(defaultOf(child), child))
  }
  return copy ?? value
}

function defaultList(value: readonly unknown[], node: SchemaNode, nulls: StrayNulls): unknown {
  const items = node.items
  if (!items) return value
  let copy: unknown[] | undefined
  for (let index = 0; index < value.length; index++) {
    const item = value[index]
    // A null element without a default stays and fails validation: dropping it would move the others.
    const filled = item === null && !items.nullable && items.default !== undefined ? defaultOf(items) : item
    const defaulted = defaultValue(filled, items, nulls)
    if (defaulted === item) continue
    copy ??= [...value]
    copy[index] = defaulted
  }
  return copy ?? value
}
