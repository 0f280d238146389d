/** Compiles and runs the rules of `x-kubernetes-validations`. */

import type { Environment } from '@marcbachmann/cel-js'
import type { FieldError } from '../field-error.ts'
import { goBadValue } from '../go-format.ts'
import type { SchemaProblem } from '../schema-error.ts'
import type { StructuralSchema, ValidationRule } from '../structural-schema.ts'
import { type Compilation, compileExpression, readFieldPath } from './compile-rule.ts'
import { estimateCost } from './cost/estimate.ts'
import { type Extent, extentOf, mostInRequest } from './cost/extent.ts'
import { CostSheet, type Excess } from './cost/limits.ts'
import { attachMeter, Meter } from './cost/meter.ts'
import { times } from './cost/size.ts'
import { writeOut } from './cost/write-out.ts'
import { ruleEnvironment } from './environment.ts'
import { mentions } from './rename.ts'
import { type CompiledRule, objectLimit, type RuleNode, runLimit, runRules } from './run-rules.ts'
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

/** Compiles the rules of a whole resource's schema; undefined where it has none. Faults are added to `problems`. */
export function compileRules(schema: StructuralSchema, problems: SchemaProblem[]): Rules | undefined {
  if (!hasRules(schema)) return undefined
  const types = new SchemaTypes(ruleEnvironment)
  types.typeOf(schema, true)
  declareTypes(schema, types)
  const costs = new CostSheet()
  const metered: Metered[] = []
  const place = { path: '', uncorrelatable: undefined, extent: extentOf(schema, true), count: 1 }
  const node = compileNode(schema, { types, costs, metered, problems }, place)
  if (!node) return undefined
  attachMeters(metered, costs.total)
  return {
    run(value, oldValue, errors) {
      runRules(node, { value, old: oldValue, path: '' }, errors)
    },
    checkDefaults: problems => checkDefaults(node, '', problems),
    excess: costs.excess,
  }
}

/** What a rule may cost by its estimate costs time to count: it is counted only where it could matter. */
function attachMeters(metered: readonly Metered[], total: number): void {
  for (const { tree, meter, cost } of metered) if (cost > runLimit || total > objectLimit) attachMeter(tree, meter)
}

function checkDefaults(node: RuleNode, path: string, problems: SchemaProblem[]): void {
  const join = (field: string) => (path === '' ? field : `${path}.${field}`)
  const value = node.schema.default
  if (value !== undefined) {
    const errors: FieldError[] = []
    runRules(node, { value, old: undefined, path: 'default' }, errors)
    // A default meets rules about changes too: as what it was before.
    if (errors.length === 0) runRules(node, { value, old: value, path: 'default' }, errors)
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
  readonly metered: Metered[]
  readonly problems: SchemaProblem[]
}

/** A rule with the meter that is to count its costs. */
interface Metered {
  readonly tree: unknown
  readonly meter: Meter
  readonly cost: number
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
    return compileRule(rule, { schema, type, types, place, charge, report, metered: compiler.metered }) ?? []
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
  readonly metered: Metered[]
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
  const cost = costOf(compiled, place)
  const meter = new Meter()
  context.metered.push({ tree: compiled.tree, meter, cost })
  charge('rule', cost, place.count ?? (place.extent ? mostInRequest(place.extent) : 0))
  if (message) charge('messageExpression', costOf(message, place), 1)
  return {
    source: rule,
    program: compiled.program,
    message: message?.program,
    meter,
    isTransition,
    path: field.path,
  }
}

function costOf({ tree }: Exclude<Compilation, { problem: string }>, { extent }: Place): number {
  return extent === undefined ? 0 : estimateCost(writeOut(tree), extent)
}
