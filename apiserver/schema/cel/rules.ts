/** Compiles and runs the rules of `x-kubernetes-validations`. */

import { type Environment, Optional } from '@marcbachmann/cel-js'
import type { FieldError, FieldErrorType } from '../field-error.ts'
import { goBadValue, goQuote } from '../go-format.ts'
import { equalJSON, isObject } from '../json.ts'
import type { SchemaProblem } from '../schema-error.ts'
import type { StructuralSchema, ValidationRule } from '../structural-schema.ts'
import { itemWithKeys } from '../validate-values.ts'
import { type Compilation, compileExpression, describeError, type Program, readFieldPath } from './compile-rule.ts'
import { estimateCost } from './cost/estimate.ts'
import { type Extent, extentOf, mostInRequest } from './cost/extent.ts'
import { CostSheet, type Excess } from './cost/limits.ts'
import { times } from './cost/size.ts'
import { writeOut } from './cost/write-out.ts'
import { ruleEnvironment } from './environment.ts'
import { mentions } from './rename.ts'
import { type CELType, escapeProperty, SchemaTypes } from './values.ts'

/** All rules of a schema. */
export interface Rules {
  /** Runs them on a valid value and adds an error for each that fails. */
  run(value: unknown, oldValue: unknown, errors: FieldError[]): void
  /** Runs them on the defaults of the schema, as they are given, and adds what is wrong with those. */
  checkDefaults(problems: SchemaProblem[]): void
  /** Those that may cost too much. */
  readonly excess: Excess
}

interface CompiledRule {
  readonly source: ValidationRule
  readonly program: Program
  readonly message: Program | undefined
  readonly isTransition: boolean
  /** The field to report below the node; '' for the node itself. */
  readonly path: string
}

interface RuleNode {
  readonly schema: StructuralSchema
  readonly type: CELType
  readonly rules: readonly CompiledRule[]
  /** Whether a rule at or below the node compares with the old value. */
  readonly hasTransitions: boolean
  /** Children with rules at or below them, and the names under which CEL has them. */
  readonly properties: ReadonlyMap<string, { readonly node: RuleNode; readonly field: string | undefined }>
  readonly additional: RuleNode | undefined
  readonly items: RuleNode | undefined
}

/** Compiles the rules of a whole resource's schema; undefined where it has none. Faults are added to `problems`. */
export function compileRules(schema: StructuralSchema, problems: SchemaProblem[]): Rules | undefined {
  if (!hasRules(schema)) return undefined
  const types = new SchemaTypes(ruleEnvironment)
  types.typeOf(schema, true)
  declareTypes(schema, types)
  const costs = new CostSheet()
  const place = { path: '', uncorrelatable: undefined, extent: extentOf(schema, true), count: 1 }
  const node = compileNode(schema, { types, costs, problems }, place)
  if (!node) return undefined
  return {
    run(value, oldValue, errors) {
      runNode(node, { value, old: oldValue, path: '', isUnchanged: () => false }, errors)
    },
    checkDefaults: problems => checkDefaults(node, '', problems),
    excess: costs.excess,
  }
}

function checkDefaults(node: RuleNode, path: string, problems: SchemaProblem[]): void {
  const join = (field: string) => (path === '' ? field : `${path}.${field}`)
  const value = node.schema.default
  if (value !== undefined) {
    const errors: FieldError[] = []
    const visit = { value, path: 'default', isUnchanged: () => false }
    runNode(node, { ...visit, old: undefined }, errors)
    // A default meets rules about changes too: as what it was before.
    if (errors.length === 0) runNode(node, { ...visit, old: value }, errors)
    problems.push(...errors.map(({ field, message }) => ({ field: join(field), message })))
  }
  for (const [name, { node: child }] of node.properties) checkDefaults(child, join(`properties[${name}]`), problems)
  if (node.items) checkDefaults(node.items, join('items'), problems)
  if (node.additional) checkDefaults(node.additional, join('additionalProperties'), problems)
}

/** All types must be known before the first rule: the environment may not change once it has been cloned. */
function declareTypes(schema: StructuralSchema, types: SchemaTypes): void {
  if (!hasRules(schema)) return
  types.typeOf(schema)
  if (schema.items) declareTypes(schema.items, types)
  if (typeof schema.additionalProperties === 'object') declareTypes(schema.additionalProperties, types)
  for (const property of Object.values(schema.properties ?? {})) declareTypes(property, types)
}

function hasRules(schema: StructuralSchema): boolean {
  if (schema['x-kubernetes-validations']?.length) return true
  if (schema.items && hasRules(schema.items)) return true
  const additional = schema.additionalProperties
  if (typeof additional === 'object' && hasRules(additional)) return true
  return Object.values(schema.properties ?? {}).some(hasRules)
}

/** Where a node is in the schema, and in what. */
interface Place {
  readonly path: string
  readonly uncorrelatable: string | undefined
  /** How large values are there; undefined where CEL does not see them. */
  readonly extent: Extent | undefined
  /** How many values may be there; undefined where nothing bounds them. */
  readonly count: number | undefined
}

/** What compiling adds to. */
interface Compiler {
  readonly types: SchemaTypes
  readonly costs: CostSheet
  readonly problems: SchemaProblem[]
}

function compileNode(schema: StructuralSchema, compiler: Compiler, place: Place): RuleNode | undefined {
  if (!hasRules(schema)) return undefined
  const { types, problems } = compiler
  const { path, uncorrelatable } = place
  const join = (field: string) => (path === '' ? field : `${path}.${field}`)
  const below = (child: StructuralSchema, field: string, isCorrelatable: boolean) =>
    compileNode(child, compiler, {
      path: join(field),
      uncorrelatable: uncorrelatable ?? (isCorrelatable ? undefined : path),
      extent: extentOf(child),
      count: countBelow(schema, place.count),
    })
  const properties = new Map<string, { node: RuleNode; field: string | undefined }>()
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const node = below(property, `properties[${name}]`, schema['x-kubernetes-map-type'] !== 'atomic')
    if (node) properties.set(name, { node, field: escapeProperty(name) })
  }
  const { items, additionalProperties } = schema
  const additional =
    typeof additionalProperties === 'object' ? below(additionalProperties, 'additionalProperties', true) : undefined
  const itemNode = items ? below(items, 'items', schema['x-kubernetes-list-type'] === 'map') : undefined
  const type = types.typeOf(schema, path === '')
  const rules = (schema['x-kubernetes-validations'] ?? []).flatMap((rule, index) => {
    const report = (field: string, value: string | boolean, message: string) =>
      problems.push({
        field: `${join('x-kubernetes-validations')}[${index}].${field}`,
        message: `Invalid value: ${goBadValue(value)}: ${message}`,
      })
    const charge = (field: string, cost: number, count: number) =>
      compiler.costs.add(`${join('x-kubernetes-validations')}[${index}].${field}`, cost, count)
    return compileRule(rule, { schema, type, types, place, charge, report }) ?? []
  })
  const children = [...[...properties.values()].map(({ node }) => node), additional, itemNode]
  const hasTransitions = rules.some(rule => rule.isTransition) || children.some(child => child?.hasTransitions)
  return { schema, type, rules, hasTransitions, properties, additional, items: itemNode }
}

/** How many values may be below a node of which there may be so many. */
function countBelow({ type, additionalProperties, maxProperties, maxItems }: StructuralSchema, count?: number) {
  if (count === undefined) return undefined
  if (type === 'array') return maxItems === undefined ? undefined : times(count, Math.max(maxItems, 0))
  if (type !== 'object' || additionalProperties === undefined) return count
  return maxProperties === undefined ? undefined : times(count, Math.max(maxProperties, 0))
}

interface RuleContext {
  readonly schema: StructuralSchema
  readonly type: CELType
  readonly types: SchemaTypes
  readonly place: Place
  readonly charge: (field: string, cost: number, count: number) => void
  readonly report: (field: string, value: string | boolean, message: string) => void
}

function compileRule(rule: ValidationRule, context: RuleContext): CompiledRule | undefined {
  const { schema, type, types, place, charge, report } = context
  const oldType = rule.optionalOldSelf ? `optional<${type.name}>` : type.name
  const environment: Environment = types.environment
    .clone()
    .registerVariable('self', type.name)
    .registerVariable('oldSelf', oldType)
  const compiled = compileExpression(rule.rule, 'bool', { environment, types })
  const message = !rule.messageExpression
    ? undefined
    : compileExpression(rule.messageExpression, 'string', { environment, types })
  const field = !rule.fieldPath ? { path: '' } : readFieldPath(rule.fieldPath, schema)
  if ('problem' in compiled) report('rule', rule.rule, compiled.problem)
  if (message && 'problem' in message) report('messageExpression', rule.messageExpression ?? '', message.problem)
  const isTransition = mentions(rule.rule, 'oldSelf')
  if (isTransition && place.uncorrelatable !== undefined) {
    report(
      'rule',
      rule.rule,
      `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelatable}`,
    )
  }
  if (!isTransition && rule.optionalOldSelf !== undefined) {
    report('optionalOldSelf', rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule')
  }
  if ('problem' in compiled || 'problem' in field || (message && 'problem' in message)) return undefined
  charge('rule', costOf(compiled, place), place.count ?? (place.extent ? mostInRequest(place.extent) : 0))
  if (message) charge('messageExpression', costOf(message, place), 1)
  return {
    source: rule,
    program: compiled.program,
    message: message?.program,
    isTransition,
    path: field.path,
  }
}

function costOf({ tree }: Exclude<Compilation, { problem: string }>, { extent }: Place): number {
  return extent === undefined ? 0 : estimateCost(writeOut(tree), extent)
}

function once(find: () => boolean): () => boolean {
  let found: boolean | undefined
  return () => {
    found ??= find()
    return found
  }
}

interface Visit {
  readonly value: unknown
  /** What the value was before; undefined where nothing belongs to it. */
  readonly old: unknown
  readonly path: string
  /** The value in CEL, where a rule further up needed it already. */
  readonly self?: unknown
  readonly oldSelf?: unknown
  /** Whether the nearest value around this one that has an old one is equal to it. */
  readonly isUnchanged: () => boolean
}

function runNode(node: RuleNode, visit: Visit, errors: FieldError[]): void {
  const { value, old, path } = visit
  if (value === null || value === undefined) return
  const isUnchanged = old === undefined ? visit.isUnchanged : once(() => equalJSON(value, old))
  if (!node.hasTransitions && isUnchanged()) return
  let { self, oldSelf } = visit
  for (const rule of node.rules) {
    // What was wrong before and has not been touched is forgiven, so there is nothing to find out.
    if (!rule.isTransition && isUnchanged()) continue
    self ??= node.type.convert(value)
    if (old !== undefined && old !== null) oldSelf ??= node.type.convert(old)
    const error = runRule(rule, node, { value, self, oldSelf, path })
    if (error) errors.push(error)
  }
  if (Array.isArray(value)) {
    if (node.items) runItems(node, node.items, { ...visit, self, oldSelf, isUnchanged }, errors)
    return
  }
  if (!isObject(value)) return
  const oldFields = isObject(old) ? old : undefined
  const childOf = (key: string, field: string | undefined, childPath: string): Visit => ({
    value: value[key],
    old: oldFields && Object.hasOwn(oldFields, key) ? oldFields[key] : undefined,
    path: childPath,
    self: field !== undefined && self instanceof Map ? self.get(field) : undefined,
    oldSelf: field !== undefined && oldSelf instanceof Map ? oldSelf.get(field) : undefined,
    isUnchanged,
  })
  for (const [key, { node: child, field }] of node.properties) {
    if (!Object.hasOwn(value, key)) continue
    runNode(child, childOf(key, field, path === '' ? key : `${path}.${key}`), errors)
  }
  if (!node.additional) return
  for (const key of Object.keys(value)) runNode(node.additional, childOf(key, key, `${path}[${key}]`), errors)
}

function runItems(node: RuleNode, items: RuleNode, visit: Visit, errors: FieldError[]): void {
  const { value, old, self, path, isUnchanged } = visit
  if (!Array.isArray(value)) return
  const keys = node.schema['x-kubernetes-list-type'] === 'map' ? node.schema['x-kubernetes-list-map-keys'] : undefined
  for (let index = 0; index < value.length; index++) {
    const child: Visit = {
      value: value[index],
      // Only the elements of list maps can be told to be the same as before.
      old: keys && Array.isArray(old) ? itemWithKeys(old, value[index], keys) : undefined,
      path: `${path}[${index}]`,
      self: Array.isArray(self) ? self[index] : undefined,
      isUnchanged,
    }
    runNode(items, child, errors)
  }
}

interface RuleRun {
  readonly value: unknown
  readonly self: unknown
  readonly oldSelf: unknown
  readonly path: string
}

function runRule(rule: CompiledRule, node: RuleNode, run: RuleRun): FieldError | undefined {
  const { source } = rule
  const isOptional = source.optionalOldSelf === true
  if (rule.isTransition && run.oldSelf === undefined && !isOptional) return undefined
  const variables = { self: run.self, oldSelf: isOptional ? Optional.of(run.oldSelf) : run.oldSelf }
  const field = run.path === '' ? '<nil>' : run.path
  const badValue = node.schema.type ?? ''
  try {
    if (rule.program(variables) === true) return undefined
  } catch (error) {
    const reason = describeError(error)
    const detail = reason.startsWith('no such overload')
      ? `'${reason}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(source)}`
      : `${reason} evaluating rule: ${ruleText(source)}`
    return { type: 'FieldValueInvalid', field, message: `Invalid value: ${goQuote(badValue)}: ${detail}`, badValue }
  }
  const message = failureMessage(rule, variables)
  const reported = rule.path === '' ? field : run.path === '' ? rule.path : `${run.path}.${rule.path}`
  const type: FieldErrorType = source.reason ?? 'FieldValueInvalid'
  const isShown = node.schema.type !== 'object' && node.schema.type !== 'array'
  return { type, field: reported, message: describeFailure(type, isShown ? `: ${goBadValue(run.value)}` : '', message) }
}

/** `shown` is the value after a colon, nothing where it would be too long. */
function describeFailure(type: FieldErrorType, shown: string, detail: string): string {
  if (type === 'FieldValueForbidden') return `Forbidden: ${detail}`
  if (type === 'FieldValueRequired') return `Required value: ${detail}`
  if (type === 'FieldValueDuplicate') return `Duplicate value${shown}`
  return `Invalid value${shown}: ${detail}`
}

function ruleText(rule: ValidationRule): string {
  return (rule.message || rule.rule).trim()
}

const longestMessage = 5 * 1024

function failureMessage(rule: CompiledRule, variables: { self: unknown; oldSelf: unknown }): string {
  const usual = rule.source.message ? rule.source.message.trim() : `failed rule: ${ruleText(rule.source)}`
  if (!rule.message) return usual
  try {
    const text = rule.message(variables)
    const message = typeof text === 'string' ? text.trim() : ''
    const isUsable = message !== '' && message.length <= longestMessage && !message.includes('\n')
    return isUsable ? message : usual
  } catch {
    // A message that cannot be made must not hide that the rule failed.
    return usual
  }
}
