/** Validates values against a schema, with the words and the order of Kubernetes' own validator. */

import { isRecord, type JSONObject } from '../api-object.ts'
import { tooLong, tooMany } from '../field-errors.ts'
import type { FieldError, FieldErrorType } from './field-error.ts'
import { formatCheck } from './formats.ts'
import { goBadValue, goNumber, goQuote } from './go-format.ts'
import { canonicalJSON, equalJSON } from './json.ts'
import { fitsRange, misfit, numericFormat } from './number-ranges.ts'
import { compilePattern, type Pattern } from './pattern.ts'
import type { StructuralSchema } from './structural-schema.ts'

/** A schema prepared for value validation. */
export interface ValueNode {
  readonly schema: StructuralSchema
  /** Names of the types allowed, as messages join them; undefined where any is. */
  readonly types: readonly string[] | undefined
  readonly properties: ReadonlyMap<string, ValueNode>
  readonly additional: ValueNode | undefined
  readonly items: ValueNode | undefined
  readonly mapKeys: readonly string[] | undefined
  readonly pattern: Pattern | undefined
  readonly format: { readonly name: string; readonly check: Pattern } | undefined
  readonly enum: ReadonlySet<unknown> | undefined
  readonly allOf: readonly ValueNode[]
  readonly anyOf: readonly ValueNode[]
  readonly oneOf: readonly ValueNode[]
  readonly not: ValueNode | undefined
}

/** Prepares a schema for value validation. The patterns must have been checked before. */
export function prepareValues(schema: StructuralSchema): ValueNode {
  const properties = new Map<string, ValueNode>()
  for (const [name, property] of Object.entries(schema.properties ?? {})) properties.set(name, prepareValues(property))
  const additional = schema.additionalProperties
  const check = formatCheck(schema.format)
  return {
    schema,
    types: typesOf(schema),
    properties,
    additional: typeof additional === 'object' ? prepareValues(additional) : undefined,
    items: schema.items ? prepareValues(schema.items) : undefined,
    mapKeys: schema['x-kubernetes-list-type'] === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : undefined,
    pattern: schema.pattern === undefined || schema.pattern === '' ? undefined : compilePattern(schema.pattern),
    format: check && schema.format !== undefined ? { name: schema.format, check } : undefined,
    enum: schema.enum ? new Set<unknown>(schema.enum) : undefined,
    allOf: (schema.allOf ?? []).map(prepareValues),
    anyOf: (schema.anyOf ?? []).map(prepareValues),
    oneOf: (schema.oneOf ?? []).map(prepareValues),
    not: schema.not ? prepareValues(schema.not) : undefined,
  }
}

function typesOf(schema: StructuralSchema): readonly string[] | undefined {
  if (schema['x-kubernetes-int-or-string']) return ['integer', 'string']
  return schema.type === undefined ? undefined : [schema.type]
}

/** The old value that belongs to a new one; `undefined` where there is none to compare with. */
export type Old = unknown

type Run = FieldError[]

/** Adds what is wrong with the value to `errors`. Errors of values equal to their old ones are forgiven. */
export function validateValue(value: unknown, node: ValueNode, path: string, errors: FieldError[], old?: Old): void {
  if (value === old) return
  const before = errors.length
  checkNode(value, node, path, errors, old)
  if (errors.length > before && old !== undefined && equalJSON(value, old)) errors.length = before
}

function checkNode(value: unknown, node: ValueNode, path: string, run: Run, old: Old): void {
  checkType(value, node, path, run)
  if (value === null) {
    checkEnum(value, node, path, run)
    return
  }
  if (node.allOf.length > 0 || node.anyOf.length > 0 || node.oneOf.length > 0 || node.not) {
    checkCombinations(value, node, path, run)
  }
  if (typeof value === 'string') checkString(value, node, path, run)
  else if (typeof value === 'number') checkNumber(value, node, path, run)
  else if (Array.isArray(value)) checkList(value, node, path, run, old)
  checkEnum(value, node, path, run)
  if (isRecord(value)) checkObject(value, node, path, run, old)
}

function fail(run: Run, type: FieldErrorType, path: string, message: string, badValue?: unknown): void {
  const field = path === '' ? '<nil>' : path
  add(run, badValue === undefined ? { type, field, message } : { type, field, message, badValue })
}

/** Adds an error, unless several parts of the schema have it. */
function add(run: Run, error: FieldError): void {
  const isKnown = run.some(known => known.field === error.field && known.message === error.message)
  if (!isKnown) run.push(error)
}

function invalid(run: Run, path: string, badValue: unknown, detail: string): void {
  fail(run, 'FieldValueInvalid', path, `Invalid value: ${goBadValue(badValue)}: ${path} in body ${detail}`, badValue)
}

function wrongType(run: Run, path: string, expected: string, actual: string): void {
  const message = `Invalid value: ${goQuote(actual)}: ${path} in body must be of type ${expected}: ${goQuote(actual)}`
  fail(run, 'FieldValueTypeInvalid', path, message, actual)
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return isInt64(value) ? 'integer' : 'number'
  return typeof value
}

/** Beyond 64 bits a number is no integer, whatever its digits. */
function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63
}

function checkType(value: unknown, node: ValueNode, path: string, run: Run): void {
  const { types } = node
  if (!types) return
  if (value === null) {
    if (!node.schema.nullable) wrongType(run, path, types.join(','), 'null')
    return
  }
  const actual = typeOf(value)
  if (types.includes(actual)) return
  if (actual === 'integer' && types.includes('number')) return
  const wanted = node.format?.name ?? numericFormat(node.schema)
  if (wanted !== undefined && actual !== 'string' && actual !== 'array') {
    const format = actual === 'integer' ? 'int64' : actual === 'number' ? 'float64' : ''
    wrongType(run, path, wanted, format)
    return
  }
  const numeric = types.includes('number') || types.includes('integer')
  // The format's own check speaks for texts and lists.
  if (node.format && !numeric) return
  wrongType(run, path, types.join(','), actual)
}

function checkEnum(value: unknown, node: ValueNode, path: string, run: Run): void {
  if (!node.enum || node.enum.has(value)) return
  if (typeof value === 'object' && node.schema.enum?.some(item => equalJSON(item, value))) return
  const allowed = (node.schema.enum ?? []).map(item => goQuote(typeof item === 'string' ? item : JSON.stringify(item)))
  const message = `Unsupported value: ${goBadValue(value)}: supported values: ${allowed.join(', ')}`
  fail(run, 'FieldValueNotSupported', path, message, value)
}

function checkString(value: string, node: ValueNode, path: string, run: Run): void {
  const problem = stringProblem(value, node)
  if (problem === 'long') {
    const message = tooLong('', undefined, node.schema.maxLength ?? 0).message
    fail(run, 'FieldValueTooLong', path, message, '<value omitted>')
  } else if (problem !== undefined) {
    invalid(run, path, value, problem)
  }
  if (node.format && !node.format.check(value)) wrongType(run, path, node.format.name, value)
}

/** The first thing wrong with a text, `long` for too long. */
function stringProblem(value: string, node: ValueNode): string | undefined {
  const { maxLength, minLength, pattern } = node.schema
  if (maxLength !== undefined && value.length > maxLength && [...value].length > maxLength) return 'long'
  if (minLength !== undefined && (value.length < minLength || [...value].length < minLength)) {
    return `should be at least ${minLength} chars long`
  }
  if (node.pattern && !node.pattern(value)) return `should match '${pattern}'`
  return undefined
}

function checkNumber(value: number, node: ValueNode, path: string, run: Run): void {
  const { schema } = node
  const { multipleOf, maximum, minimum, exclusiveMaximum, exclusiveMinimum } = schema
  const checkRange = (what: string, number: number) => {
    if (!fitsRange(number, schema))
      fail(run, 'FieldValueInvalid', '', `Invalid value: "": ${misfit(what, schema, path)}`, '')
  }
  // An integer is compared with the whole part of a bound, unless the type has no room for the bound.
  const bound = (limit: number) => (isInt64(value) && fitsRange(limit, schema) ? Math.trunc(limit) : limit)
  checkRange('Checked', value)
  if (multipleOf !== undefined) {
    checkRange('MultipleOf', multipleOf)
    if (!isMultiple(value, multipleOf)) invalid(run, path, value, `should be a multiple of ${goNumber(multipleOf)}`)
  }
  if (maximum !== undefined) {
    checkRange('Maximum boundary', maximum)
    const limit = bound(maximum)
    if (value > limit || (exclusiveMaximum && value === limit)) {
      invalid(run, path, value, `should be less than ${exclusiveMaximum ? '' : 'or equal to '}${goNumber(limit)}`)
    }
  }
  if (minimum !== undefined) {
    checkRange('Minimum boundary', minimum)
    const limit = bound(minimum)
    if (value < limit || (exclusiveMinimum && value === limit)) {
      invalid(run, path, value, `should be greater than ${exclusiveMinimum ? '' : 'or equal to '}${goNumber(limit)}`)
    }
  }
}

function isMultiple(value: number, factor: number): boolean {
  const quotient = factor < 1 ? (1 / factor) * value : value / factor
  if (Math.abs(quotient) > Number.MAX_SAFE_INTEGER) return isInt64(value) && value % factor === 0
  return Math.abs(quotient - Math.round(quotient)) <= 1e-9 * Math.abs(quotient)
}

function checkList(value: readonly unknown[], node: ValueNode, path: string, run: Run, old: Old): void {
  const { minItems, maxItems, uniqueItems } = node.schema
  const { items, mapKeys } = node
  if (items) {
    const oldItems = mapKeys && Array.isArray(old) ? old : []
    for (let index = 0; index < value.length; index++) {
      const item = value[index]
      const oldItem = oldItems.length === 0 ? undefined : itemWithKeys(oldItems, item, mapKeys ?? [])
      validateValue(item, items, `${path}[${index}]`, run, oldItem)
    }
  }
  if (minItems !== undefined && value.length < minItems) {
    invalid(run, path, value.length, `should have at least ${minItems} items`)
  }
  if (maxItems !== undefined && value.length > maxItems) {
    add(run, tooMany(path === '' ? '<nil>' : path, value.length, maxItems))
  }
  if (uniqueItems && new Set(value.map(canonicalJSON)).size < value.length) {
    invalid(run, path, '', "shouldn't contain duplicates")
  }
}

/** The element of a list map that has the same keys as `like`; undefined where there is none or `like` lacks a key. */
export function itemWithKeys(list: readonly unknown[], like: unknown, keys: readonly string[]): unknown {
  if (!isRecord(like) || keys.some(key => like[key] === undefined)) return undefined
  return list.find(item => isRecord(item) && keys.every(key => equalJSON(item[key], like[key])))
}

function checkObject(value: JSONObject, node: ValueNode, path: string, run: Run, old: Old): void {
  const { minProperties, maxProperties, required } = node.schema
  const oldFields = isRecord(old) ? old : undefined
  const size = minProperties === undefined && maxProperties === undefined ? 0 : Object.keys(value).length
  if (minProperties !== undefined && size < minProperties) {
    invalid(run, path, size, `should have at least ${minProperties} properties`)
  }
  if (maxProperties !== undefined && size > maxProperties) {
    add(run, tooMany(path === '' ? '<nil>' : path, size, maxProperties))
  }
  for (const key of Object.keys(value)) {
    const child = node.properties.get(key) ?? node.additional
    if (!child) continue
    const oldItem = oldFields && Object.hasOwn(oldFields, key) ? oldFields[key] : undefined
    validateValue(value[key], child, path === '' ? key : `${path}.${key}`, run, oldItem)
  }
  if (!required) return
  for (const key of required) {
    if (Object.hasOwn(value, key)) continue
    fail(run, 'FieldValueRequired', path === '' ? key : `${path}.${key}`, 'Required value', '')
  }
}

function errorsOf(value: unknown, node: ValueNode, path: string): FieldError[] {
  const errors: FieldError[] = []
  checkNode(value, node, path, errors, undefined)
  return errors
}

function composite(run: Run, path: string, detail: string): void {
  fail(run, 'FieldValueInvalid', '', `Invalid value: "": ${goQuote(path)} ${detail}`, '')
}

/** How much of the value an alternative speaks of: Kubernetes reports the one that speaks of most. */
function reach(value: unknown, node: ValueNode): number {
  if (!isRecord(value)) return 1
  let count = 1
  for (const [key, property] of node.properties) if (Object.hasOwn(value, key)) count += reach(value[key], property)
  return count
}

/** The errors of the alternative that came closest, the first of equals. */
function closest(value: unknown, alternatives: readonly ValueNode[], path: string): readonly FieldError[] {
  const best = alternatives.reduce((a, b) => (reach(value, b) > reach(value, a) ? b : a))
  return errorsOf(value, best, path)
}

function checkCombinations(value: unknown, node: ValueNode, path: string, run: Run): void {
  if (node.anyOf.length > 0) {
    const fits = node.anyOf.some(alternative => errorsOf(value, alternative, path).length === 0)
    if (!fits) {
      composite(run, path, 'must validate at least one schema (anyOf)')
      for (const error of closest(value, node.anyOf, path)) add(run, error)
    }
  }
  if (node.oneOf.length > 0) {
    const results = node.oneOf.map(alternative => errorsOf(value, alternative, path))
    const valid = results.filter(errors => errors.length === 0).length
    if (valid !== 1) {
      const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`
      composite(run, path, `must validate one and only one schema (oneOf). ${found}`)
      if (valid === 0) for (const error of closest(value, node.oneOf, path)) add(run, error)
    }
  }
  if (node.allOf.length > 0) {
    const results = node.allOf.map(part => errorsOf(value, part, path))
    for (const error of results.flat()) add(run, error)
    const valid = results.filter(errors => errors.length === 0).length
    if (valid < results.length) {
      composite(run, path, `must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`)
    }
  }
  if (node.not && errorsOf(value, node.not, path).length === 0) {
    composite(run, path, 'must not validate the schema (not)')
  }
}
