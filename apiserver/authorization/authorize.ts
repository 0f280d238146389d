/** The gate in front of everything: who asks, whom he acts as, and whether that one may. */
import type { APIRequest, User } from '../api-request.ts'
import { notPermitted } from '../status-error.ts'
import { type Attributes, attributesOf, describeWish } from './attributes.ts'
import { type Authorizer, mastersGroup } from './authorizer.ts'
import { impersonationOf } from './impersonation.ts'

/** A request, and where it leads. */
export interface Asked {
  readonly request: APIRequest
  readonly steps: readonly string[]
  readonly query: URLSearchParams
}

/** The user that the request counts as, if he may do what it asks; throws a 403 where he may not. */
export function authorize(authorizer: Authorizer, asker: User, { request, steps, query }: Asked): User {
  const user = actingUser(authorizer, asker, request)
  // Most requests are of those who may do everything: what they want need not be known.
  if (!user.groups.includes(mastersGroup)) demand(authorizer, user, attributesOf(request, steps, query))
  return user
}

function actingUser(authorizer: Authorizer, asker: User, request: APIRequest): User {
  const impersonation = impersonationOf(request)
  if (impersonation === undefined) return asker
  for (const wish of impersonation.wishes) demand(authorizer, asker, wish)
  return impersonation.user
}

function demand(authorizer: Authorizer, user: User, attributes: Attributes): void {
  if (authorizer.decide(user, attributes).allowed) return
  throw notPermitted(attributes, `User ${JSON.stringify(user.name)} cannot ${describeWish(attributes)}`)
}
