/** What a schema says about how large its values may become: the facts that costs are estimated from. */

import type { StructuralSchema } from '../../structural-schema.ts'
import { escapeProperty } from '../values.ts'

/** The extent of the values of one node. */
export interface Extent {
  /** Most bytes of a text, elements of a list, entries of a map; 0 for what has a fixed size. */
  readonly largest: number
  /** Fewest bytes that a value takes in JSON. */
  readonly smallest: number
  /** By the name that CEL has for them. */
  readonly fields?: ReadonlyMap<string, Extent>
  readonly keys?: Extent
  /** Of a list, or the values of a map. */
  readonly elements?: Extent
}

/** Bytes of the largest request that costs are reckoned with. */
const largestRequest = 3 * 1024 * 1024
const largestText = largestRequest - 2

const text: Extent = { largest: largestText, smallest: 2 }
const key: Extent = { largest: 0, smallest: 2 }

/** The extent of a node; undefined where CEL does not see its values. `root` says that it is a whole resource. */
export function extentOf(schema: StructuralSchema, root = false): Extent | undefined {
  if (schema['x-kubernetes-int-or-string']) return { largest: textLength(schema) ?? largestText, smallest: 1 }
  const isResource = root || schema['x-kubernetes-embedded-resource'] === true
  switch (isResource ? 'object' : schema.type) {
    case 'array':
      return listExtent(schema)
    case 'object':
      return typeof schema.additionalProperties === 'object' && !isResource
        ? mapExtent(schema)
        : objectExtent(schema, isResource)
    case 'string':
      return textExtent(schema)
    case 'boolean':
      return { largest: 0, smallest: 4 }
    case 'integer':
    case 'number':
      return { largest: 0, smallest: 1 }
    default:
      return undefined
  }
}

/** How often a value of this extent fits into one request. */
export function mostInRequest({ smallest }: Extent): number {
  return Math.floor(largestRequest / (smallest + 1))
}

function listExtent({ items, maxItems }: StructuralSchema): Extent | undefined {
  const elements = items && extentOf(items)
  if (elements === undefined) return undefined
  const most = Math.floor((largestRequest - 2) / (elements.smallest + 1))
  return { largest: maxItems === undefined ? most : Math.max(maxItems, 0), smallest: 2, elements }
}

function mapExtent({ additionalProperties, maxProperties }: StructuralSchema): Extent | undefined {
  const elements = typeof additionalProperties === 'object' ? extentOf(additionalProperties) : undefined
  if (elements === undefined) return undefined
  const most = Math.floor((largestRequest - 2) / (elements.smallest + 6))
  return { largest: maxProperties === undefined ? most : Math.max(maxProperties, 0), smallest: 2, keys: key, elements }
}

function objectExtent(schema: StructuralSchema, isResource: boolean): Extent {
  const fields = new Map<string, Extent>()
  let smallest = 2
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const extent = extentOf(property)
    if (extent === undefined) continue
    const field = escapeProperty(name)
    if (field !== undefined) fields.set(field, extent)
    if (schema.required?.includes(name) && property.default === undefined) {
      smallest += Buffer.byteLength(name) + extent.smallest + 4
    }
  }
  if (isResource && !declaresMetadata(schema)) {
    fields.set('kind', text).set('apiVersion', text)
    fields.set('metadata', {
      largest: 0,
      smallest: 2,
      fields: new Map([
        ['name', text],
        ['generateName', text],
      ]),
    })
  }
  return { largest: 0, smallest, fields }
}

/** Whether what rules may read of a whole resource is all declared: then the declared bounds hold. */
function declaresMetadata({ properties = {} }: StructuralSchema): boolean {
  const { kind, apiVersion, metadata } = properties
  const { name, generateName } = metadata?.properties ?? {}
  const texts = [kind, apiVersion, name, generateName]
  return metadata?.type === 'object' && texts.every(property => property?.type === 'string')
}

function textExtent(schema: StructuralSchema): Extent {
  const { format, maxLength, enum: values = [] } = schema
  switch (format) {
    case 'byte':
      return { largest: maxLength ?? largestText, smallest: 2 }
    case 'duration':
      return { largest: 32, smallest: 3 }
    case 'date':
      return { largest: 12, smallest: 12 }
    case 'date-time':
      return { largest: 32, smallest: 21 }
  }
  const listed = values.map(value => (typeof value === 'string' ? Buffer.byteLength(value) : 0))
  const most = listed.length > 0 ? Math.max(...listed) : largestText
  return { largest: textLength(schema) ?? most, smallest: 2 }
}

/** Bytes of the longest text: four for every character. */
function textLength({ maxLength }: StructuralSchema): number | undefined {
  return maxLength === undefined ? undefined : Math.max(maxLength, 0) * 4
}
