/** Gathers the rules of cluster roles that are made of others. */

import deepEqual from 'fast-deep-equal'
import { isRecord, type JSONObject, valueAt, withMember } from '../api-object.ts'
import { readRules, writtenRule } from '../authorization/policy-rule.ts'
import { clusterRoles } from '../kinds/access.ts'
import type { ServerContext } from '../scope.ts'
import { changeObject } from './change.ts'
import { startWorker } from './worker.ts'

/** Follows cluster roles; the answer stops it. */
export function startRoleAggregation(context: ServerContext): () => void {
  const { store, environment } = context
  const worker = startWorker(environment.clock, name => gather(context, name))
  const askAll = () => {
    for (const { name, object } of store.collection(clusterRoles.collection).ordered('')) {
      if (isRecord(object.aggregationRule)) worker.enqueue(name)
    }
  }
  askAll()
  store.onCommit(events => {
    if (events.some(({ entry }) => entry.resource === clusterRoles.collection)) askAll()
  })
  return () => worker.stop()
}

function gather(context: ServerContext, name: string): Promise<void> {
  return changeObject(context, clusterRoles, name, role => {
    const selectors = valueAt(role, ['aggregationRule', 'clusterRoleSelectors'])
    if (!Array.isArray(selectors)) return role
    const chosen = context.store
      .collection(clusterRoles.collection)
      .ordered('')
      .filter(({ name: other, object }) => {
        return other !== name && selectors.some(selector => selects(selector, object.metadata.labels ?? {}))
      })
    const rules: JSONObject[] = []
    for (const rule of chosen.flatMap(({ object }) => readRules(object.rules)).map(writtenRule)) {
      if (!rules.some(known => deepEqual(known, rule))) rules.push(rule)
    }
    return deepEqual(readRules(role.rules), readRules(rules)) ? role : withMember(role, 'rules', rules)
  })
}

/** metav1.LabelSelector; an empty one selects everything. */
function selects(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  const { matchLabels, matchExpressions } = isRecord(selector) ? selector : {}
  const wanted = Object.entries(isRecord(matchLabels) ? matchLabels : {})
  if (!wanted.every(([label, value]) => labels[label] === value)) return false
  const expressions = Array.isArray(matchExpressions) ? matchExpressions.filter(isRecord) : []
  return expressions.every(expression => meets(expression, labels))
}

function meets({ key, operator, values }: JSONObject, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[String(key)]
  const isIn = value !== undefined && Array.isArray(values) && values.includes(value)
  if (operator === 'In') return isIn
  if (operator === 'NotIn') return !isIn
  if (operator === 'Exists') return value !== undefined
  return operator === 'DoesNotExist' && value === undefined
}
