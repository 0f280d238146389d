/** What is told in the audit log: the rules of an audit.k8s.io/v1 Policy, of which the first that fits decides. */

import type { User } from '../api-request.ts'
import type { Attributes, ResourceAttributes } from '../authorization/attributes.ts'
import { resourceName } from '../authorization/attributes.ts'

/** How much is told: nothing, who did what, also what was sent, also what was answered. */
export type Level = 'None' | 'Metadata' | 'Request' | 'RequestResponse'

/** When it is told. */
export type Stage = 'RequestReceived' | 'ResponseStarted' | 'ResponseComplete' | 'Panic'

/** Every level, from the least to the most that is told. */
export const levels: readonly Level[] = ['None', 'Metadata', 'Request', 'RequestResponse']

/** Every stage. */
export const stages: readonly Stage[] = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic']

/** Resources of one API group that a rule is about. */
export interface GroupResources {
  /** '' for the core group. */
  readonly group: string
  /** `pods`, `pods/status`, `pods/*`, `*\/scale`, `*`. Empty: all of the group. */
  readonly resources: readonly string[]
  /** Empty: all of them. */
  readonly resourceNames: readonly string[]
}

/** One rule. An empty list does not narrow it. */
export interface AuditRule {
  readonly level: Level
  readonly users: readonly string[]
  readonly userGroups: readonly string[]
  readonly verbs: readonly string[]
  readonly resources: readonly GroupResources[]
  /** '' means what is in no namespace. */
  readonly namespaces: readonly string[]
  /** Paths that are no resources; `*` at the end means everything below. */
  readonly nonResourceURLs: readonly string[]
  readonly omitStages: readonly Stage[]
  /** Undefined: as the policy says. */
  readonly omitManagedFields: boolean | undefined
}

/** A policy. */
export interface AuditPolicy {
  readonly rules: readonly AuditRule[]
  readonly omitStages: readonly Stage[]
  readonly omitManagedFields: boolean
}

/** What a policy says of one request. */
export interface Audited {
  readonly level: Level
  readonly omitStages: ReadonlySet<Stage>
  readonly omitManagedFields: boolean
}

/** Says of each request what is told about it. */
export class AuditRules {
  readonly #decided: readonly (readonly [rule: AuditRule, audited: Audited])[]

  constructor({ rules, omitStages, omitManagedFields }: AuditPolicy) {
    this.#decided = rules.map(rule => [
      rule,
      {
        level: rule.level,
        omitStages: new Set([...omitStages, ...rule.omitStages]),
        omitManagedFields: rule.omitManagedFields ?? omitManagedFields,
      },
    ])
  }

  /** What is told of a request; undefined: nothing. `attributes` is asked only where a rule needs them. */
  of(user: User | undefined, attributes: () => Attributes): Audited | undefined {
    const found = this.#decided.find(([rule]) => isOfUser(rule, user) && fits(rule, attributes))
    return found === undefined || found[1].level === 'None' ? undefined : found[1]
  }
}

function isOfUser({ users, userGroups }: AuditRule, user: User | undefined): boolean {
  if (users.length > 0 && !users.includes(user?.name ?? '')) return false
  return userGroups.length === 0 || userGroups.some(group => user?.groups.includes(group))
}

function fits(rule: AuditRule, attributes: () => Attributes): boolean {
  const { verbs, namespaces, resources, nonResourceURLs } = rule
  if (verbs.length > 0 && !verbs.includes(attributes().verb)) return false
  if (namespaces.length > 0 || resources.length > 0) {
    const wish = attributes()
    return 'plural' in wish && isAboutResource(rule, wish)
  }
  if (nonResourceURLs.length === 0) return true
  const wish = attributes()
  return 'path' in wish && nonResourceURLs.some(url => isPathBelow(wish.path, url))
}

function isAboutResource({ namespaces, resources }: AuditRule, wish: ResourceAttributes): boolean {
  if (namespaces.length > 0 && !namespaces.includes(wish.namespace)) return false
  return resources.length === 0 || resources.some(each => isAmong(each, wish))
}

function isAmong({ group, resources, resourceNames }: GroupResources, wish: ResourceAttributes): boolean {
  if (group !== wish.group) return false
  if (resources.length === 0) return true
  if (resourceNames.length > 0 && !resourceNames.includes(wish.name)) return false
  const name = resourceName(wish)
  const below = wish.subresource === '' ? [] : [`*/${wish.subresource}`]
  return resources.some(each => each === '*' || each === name || each === `${wish.plural}/*` || below.includes(each))
}

function isPathBelow(path: string, url: string): boolean {
  return url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1)))
}
