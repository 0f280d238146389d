/** Reads an audit.k8s.io/v1 Policy from YAML or JSON, as `kube-apiserver --audit-policy-file` takes it. */

import { parse } from 'yaml'
import type { JSONObject } from '../api-object.ts'
import { isRecord } from '../api-object.ts'
import { type AuditPolicy, type AuditRule, type GroupResources, type Level, levels, stages } from './policy.ts'

const apiVersion = 'audit.k8s.io/v1'
const policyFields = ['apiVersion', 'kind', 'metadata', 'rules', 'omitStages', 'omitManagedFields']
const ruleFields = [
  'level',
  'users',
  'userGroups',
  'verbs',
  'resources',
  'namespaces',
  'nonResourceURLs',
  'omitStages',
  'omitManagedFields',
]
const resourceFields = ['group', 'resources', 'resourceNames']

/** Reads a policy; throws one line that names the field and what it must be. */
export function readAuditPolicy(text: string): AuditPolicy {
  const policy = record(parsed(text), 'the policy')
  if (policy.apiVersion !== apiVersion) throw wrong('apiVersion', `must be ${apiVersion}`)
  if (policy.kind !== 'Policy') throw wrong('kind', 'must be Policy')
  checkFields(policy, policyFields, '')
  const rules = list(policy.rules, 'rules')
  if (rules.length === 0) throw wrong('rules', 'must hold at least one rule')
  return {
    rules: rules.map((rule, index) => readRule(rule, `rules[${index}]`)),
    omitStages: oneOf(policy.omitStages, 'omitStages', stages),
    omitManagedFields: boolean(policy.omitManagedFields, 'omitManagedFields') ?? false,
  }
}

function readRule(value: unknown, path: string): AuditRule {
  const rule = record(value, path)
  checkFields(rule, ruleFields, `${path}.`)
  const read = {
    level: readLevel(rule.level, `${path}.level`),
    users: texts(rule.users, `${path}.users`),
    userGroups: texts(rule.userGroups, `${path}.userGroups`),
    verbs: texts(rule.verbs, `${path}.verbs`),
    resources: list(rule.resources, `${path}.resources`).map((each, index) =>
      readResources(each, `${path}.resources[${index}]`),
    ),
    namespaces: texts(rule.namespaces, `${path}.namespaces`),
    nonResourceURLs: texts(rule.nonResourceURLs, `${path}.nonResourceURLs`),
    omitStages: oneOf(rule.omitStages, `${path}.omitStages`, stages),
    omitManagedFields: boolean(rule.omitManagedFields, `${path}.omitManagedFields`),
  }
  if (read.nonResourceURLs.length > 0 && (read.resources.length > 0 || read.namespaces.length > 0)) {
    throw wrong(`${path}.nonResourceURLs`, 'cannot stand beside resources or namespaces: write two rules')
  }
  const url = read.nonResourceURLs.find(each => each !== '*' && !/^\/[^*]*\*?$/.test(each))
  if (url === undefined) return read
  throw wrong(`${path}.nonResourceURLs`, `must be '*', or begin with '/' and hold '*' only at the end: ${url}`)
}

function readResources(value: unknown, path: string): GroupResources {
  const given = record(value, path)
  checkFields(given, resourceFields, `${path}.`)
  const { group = '' } = given
  if (typeof group !== 'string') throw wrong(`${path}.group`, 'must be a string')
  const resources = texts(given.resources, `${path}.resources`)
  const resourceNames = texts(given.resourceNames, `${path}.resourceNames`)
  if (resourceNames.length > 0 && resources.length === 0) {
    throw wrong(`${path}.resourceNames`, 'needs resources beside it')
  }
  return { group, resources, resourceNames }
}

function readLevel(value: unknown, path: string): Level {
  const level = levels.find(each => each === value)
  if (level === undefined) throw wrong(path, `must be one of ${levels.join(', ')}`)
  return level
}

function oneOf<T extends string>(value: unknown, path: string, allowed: readonly T[]): readonly T[] {
  return texts(value, path).map(text => {
    const known = allowed.find(each => each === text)
    if (known === undefined) throw wrong(path, `must hold only ${allowed.join(', ')}`)
    return known
  })
}

function texts(value: unknown, path: string): readonly string[] {
  const given = list(value, path)
  const read = given.filter(each => typeof each === 'string')
  if (read.length < given.length) throw wrong(path, 'must hold strings only')
  return read
}

function boolean(value: unknown, path: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  throw wrong(path, 'must be true or false')
}

function list(value: unknown, path: string): readonly unknown[] {
  if (value === undefined) return []
  if (Array.isArray(value)) return value
  throw wrong(path, 'must be a list')
}

function record(value: unknown, path: string): JSONObject {
  if (isRecord(value)) return value
  throw wrong(path, 'must be an object')
}

function checkFields(given: JSONObject, known: readonly string[], prefix: string): void {
  const unknown = Object.keys(given).find(field => !known.includes(field))
  if (unknown !== undefined) throw wrong(`${prefix}${unknown}`, `is unknown: known are ${known.join(', ')}`)
}

function parsed(text: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    throw new Error(`it is no YAML: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
  }
}

function wrong(field: string, message: string): Error {
  return new Error(`${field} ${message}`)
}
