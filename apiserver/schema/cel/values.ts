/** From a schema to CEL's types, and from JSON to CEL's values: integers become BigInt, objects know their fields. */

import { Environment } from '@marcbachmann/cel-js'
import { isRecord } from '../../api-object.ts'
import type { StructuralSchema } from '../structural-schema.ts'
import { equalValues, markList } from './equality.ts'

/** A CEL type and how JSON becomes a value of it. */
export interface CELType {
  /** As the library names it: `int`, `list<string>`, `object3`. */
  readonly name: string
  convert(value: unknown): unknown
}

const reserved: ReadonlySet<string> = new Set([
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
])

const replacements: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
}

/** The name by which CEL reaches a property; undefined for one that it cannot reach. */
export function escapeProperty(name: string): string | undefined {
  if (reserved.has(name)) return `__${name}__`
  const escaped = name.replaceAll(/__|[./-]/g, part => replacements[part] ?? part)
  return /^[A-Za-z_]\w*$/.test(escaped) ? escaped : undefined
}

/** Any JSON as a CEL value, where no schema says more. */
function convertUntyped(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(convertUntyped)
  if (!isRecord(value)) return value
  return new Map(Object.keys(value).map(key => [key, convertUntyped(value[key])]))
}

const untyped: CELType = { name: 'dyn', convert: convertUntyped }
const identity = (value: unknown) => value

const conversions = new Environment()
const durationOf = conversions.clone().registerVariable('text', 'string').parse('duration(text)')

function stringType(format: string | undefined): CELType {
  switch (format?.replaceAll('-', '')) {
    case 'byte':
      return {
        name: 'bytes',
        convert: value => (typeof value === 'string' ? new Uint8Array(Buffer.from(value, 'base64')) : value),
      }
    case 'date':
    case 'datetime':
      return {
        name: 'google.protobuf.Timestamp',
        convert: value => (typeof value === 'string' ? new Date(value) : value),
      }
    case 'duration':
      return {
        name: 'google.protobuf.Duration',
        convert: value => (typeof value === 'string' ? durationOf({ text: value }) : value),
      }
    default:
      return { name: 'string', convert: identity }
  }
}

/** Makes the types of one schema known to an environment of its own. */
export class SchemaTypes {
  readonly environment: Environment
  readonly #types = new Map<StructuralSchema, CELType>()
  readonly #fields = new Map<string, ReadonlySet<string>>()
  #objects = 0

  /** `base` has the functions; it is not changed. */
  constructor(base: Environment) {
    this.environment = base.clone()
  }

  /** The type of a node; `root` says that it is a whole resource. */
  typeOf(schema: StructuralSchema, root = false): CELType {
    const known = this.#types.get(schema)
    if (known) return known
    const type = this.#build(schema, root)
    this.#types.set(schema, type)
    return type
  }

  /** The fields of a type of objects; undefined for any other type. */
  fieldsOf(type: string): ReadonlySet<string> | undefined {
    return this.#fields.get(type)
  }

  /** The type of elements and values of maps, which may be null; a field that is null counts as absent. */
  #elementType(schema: StructuralSchema): CELType {
    const type = this.typeOf(schema)
    return schema.nullable ? { name: 'dyn', convert: value => (value === null ? null : type.convert(value)) } : type
  }

  #build(schema: StructuralSchema, root: boolean): CELType {
    if (schema['x-kubernetes-int-or-string']) return untyped
    switch (schema.type) {
      case 'integer':
        return { name: 'int', convert: value => (Number.isInteger(value) ? BigInt(value as number) : value) }
      case 'number':
        return { name: 'double', convert: identity }
      case 'boolean':
        return { name: 'bool', convert: identity }
      case 'string':
        return stringType(schema.format)
      case 'array':
        return this.#list(schema)
      case 'object':
        return this.#object(schema, root)
      default:
        return untyped
    }
  }

  #list(schema: StructuralSchema): CELType {
    const items = schema.items ? this.#elementType(schema.items) : untyped
    const listType = schema['x-kubernetes-list-type']
    const keys =
      listType === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []).flatMap(key => escapeProperty(key) ?? []) : []
    const isUnordered = listType === 'set' || listType === 'map'
    const name = `list<${items.name}>`
    return {
      name,
      convert(value) {
        if (!Array.isArray(value)) return value
        const list = value.map(item => items.convert(item))
        if (isUnordered) markList(list, keys)
        return list
      },
    }
  }

  #object(schema: StructuralSchema, root: boolean): CELType {
    const additional = schema.additionalProperties
    if (additional !== undefined && additional !== false) {
      const values = additional === true ? untyped : this.#elementType(additional)
      return {
        name: `map<string, ${values.name}>`,
        convert: value =>
          isRecord(value) ? new Map(Object.keys(value).map(key => [key, values.convert(value[key])])) : value,
      }
    }
    const isResource = root || schema['x-kubernetes-embedded-resource'] === true
    const properties = isResource ? resourceProperties(schema) : (schema.properties ?? {})
    if (Object.keys(properties).length === 0 && schema['x-kubernetes-preserve-unknown-fields']) return untyped
    const reachable = Object.entries(properties).flatMap(([name, property]) => {
      const field = escapeProperty(name)
      if (field === undefined) return []
      const type = this.typeOf(property)
      return reserved.has(name)
        ? [
            { name, field, type },
            { name, field: name, type },
          ]
        : [{ name, field, type }]
    })
    const name = `object${++this.#objects}`
    const Message = class extends Map<string, unknown> {}
    const fields = Object.fromEntries(reachable.map(({ field, type }) => [field, type.name]))
    this.#fields.set(name, new Set(Object.keys(fields)))
    this.environment.registerType({ name, ctor: Message, fields }).registerOperator(`${name} == ${name}`, equalValues)
    return {
      name,
      convert(value) {
        if (!isRecord(value)) return value
        const message = new Message()
        for (const property of reachable) {
          if (!Object.hasOwn(value, property.name) || value[property.name] === null) continue
          message.set(property.field, property.type.convert(value[property.name]))
        }
        return message
      },
    }
  }
}

/** What rules may read of a whole resource beside what its schema declares. */
function resourceProperties(schema: StructuralSchema): Readonly<Record<string, StructuralSchema>> {
  const text: StructuralSchema = { type: 'string' }
  return {
    ...schema.properties,
    apiVersion: text,
    kind: text,
    metadata: { type: 'object', properties: { name: text, generateName: text } },
  }
}
