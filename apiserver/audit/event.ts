/** audit.k8s.io/v1 Event: one line of the audit log. */

import { isIP } from 'node:net'
import type { JSONObject } from '../api-object.ts'
import type { APIRequest, User } from '../api-request.ts'
import type { Attributes } from '../authorization/attributes.ts'
import type { Level, Stage } from './policy.ts'

/** A user as events name him; empty where nobody was known. */
export interface AuditedUser {
  readonly username?: string
  readonly groups?: readonly string[]
}

/** What a request is about. */
export interface ObjectReference {
  readonly resource: string
  readonly namespace?: string
  readonly name?: string
  readonly apiGroup?: string
  readonly apiVersion?: string
  readonly subresource?: string
}

/** One event, with its fields in the order in which a real server writes them. */
export interface AuditEvent {
  readonly kind: 'Event'
  readonly apiVersion: 'audit.k8s.io/v1'
  readonly level: Level
  readonly auditID: string
  readonly stage: Stage
  readonly requestURI: string
  readonly verb: string
  readonly user: AuditedUser
  readonly impersonatedUser?: AuditedUser | undefined
  readonly sourceIPs?: readonly string[] | undefined
  readonly userAgent?: string | undefined
  readonly objectRef?: ObjectReference | undefined
  readonly responseStatus?: JSONObject | undefined
  readonly requestObject?: unknown
  readonly responseObject?: unknown
  readonly requestReceivedTimestamp: string
  readonly stageTimestamp: string
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/** Longest user agent that is told, in characters, as in Kubernetes. */
const agentLimit = 1_024

/** A user for an event. */
export function auditedUser(user: User | undefined): AuditedUser {
  return user === undefined ? {} : { username: user.name, groups: user.groups }
}

/** What the request is about, undefined where it is no resource. `version` and `name` are what the path does not tell. */
export function objectReference(
  attributes: Attributes,
  { version, name }: { version: string; name: string },
): ObjectReference | undefined {
  if ('path' in attributes) return undefined
  const { plural, namespace, group, subresource } = attributes
  const named = attributes.name === '' ? name : attributes.name
  return {
    resource: cut(plural),
    ...(namespace !== '' && { namespace: cut(namespace) }),
    ...(named !== '' && { name: cut(named) }),
    ...(group !== '' && { apiGroup: cut(group) }),
    ...(version !== '' && { apiVersion: cut(version) }),
    ...(subresource !== '' && { subresource: cut(subresource) }),
  }
}

/** Where a request comes from: what proxies say, then the peer. Undefined for one of this process. */
export function sourcesOf({ headers, address }: APIRequest): readonly string[] | undefined {
  if (address === undefined) return undefined
  const forwarded = (headers['x-forwarded-for'] ?? '').split(',').map(each => each.trim())
  const told = [...forwarded, headers['x-real-ip'] ?? ''].filter(each => isIP(each) > 0)
  return [...new Set([...told, address])]
}

/** The user agent, cut where it is over-long; undefined where there is none. */
export function agentOf({ headers }: APIRequest): string | undefined {
  const agent = headers['user-agent']
  return agent === undefined ? undefined : cut(agent)
}

/** What a client may make as long as it likes, cut: many such events would wash others out of the log. */
export function cut(text: string): string {
  return text.length > agentLimit ? `${text.slice(0, agentLimit)}...TRUNCATED` : text
}
