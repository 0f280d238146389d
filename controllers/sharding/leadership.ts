import { type Environment, microTimestamp, type Timer } from '../../crds/environment.ts'
import type { Client } from '../api/client.ts'
import { isLostRace, Lease, type LeaseMarks, type LeaseObject, type LeaseSpec } from '../api/lease.ts'
import { systemNamespace } from '../install.ts'
import { createRounds, limited } from './rounds.ts'

/** Options of a leadership. */
export interface LeadershipOptions {
  readonly client: Pick<Client, 'get' | 'create' | 'replace'>
  readonly environment: Environment
  readonly name: string
  /** Default `skystead-system`. */
  readonly namespace?: string
  /** What the lease says besides, when it is created. Default: nothing. */
  readonly marks?: LeaseMarks
  /** Who we are: another one for every process, also for the next of this replica. */
  readonly identity: string
  /** How long others wait for a silent holder, in ms. Default 15,000. */
  readonly leaseDuration?: number
  /** How long we count on a renewal, in ms: what is left to the duration is for clocks and dispatches. Default 10,000. */
  readonly renewDeadline?: number
  /** How often we try, in ms, ± 20 %. Default 2,000. */
  readonly retryPeriod?: number
  /** Told when we have become the holder. */
  readonly onAcquired?: () => void
  /** Told when we cannot count on being the holder any more. */
  readonly onLost?: () => void
  readonly onError?: (error: unknown) => void
}

/** What one process at a time holds, by a Lease: a replica holds that which shows that it lives. */
export interface Leadership {
  start(): void
  /** Whether we surely hold it now. */
  isHeld(): boolean
  /** The monotonic moment until which we surely hold it; undefined while we do not. */
  deadline(): number | undefined
  /** Who holds it as far as we know; undefined when nobody does. */
  holder(): string | undefined
  /** Gives it up and back, so that the next one need not wait. Call it when nothing acts under it any more. */
  stop(): Promise<void>
}

/**
 * Takes and keeps a lease as client-go does: a holder's silence is judged by our own monotonic clock, from the moment we
 * saw its record change; no machine's wall clock is compared with another's.
 */
export function createLeadership(options: LeadershipOptions): Leadership {
  const { client, environment, name, marks, identity, onAcquired, onLost, onError = () => undefined } = options
  const { namespace = systemNamespace, leaseDuration = 15_000, renewDeadline = 10_000, retryPeriod = 2_000 } = options
  const { clock } = environment
  let seen: LeaseObject | undefined
  let seenAt = 0
  /** Whether `seen` is our own last write: then it need not be read before the next. */
  let isFresh = false
  let heldUntil: number | undefined
  let expiry: Timer | undefined
  const rounds = createRounds({ environment, pause: retryPeriod, limit: renewDeadline / 2, round: attempt, onError })

  function isHeld(): boolean {
    return heldUntil !== undefined && clock.monotonic() < heldUntil
  }

  /** Takes in a record. A changed one starts its holder's time anew. */
  function observe(lease: LeaseObject): void {
    if (seen?.metadata.uid === lease.metadata.uid && seen.metadata.resourceVersion === lease.metadata.resourceVersion)
      return
    seen = lease
    seenAt = clock.monotonic()
  }

  function hold(requestedAt: number): void {
    const until = requestedAt + renewDeadline
    // The answer came too late to count on: we slept, or it was long under way.
    if (until <= clock.monotonic()) return
    const isNew = heldUntil === undefined
    heldUntil = until
    expiry?.cancel()
    expiry = clock.after(until - clock.monotonic(), lose)
    if (isNew) tell(onAcquired)
  }

  function lose(): void {
    if (heldUntil === undefined) return
    heldUntil = undefined
    expiry?.cancel()
    tell(onLost)
  }

  function tell(listener: (() => void) | undefined): void {
    try {
      listener?.()
    } catch (error) {
      onError(error)
    }
  }

  /** One try to take or keep it. */
  async function attempt(signal: AbortSignal): Promise<void> {
    if (!isFresh) await read(signal)
    if (seen === undefined || !isOthers(seen)) await claim(seen, signal)
  }

  async function read(signal: AbortSignal): Promise<void> {
    const lease = await client.get(Lease, name, namespace, { signal })
    if (lease === undefined) seen = undefined
    else observe(lease)
    if (lease?.spec?.holderIdentity !== identity) lose()
  }

  /** Whether another one holds it whose time has not run out. */
  function isOthers({ spec = {} }: LeaseObject): boolean {
    if (!spec.holderIdentity || spec.holderIdentity === identity) return false
    return clock.monotonic() < seenAt + (spec.leaseDurationSeconds ?? leaseDuration / 1000) * 1000
  }

  async function claim(current: LeaseObject | undefined, signal: AbortSignal): Promise<void> {
    const requestedAt = clock.monotonic()
    const now = microTimestamp(clock)
    const { spec = {} } = current ?? {}
    const isOurs = spec.holderIdentity === identity
    const next: LeaseSpec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDuration / 1000),
      acquireTime: isOurs ? (spec.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions:
        current === undefined || isOurs ? (spec.leaseTransitions ?? 0) : (spec.leaseTransitions ?? 0) + 1,
    }
    isFresh = false
    try {
      observe(await write(current, next, signal))
    } catch (error) {
      // Somebody was quicker. Whoever holds it now, we know before we do anything more.
      if (!isLostRace(error)) throw error
      return read(signal)
    }
    isFresh = true
    hold(requestedAt)
  }

  function write(current: LeaseObject | undefined, spec: LeaseSpec, signal: AbortSignal): Promise<LeaseObject> {
    const { apiVersion, kind } = Lease
    const metadata = { name, namespace, ...marks }
    const lease = { apiVersion, kind, metadata, ...current, spec }
    return current === undefined ? client.create(Lease, lease, { signal }) : client.replace(Lease, lease, { signal })
  }

  async function release(lease: LeaseObject): Promise<void> {
    const { leaseTransitions = 0 } = lease.spec ?? {}
    const nobody = { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions }
    // Where that fails, others wait until the lease runs out.
    await limited(clock, retryPeriod, signal => write(lease, nobody, signal)).catch(onError)
  }

  return {
    isHeld,
    deadline: () => (isHeld() ? heldUntil : undefined),
    holder: () => (seen?.spec?.holderIdentity ? seen.spec.holderIdentity : undefined),
    start: () => rounds.start(),
    async stop() {
      await rounds.stop()
      const wasHeld = isHeld()
      if (heldUntil !== undefined) lose()
      if (wasHeld && seen?.spec?.holderIdentity === identity) await release(seen)
    },
  }
}
