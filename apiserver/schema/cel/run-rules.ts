/** Runs compiled rules on values. */

import { Optional } from '@marcbachmann/cel-js'
import { isRecord } from '../../api-object.ts'
import type { FieldError, FieldErrorType } from '../field-error.ts'
import { goBadValue, goQuote } from '../go-format.ts'
import { equalJSON } from '../json.ts'
import type { StructuralSchema, ValidationRule } from '../structural-schema.ts'
import { itemWithKeys } from '../validate-values.ts'
import { describeError, type Program } from './compile-rule.ts'
import type { Meter } from './cost/meter.ts'
import type { CELType } from './values.ts'

/** A rule that can be run. */
export interface CompiledRule {
  readonly source: ValidationRule
  readonly program: Program
  readonly message: Program | undefined
  /** Counts what the rule costs, where that must be known. */
  readonly meter: Meter
  readonly isTransition: boolean
  /** The field to report below the node; '' for the node itself. */
  readonly path: string
}

/** A node of the schema with rules at or below it. */
export interface RuleNode {
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

/** Most that one run of a rule may cost. */
export const runLimit = 1_000_000
/** Most that all rules together may cost for one object. */
export const objectLimit = 10_000_000

/** One object's run: where errors go, and what rules may still cost. */
interface Run {
  readonly errors: FieldError[]
  /** Negative where rules have been stopped. */
  left: number
}

/** Runs the rules at and below a node on a value there, which was `old` before, and adds what is wrong. */
export function runRules(
  node: RuleNode,
  { value, old, path }: { readonly value: unknown; readonly old: unknown; readonly path: string },
  errors: FieldError[],
): void {
  runNode(node, { value, old, path, isUnchanged: () => false }, { errors, left: objectLimit })
}

function runNode(node: RuleNode, visit: Visit, run: Run): void {
  const { value, old, path } = visit
  if (value === null || value === undefined || run.left < 0) return
  const isUnchanged = old === undefined ? visit.isUnchanged : once(() => equalJSON(value, old))
  if (!node.hasTransitions && isUnchanged()) return
  let { self, oldSelf } = visit
  for (const rule of node.rules) {
    // What was wrong before and has not been touched is forgiven, so there is nothing to find out.
    if (!rule.isTransition && isUnchanged()) continue
    self ??= node.type.convert(value)
    if (old !== undefined && old !== null) oldSelf ??= node.type.convert(old)
    runRule(rule, node, { value, self, oldSelf, path }, run)
    if (run.left < 0) return
  }
  if (Array.isArray(value)) {
    if (node.items) runItems(node, node.items, { ...visit, self, oldSelf, isUnchanged }, run)
    return
  }
  if (!isRecord(value)) return
  const oldFields = isRecord(old) ? old : undefined
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
    runNode(child, childOf(key, field, path === '' ? key : `${path}.${key}`), run)
  }
  if (!node.additional) return
  for (const key of Object.keys(value)) runNode(node.additional, childOf(key, key, `${path}[${key}]`), run)
}

function runItems(node: RuleNode, items: RuleNode, visit: Visit, run: Run): void {
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
    runNode(items, child, run)
  }
}

/** What a rule is run on. */
interface Subject {
  readonly value: unknown
  readonly self: unknown
  readonly oldSelf: unknown
  readonly path: string
}

function runRule(rule: CompiledRule, node: RuleNode, subject: Subject, run: Run): void {
  const { source, meter } = rule
  const isOptional = source.optionalOldSelf === true
  if (rule.isTransition && subject.oldSelf === undefined && !isOptional) return
  const variables = { self: subject.self, oldSelf: isOptional ? Optional.of(subject.oldSelf) : subject.oldSelf }
  const field = subject.path === '' ? '<nil>' : subject.path
  const badValue = node.schema.type ?? ''
  const fail = (detail: string) => {
    const message = `Invalid value: ${goQuote(badValue)}: ${detail}`
    run.errors.push({ type: 'FieldValueInvalid', field, message, badValue })
  }
  meter.start(runLimit)
  const reason = failureOf(rule.program, variables)
  if (meter.spent > run.left)
    fail('validation failed due to running out of cost budget, no further validation rules will be run')
  else if (meter.isExceeded) {
    const stopped = 'no further validation rules will be run due to call cost exceeds limit for rule'
    fail(`'operation cancelled: actual cost limit exceeded': ${stopped}: ${ruleText(source)}`)
  }
  run.left = meter.isExceeded ? -1 : run.left - meter.spent
  if (reason === undefined || run.left < 0) return
  if (reason !== notTrue) {
    fail(
      reason.startsWith('no such overload')
        ? `'${reason}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(source)}`
        : `${reason} evaluating rule: ${ruleText(source)}`,
    )
    return
  }
  const message = failureMessage(rule, variables)
  const reported = rule.path === '' ? field : subject.path === '' ? rule.path : `${subject.path}.${rule.path}`
  const type: FieldErrorType = source.reason ?? 'FieldValueInvalid'
  const isShown = node.schema.type !== 'object' && node.schema.type !== 'array'
  const shown = isShown ? `: ${goBadValue(subject.value)}` : ''
  run.errors.push({ type, field: reported, message: describeFailure(type, shown, message) })
}

const notTrue = 'not true'

/** Why a program does not yield true: `notTrue` where it yields something else; undefined where it does. */
function failureOf(program: Program, variables: { self: unknown; oldSelf: unknown }): string | undefined {
  try {
    return program(variables) === true ? undefined : notTrue
  } catch (error) {
    return describeError(error)
  }
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
