/** How much everybody may ask at a time, and how often somebody may guess a token. */

import { type Environment, sleep } from '../../crds/environment.ts'
import type { APIRequest, User } from '../api-request.ts'
import { mastersGroup } from '../authorization/authorizer.ts'
import { BoundedMap } from '../bounded-map.ts'
import { healthPaths } from '../health-paths.ts'
import { readBoolean } from '../request/query.ts'
import { splitPath } from '../request/route.ts'
import { tooManyRequests } from '../status-error.ts'
import { type Applicant, FairQueue, type Leave } from './fair-queue.ts'
import { TokenBucket } from './token-bucket.ts'

/** Limits of a server; what is left out is as its own comment says. */
export interface LimitOptions {
  /** Requests that only read, under way at a time. Default 400, as in Kubernetes. */
  readonly maxRequestsInFlight?: number
  /** Requests that write, under way at a time. Default 200, as in Kubernetes. */
  readonly maxMutatingRequestsInFlight?: number
  /** Watches in all. Default 5,000. */
  readonly maxWatches?: number
  /** Watches of one user; the accounts of a tenant's namespace count as one. Default 1,000. */
  readonly maxWatchesPerUser?: number
}

/** The kinds of requests that are counted apart, in Kubernetes' words. */
export type RequestKind = 'readOnly' | 'mutating'

const reading: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])
/** Accounts there are those of controllers. */
const systemAccount = /^system:serviceaccount:(kube-system|skystead-system):/
const healthPath = new RegExp(`^(${healthPaths.join('|')})(/|$)`)

/** Refusals of one address before they are held back, and how many more in each second. */
const guessRate = { burst: 20, perSecond: 1 }
/** How long a refusal is held back, in milliseconds. */
const guessDelay = 1_000
/** Addresses that are remembered at most. */
const addressLimit = 1_000

const nothingToLeave: Leave = () => undefined

/** The limits of one server. */
export class RequestLimits {
  readonly queues: Readonly<Record<RequestKind, FairQueue>>
  readonly #environment: Environment
  readonly #maxWatches: number
  readonly #maxWatchesPerUser: number
  readonly #watchesOf = new Map<string, number>()
  readonly #guesses = new BoundedMap<string, TokenBucket>(addressLimit)
  /** Watches that run. */
  watches = 0
  /** Watches that were refused, since the start. */
  refusedWatches = 0
  /** Requests by whether their user was known, since the start. */
  readonly authentications = { success: 0, failure: 0 }

  constructor(options: LimitOptions, environment: Environment) {
    const { maxRequestsInFlight = 400, maxMutatingRequestsInFlight = 200 } = options
    const { clock } = environment
    this.#environment = environment
    this.queues = {
      readOnly: new FairQueue({ clock, seats: maxRequestsInFlight }),
      mutating: new FairQueue({ clock, seats: maxMutatingRequestsInFlight }),
    }
    this.#maxWatches = options.maxWatches ?? 5_000
    this.#maxWatchesPerUser = options.maxWatchesPerUser ?? 1_000
  }

  /**
   * Lets a request in, at once or when its turn comes; what comes back is called when it is over. Throws or rejects with a 429.
   * Whoever may do everything does not wait, nor who asks whether the server lives.
   */
  enter(user: User, { method, path }: APIRequest): Leave | Promise<Leave> {
    const isMaster = user.groups.includes(mastersGroup)
    // A word may be written by its bytes: '%77atch'.
    if (/watch|%/.test(path) && isWatch(method, path)) return this.#watch(user, isMaster)
    if (isMaster || healthPath.test(path)) return nothingToLeave
    return this.queues[reading.has(method) ? 'readOnly' : 'mutating'].enter(applicantOf(user))
  }

  /** Somebody was not known. Whoever guesses often waits for each answer; tokens that are right never wait. */
  refused(address: string): Promise<void> | undefined {
    this.authentications.failure++
    const { clock } = this.#environment
    const known = this.#guesses.get(address)
    if (known === undefined) this.#forgetAddresses()
    const bucket = known ?? new TokenBucket(clock, guessRate)
    this.#guesses.set(address, bucket)
    return bucket.take() ? undefined : sleep(clock, guessDelay)
  }

  #watch(user: User, isMaster: boolean): Leave {
    const name = applicantOf(user).user
    const own = this.#watchesOf.get(name) ?? 0
    // Some are left for those who must find out what goes on.
    const isFull = this.watches >= this.#maxWatches * (isMaster ? 1 : 0.8)
    if (isFull || (!isMaster && own >= this.#maxWatchesPerUser)) {
      this.refusedWatches++
      throw tooManyRequests()
    }
    this.#countWatch(name, 1)
    return () => this.#countWatch(name, -1)
  }

  #countWatch(name: string, change: number): void {
    this.watches += change
    const own = (this.#watchesOf.get(name) ?? 0) + change
    if (own === 0) this.#watchesOf.delete(name)
    else this.#watchesOf.set(name, own)
  }

  /** Of too many addresses those go first that have been quiet for long. */
  #forgetAddresses(): void {
    if (this.#guesses.size < addressLimit) return
    for (const [address, bucket] of this.#guesses) if (bucket.isFull) this.#guesses.delete(address)
  }
}

/** Accounts cost nothing to make: those of a tenant's namespace count as one user. */
function applicantOf({ name }: User): Applicant {
  if (!name.startsWith('system:serviceaccount:')) return { user: name, isSystem: name.startsWith('system:') }
  if (systemAccount.test(name)) return { user: name, isSystem: true }
  return { user: name.slice(0, name.lastIndexOf(':')), isSystem: false }
}

function isWatch(method: string, path: string): boolean {
  if (method !== 'GET') return false
  try {
    const { steps, query } = splitPath(path)
    return readBoolean(query, 'watch') || steps.includes('watch')
  } catch {
    // What is no URL is refused by whoever reads it.
    return false
  }
}
