/** Reviews: questions that are asked by creating an object, and answered without storing it. */

import type { JSONObject } from '../api-object.ts'
import { isRecord } from '../api-object.ts'
import type { User } from '../api-request.ts'
import type { TokenCheck } from '../authentication/token-check.ts'
import type { ReviewResource } from '../discovery/discovery.ts'
import { invalidValue } from '../field-errors.ts'
import type { FieldError } from '../schema/field-error.ts'
import { badRequest, invalid } from '../status-error.ts'
import type { Attributes } from './attributes.ts'
import type { Authorizer } from './authorizer.ts'
import { writtenRule } from './policy-rule.ts'

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

/** Whom and whom else to ask. */
export interface Reviewers {
  readonly user: User
  readonly authorizer: Authorizer
  readonly checkToken: TokenCheck
  /** Of the path, for LocalSubjectAccessReviews. */
  readonly namespace: string
}

/** Answers a review; throws a 400 where it does not say what it asks. */
export async function answerReview(
  review: ReviewResource,
  body: JSONObject,
  reviewers: Reviewers,
): Promise<JSONObject> {
  const { group, version, kind } = review
  const metadata = isRecord(body.metadata) ? body.metadata : {}
  const spec = isRecord(body.spec) ? body.spec : {}
  return {
    kind,
    apiVersion: `${group}/${version}`,
    metadata: { ...metadata, creationTimestamp: null },
    ...(kind !== 'SelfSubjectReview' && { spec }),
    status: kind === 'TokenReview' ? await tokenStatus(spec.token, reviewers) : statusOf(kind, spec, reviewers),
  }
}

function statusOf(kind: string, spec: JSONObject, { user, authorizer, namespace }: Reviewers): JSONObject {
  if (kind === 'SelfSubjectReview') return { userInfo: { username: user.name, groups: user.groups } }
  if (kind === 'SelfSubjectRulesReview') return rulesStatus(authorizer, user, namespaceOf(spec))
  const wish = wishOf(kind, spec)
  const asked = kind === 'SelfSubjectAccessReview' ? user : subjectOf(kind, spec)
  if (kind === 'LocalSubjectAccessReview' && ('path' in wish || wish.namespace !== namespace)) {
    const field = 'spec.resourceAttributes.namespace'
    throw unclear(kind, invalidValue(field, 'path' in wish ? '' : wish.namespace, 'must match metadata.namespace'))
  }
  const { allowed, reason } = authorizer.decide(asked, wish)
  return { allowed, ...(reason !== '' && { reason }) }
}

async function tokenStatus(token: unknown, { checkToken }: Reviewers): Promise<JSONObject> {
  const user = typeof token === 'string' ? await checkToken(token) : undefined
  if (user === undefined) return { authenticated: false, user: {}, error: 'the token is not known' }
  return { authenticated: true, user: { username: user.name, groups: user.groups } }
}

function rulesStatus(authorizer: Authorizer, user: User, namespace: string): JSONObject {
  const rules = authorizer.rulesOf(user, namespace)
  return {
    resourceRules: rules.filter(rule => rule.resources.length > 0).map(writtenRule),
    nonResourceRules: rules.filter(rule => rule.nonResourceURLs.length > 0).map(writtenRule),
    incomplete: false,
  }
}

function namespaceOf({ namespace }: JSONObject): string {
  if (typeof namespace !== 'string' || namespace === '') throw badRequest('no namespace on request')
  return namespace
}

function subjectOf(kind: string, { user = '', groups = [] }: JSONObject): User {
  const given = Array.isArray(groups) ? groups.filter(group => typeof group === 'string') : []
  if (user === '' && given.length === 0) {
    throw unclear(kind, invalidValue('spec.user', '', 'at least one of user or group must be specified'))
  }
  return { name: String(user), groups: given }
}

function wishOf(kind: string, { resourceAttributes, nonResourceAttributes }: JSONObject): Attributes {
  if (isRecord(resourceAttributes) && isRecord(nonResourceAttributes)) {
    const message = 'cannot be specified in combination with resourceAttributes'
    throw unclear(kind, invalidValue('spec.nonResourceAttributes', nonResourceAttributes, message))
  }
  if (!isRecord(resourceAttributes) && !isRecord(nonResourceAttributes)) {
    const message = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
    throw unclear(kind, invalidValue('spec.resourceAttributes', null, message))
  }
  if (isRecord(nonResourceAttributes)) {
    const { verb, path } = nonResourceAttributes
    return { verb: text(verb), path: text(path) }
  }
  const { verb, group, resource, subresource, namespace, name } = isRecord(resourceAttributes) ? resourceAttributes : {}
  return {
    verb: text(verb),
    group: text(group),
    plural: text(resource),
    subresource: text(subresource),
    namespace: text(namespace),
    name: text(name),
  }
}

function unclear(kind: string, error: FieldError): Error {
  return invalid({ group: authorization.group, kind }, '', [error])
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
