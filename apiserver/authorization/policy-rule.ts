/** rbac.authorization.k8s.io/v1 PolicyRule: what a rule allows, and whether rules cover one another. */
import { isRecord } from '../api-object.ts'
import { type Attributes, resourceName } from './attributes.ts'

/** A rule; members that it does not have are empty. */
export interface PolicyRule {
  readonly verbs: readonly string[]
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames: readonly string[]
  readonly nonResourceURLs: readonly string[]
}

const none = { apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] }

/** The rules that allow everything: all resources, and all paths. */
export const everything: readonly PolicyRule[] = [
  { ...none, verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { ...none, verbs: ['*'], nonResourceURLs: ['*'] },
]

/** Reads the rules of a role as it is stored. */
export function readRules(rules: unknown): readonly PolicyRule[] {
  if (!Array.isArray(rules)) return []
  return rules.filter(isRecord).map(({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }) => ({
    verbs: texts(verbs),
    apiGroups: texts(apiGroups),
    resources: texts(resources),
    resourceNames: texts(resourceNames),
    nonResourceURLs: texts(nonResourceURLs),
  }))
}

/** A rule as it is stored: without what is empty. */
export function writtenRule(rule: PolicyRule): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(rule).filter(([, values]) => values.length > 0))
}

/** Whether the rule allows it. */
export function allows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!hasOrAll(rule.verbs, attributes.verb)) return false
  if ('path' in attributes) return rule.nonResourceURLs.some(pattern => matchesPath(pattern, attributes.path))
  const { group, name, subresource } = attributes
  if (!hasOrAll(rule.apiGroups, group)) return false
  const isNamed = rule.resourceNames.length === 0 || rule.resourceNames.includes(name)
  return isNamed && rule.resources.some(pattern => matchesResource(pattern, resourceName(attributes), subresource))
}

/**
 * What of the wished rules the held ones do not cover, each broken down to one group, resource, name and verb. A rule
 * for all is covered by one for all only.
 */
export function uncovered(wished: readonly PolicyRule[], held: readonly PolicyRule[]): readonly PolicyRule[] {
  return wished.flatMap(brokenDown).filter(one => !held.some(rule => covers(rule, one)))
}

function brokenDown({
  verbs,
  apiGroups,
  resources,
  resourceNames,
  nonResourceURLs,
}: PolicyRule): readonly PolicyRule[] {
  const names = resourceNames.length === 0 ? [[]] : resourceNames.map(name => [name])
  return verbs.flatMap(verb => [
    ...apiGroups.flatMap(group =>
      resources.flatMap(resource =>
        names.map(each => ({ ...none, verbs: [verb], apiGroups: [group], resources: [resource], resourceNames: each })),
      ),
    ),
    ...nonResourceURLs.map(url => ({ ...none, verbs: [verb], nonResourceURLs: [url] })),
  ])
}

function covers(rule: PolicyRule, one: PolicyRule): boolean {
  const [verb = ''] = one.verbs
  if (!hasOrAll(rule.verbs, verb)) return false
  const [url] = one.nonResourceURLs
  if (url !== undefined) return rule.nonResourceURLs.some(pattern => matchesPath(pattern, url))
  const [group = ''] = one.apiGroups
  const [resource = ''] = one.resources
  const [, subresource = ''] = resource.split('/')
  if (!hasOrAll(rule.apiGroups, group)) return false
  if (!rule.resources.some(pattern => matchesResource(pattern, resource, subresource))) return false
  const [name] = one.resourceNames
  return rule.resourceNames.length === 0 || (name !== undefined && rule.resourceNames.includes(name))
}

function hasOrAll(values: readonly string[], value: string): boolean {
  return values.includes('*') || values.includes(value)
}

/** A star is everything; a star, a slash and a subresource is that of everything. */
function matchesResource(pattern: string, name: string, subresource: string): boolean {
  if (pattern === '*' || pattern === name) return true
  return subresource !== '' && pattern === `*/${subresource}`
}

/** A star at the end stands for any rest. */
function matchesPath(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true
  return pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1))
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : []
}
