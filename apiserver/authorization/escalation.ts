/** Nobody gives rights that he does not have, unless he may do just that. */

import deepEqual from 'fast-deep-equal'
import type { APIObject } from '../api-object.ts'
import type { User } from '../api-request.ts'
import { forbidden, notFound } from '../status-error.ts'
import { type Authorizer, accessGroup, accessPlurals, roleOf } from './authorizer.ts'
import { everything, type PolicyRule, readRules, uncovered, writtenRule } from './policy-rule.ts'

/** Who writes, and who decides what he may. */
export interface Writer {
  readonly user: User
  readonly authorizer: Authorizer
}

/** Throws a 403 where the writer of a role grants what he does not have and may not `escalate`. */
export function checkRoleEscalation(next: APIObject, old: APIObject | undefined, { user, authorizer }: Writer): void {
  const rules = readRules(next.rules)
  if (old !== undefined && deepEqual(next.rules, old.rules) && deepEqual(next.aggregationRule, old.aggregationRule))
    return
  const { name, namespace = '' } = next.metadata
  const plural = accessPlurals[next.kind === 'Role' ? 'Role' : 'ClusterRole']
  const wish = { verb: 'escalate', group: accessGroup, plural, subresource: '', namespace, name }
  if (authorizer.decide(user, wish).allowed) return
  // What is gathered from other roles may come to be anything.
  const gathered = next.aggregationRule === undefined ? [] : everything
  refuseUncovered([...rules, ...gathered], { next, plural, user, held: authorizer.rulesOf(user, namespace) })
}

/** Throws a 403 where the writer of a binding gives a role that he neither has nor may `bind`; a 404 where there is none. */
export function checkBindingEscalation(
  next: APIObject,
  old: APIObject | undefined,
  { user, authorizer }: Writer,
): void {
  if (old !== undefined && deepEqual(next.roleRef, old.roleRef) && deepEqual(next.subjects, old.subjects)) return
  const { namespace = '' } = next.metadata
  const role = roleOf(next)
  const rolePlural = accessPlurals[role.kind]
  const wish = { verb: 'bind', group: accessGroup, plural: rolePlural, subresource: '', namespace, name: role.name }
  if (authorizer.decide(user, wish).allowed) return
  const rules = authorizer.rulesOfRole(role, namespace)
  if (rules === undefined) throw notFound({ group: accessGroup, plural: rolePlural, kind: role.kind }, role.name)
  const plural = accessPlurals[next.kind === 'RoleBinding' ? 'RoleBinding' : 'ClusterRoleBinding']
  refuseUncovered(rules, { next, plural, user, held: authorizer.rulesOf(user, namespace) })
}

interface Grant {
  readonly next: APIObject
  readonly plural: string
  readonly user: User
  readonly held: readonly PolicyRule[]
}

function refuseUncovered(wished: readonly PolicyRule[], { next, plural, user, held }: Grant): void {
  const lacking = uncovered(wished, held)
  if (lacking.length === 0) return
  const groups = user.groups.map(group => JSON.stringify(group)).join(' ')
  const rules = lacking.map(describeRule).join('\n')
  throw forbidden(
    { group: accessGroup, plural, kind: next.kind },
    next.metadata.name,
    `user "${user.name}" (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${rules}`,
  )
}

const ruleNames: Readonly<Record<string, string>> = {
  apiGroups: 'APIGroups',
  resources: 'Resources',
  resourceNames: 'ResourceNames',
  nonResourceURLs: 'NonResourceURLs',
  verbs: 'Verbs',
}

function describeRule(rule: PolicyRule): string {
  const written = writtenRule(rule)
  const parts = Object.entries(ruleNames).flatMap(([member, title]) => {
    const values = written[member]
    return values === undefined ? [] : [`${title}:[${values.map(value => JSON.stringify(value)).join(' ')}]`]
  })
  return `{${parts.join(', ')}}`
}
