/** Finds and drops fields that a schema does not know. */

import { isRecord } from '../api-object.ts'
import { setOwn } from './json.ts'
import { closedNode, embeddedFieldNode, type SchemaNode } from './schema-node.ts'

/** What is known below one key: a node, `keep` (anything) or `drop` (the key is unknown). */
function below(node: SchemaNode, key: string): SchemaNode | 'keep' | 'drop' {
  const embedded = node.embedded ? embeddedFieldNode(key) : undefined
  if (embedded) return embedded
  return node.properties.get(key) ?? node.additional ?? (node.preserves ? 'keep' : 'drop')
}

/** What is known about the elements of a list. */
function ofItems(node: SchemaNode): SchemaNode | 'keep' {
  if (node.items) return node.items
  return node.preserves ? 'keep' : closedNode
}

/** The value without fields unknown to the node; the same reference where nothing is dropped. */
export function pruneValue(value: unknown, node: SchemaNode): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return pruneList(value, node)
  if (!isRecord(value)) return value
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(value)) {
    const known = below(node, key)
    if (known === 'keep') continue
    if (known === 'drop') {
      copy ??= { ...value }
      delete copy[key]
      continue
    }
    const item = value[key]
    const pruned = pruneValue(item, known)
    if (pruned === item) continue
    copy ??= { ...value }
    setOwn(copy, key, pruned)
  }
  return copy ?? value
}

function pruneList(value: readonly unknown[], node: SchemaNode): unknown {
  const items = ofItems(node)
  if (items === 'keep') return value
  let copy: unknown[] | undefined
  for (let index = 0; index < value.length; index++) {
    const pruned = pruneValue(value[index], items)
    if (pruned === value[index]) continue
    copy ??= [...value]
    copy[index] = pruned
  }
  return copy ?? value
}

/** Adds the paths of unknown fields below the value to `paths`. */
export function findUnknown(value: unknown, node: SchemaNode, path: string, paths: string[]): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    const items = ofItems(node)
    if (items === 'keep') return
    for (let index = 0; index < value.length; index++) findUnknown(value[index], items, `${path}[${index}]`, paths)
    return
  }
  if (!isRecord(value)) return
  for (const key of Object.keys(value)) {
    const known = below(node, key)
    if (known === 'keep') continue
    const fieldPath = path === '' ? key : `${path}.${key}`
    if (known === 'drop') paths.push(fieldPath)
    else findUnknown(value[key], known, fieldPath, paths)
  }
}
