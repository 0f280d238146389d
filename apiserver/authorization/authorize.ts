/** The gate in front of everything: who asks, whom he acts as, and whether that one may. */
import type { APIRequest, User } from '../api-request.ts'
import type { Trail } from '../audit/trail.ts'
import { notPermitted } from '../status-error.ts'
import { type Attributes, attributesOf, describeWish } from './attributes.ts'
import { type Authorizer, mastersGroup } from './authorizer.ts'
import { impersonationOf } from './impersonation.ts'

/** A request, and where it leads. */
export interface Asked {
  readonly request: APIRequest
  readonly steps: readonly string[]
  readonly query: URLSearchParams
  /** What is noted of it for the audit log; undefined where nothing is told of it. */
  readonly trail: Trail | undefined
}

/** The user that the request counts as, if he may do what it asks; throws a 403 where he may not. */
export function authorize(authorizer: Authorizer, asker: User, asked: Asked): User {
  const { request, steps, query, trail } = asked
  const user = actingUser(authorizer, asker, request)
  if (user !== asker) trail?.actsAs(user)
  // Most requests are of those who may do everything: what they want need not be known.
  if (user.groups.includes(mastersGroup)) {
    trail?.decided({ allowed: true, reason: '' })
    return user
  }
  const attributes = attributesOf(request, steps, query)
  const decision = authorizer.decide(user, attributes)
  trail?.decided(decision)
  if (!decision.allowed) throw refusal(user, attributes)
  return user
}

function actingUser(authorizer: Authorizer, asker: User, request: APIRequest): User {
  const impersonation = impersonationOf(request)
  if (impersonation === undefined) return asker
  for (const wish of impersonation.wishes) demand(authorizer, asker, wish)
  return impersonation.user
}

function demand(authorizer: Authorizer, user: User, attributes: Attributes): void {
  if (!authorizer.decide(user, attributes).allowed) throw refusal(user, attributes)
}

function refusal(user: User, attributes: Attributes): Error {
  return notPermitted(attributes, `User ${JSON.stringify(user.name)} cannot ${describeWish(attributes)}`)
}
