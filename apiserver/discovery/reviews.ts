/** Reviews: questions that are asked by creating an object, and answered without storing it. */

import type { JSONObject } from '../api-object.ts'
import { isRecord, valueAt } from '../api-object.ts'
import type { User } from '../api-request.ts'
import type { ReviewResource } from './discovery.ts'

/** Whom a bearer token belongs to; undefined: nobody. */
export type TokenCheck = (token: string) => User | undefined

const authorization = { group: 'authorization.k8s.io', version: 'v1' }
const authentication = { group: 'authentication.k8s.io', version: 'v1' }

/** The reviews that are served. */
export const reviews: readonly ReviewResource[] = [
  { ...authentication, kind: 'SelfSubjectReview', plural: 'selfsubjectreviews', namespaced: false },
  { ...authentication, kind: 'TokenReview', plural: 'tokenreviews', namespaced: false },
  { ...authorization, kind: 'LocalSubjectAccessReview', plural: 'localsubjectaccessreviews', namespaced: true },
  { ...authorization, kind: 'SelfSubjectAccessReview', plural: 'selfsubjectaccessreviews', namespaced: false },
  { ...authorization, kind: 'SelfSubjectRulesReview', plural: 'selfsubjectrulesreviews', namespaced: false },
  { ...authorization, kind: 'SubjectAccessReview', plural: 'subjectaccessreviews', namespaced: false },
]

/** The group of those who may do everything. */
export const mastersGroup = 'system:masters'

/**
 * Answers a review. Whoever the server knows may do everything; whoever it does not know may do nothing.
 * SubjectAccessReviews are answered by the groups that they name.
 */
export function answerReview(review: ReviewResource, body: JSONObject, user: User, checkToken: TokenCheck): JSONObject {
  const { group, version, kind } = review
  const metadata = isRecord(body.metadata) ? body.metadata : {}
  const status = statusOf(review, body, user, checkToken)
  return {
    kind,
    apiVersion: `${group}/${version}`,
    metadata: { ...metadata, creationTimestamp: null },
    spec: body.spec ?? {},
    status,
  }
}

function statusOf(review: ReviewResource, body: JSONObject, user: User, checkToken: TokenCheck): JSONObject {
  switch (review.kind) {
    case 'SelfSubjectReview':
      return { userInfo: { username: user.name, groups: user.groups } }
    case 'TokenReview':
      return tokenStatus(valueAt(body, ['spec', 'token']), checkToken)
    case 'SelfSubjectAccessReview':
      return access(user.groups)
    case 'SelfSubjectRulesReview':
      return rules(user.groups)
    default: {
      const groups = valueAt(body, ['spec', 'groups'])
      return access(Array.isArray(groups) ? groups : [])
    }
  }
}

function tokenStatus(token: unknown, checkToken: TokenCheck): JSONObject {
  const user = typeof token === 'string' ? checkToken(token) : undefined
  if (user === undefined) return { authenticated: false, user: {}, error: 'the token is not known' }
  return { authenticated: true, user: { username: user.name, groups: user.groups } }
}

function access(groups: readonly unknown[]): JSONObject {
  if (groups.includes(mastersGroup)) return { allowed: true, reason: `member of ${mastersGroup}` }
  return { allowed: false, reason: `not a member of ${mastersGroup}` }
}

function rules(groups: readonly string[]): JSONObject {
  if (!groups.includes(mastersGroup)) return { resourceRules: [], nonResourceRules: [], incomplete: false }
  return {
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    incomplete: false,
  }
}
