/** Who tells what of which request. */

import type { Environment } from '../../crds/environment.ts'
import type { APIRequest, User } from '../api-request.ts'
import { attributesOf } from '../authorization/attributes.ts'
import { TokenBucket } from '../limits/token-bucket.ts'
import { resourcePath } from '../request/route.ts'
import type { AuditEvent } from './event.ts'
import { type AuditPolicy, AuditRules, type Level } from './policy.ts'
import { Trail } from './trail.ts'

/** Where events go. */
export interface AuditSink {
  /** Takes an event; never throws, never waits. */
  write(event: AuditEvent): void
  /** Writes what is still waiting. May be called again. */
  close(): Promise<void>
}

/** Options of an auditor. */
export interface AuditorOptions {
  readonly policy: AuditPolicy
  readonly sink: AuditSink
  readonly environment: Environment
}

/** A request as it stands in the way of its answer. */
export interface AuditedRequest {
  readonly request: APIRequest
  /** Who asks; undefined: nobody is known. */
  readonly user: User | undefined
  readonly steps: readonly string[]
  readonly query: URLSearchParams
}

/** Decides by a policy what is told of each request, and tells it. */
export class Auditor {
  /** How many requests were told of at each level, since the start. */
  readonly requests = new Map<Level, number>()
  /** How many events were told, since the start. */
  events = 0
  readonly #rules: AuditRules
  readonly #sink: AuditSink
  readonly #environment: Environment
  /** Refusals of strangers, which cost them nothing: a flood of them must not push everything else out of the log. */
  readonly #strangers: TokenBucket

  constructor({ policy, sink, environment }: AuditorOptions) {
    this.#rules = new AuditRules(policy)
    this.#sink = sink
    this.#environment = environment
    this.#strangers = new TokenBucket(environment.clock, { burst: 100, perSecond: 10 })
  }

  /** The trail of a request that has come; undefined where nothing is told of it. */
  begin({ request, user, steps, query }: AuditedRequest): Trail | undefined {
    let known: ReturnType<typeof attributesOf> | undefined
    const attributes = () => {
      known ??= attributesOf(request, steps, query)
      return known
    }
    const audited = this.#rules.of(user, attributes)
    const level = audited?.level ?? 'None'
    this.requests.set(level, (this.requests.get(level) ?? 0) + 1)
    if (audited === undefined || (user === undefined && !this.#strangers.take())) return undefined
    const { clock, random } = this.#environment
    const trail = new Trail({
      id: givenID(request) ?? random.uuid(),
      request,
      user,
      attributes: attributes(),
      version: resourcePath(steps)?.version ?? '',
      audited,
      clock,
      tell: event => {
        this.events++
        this.#sink.write(event)
      },
    })
    // Nobody is known yet: the refusal is told of, and nothing before it.
    if (user !== undefined) trail.received()
    return trail
  }

  /** Writes what is still waiting. */
  close(): Promise<void> {
    return this.#sink.close()
  }
}

/** Clients may name a request themselves, in at most 64 characters, as in Kubernetes. */
function givenID({ headers }: APIRequest): string | undefined {
  const id = headers['audit-id']
  return id !== undefined && /^[!-~]{1,64}$/.test(id) ? id : undefined
}
