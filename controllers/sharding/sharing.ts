import { type Environment, microTimestamp } from '../../crds/environment.ts'
import { ApiError } from '../api/api-error.ts'
import type { Client } from '../api/client.ts'
import { isLostRace, Lease, type LeaseMarks, type LeaseObject } from '../api/lease.ts'
import type { Shard } from '../engine/shard.ts'
import { systemNamespace } from '../install.ts'
import { assign } from './assignment.ts'
import { createLeadership } from './leadership.ts'
import { shardName, shardNamed } from './names.ts'
import { createRounds, limited } from './rounds.ts'

/** Options of sharing. */
export interface SharingOptions {
  readonly client: Pick<Client, 'get' | 'create' | 'replace' | 'list' | 'remove'>
  readonly environment: Environment
  /** Who we are: another one for every process, also for the next of this replica. Letters, digits, `-`, `.`. */
  readonly identity: string
  /** What else the Lease of this replica says: where it answers questions. */
  readonly marks?: LeaseMarks | undefined
  /** Which shards there are now. */
  readonly shards: () => readonly Shard[]
  /** A shard is ours from now on. */
  readonly onGained: (shard: Shard) => void
  /** A shard is ours no more: nothing may be written or done for it any more. */
  readonly onLost: (shard: Shard) => void
  /** A shard is to go to another replica: resolves when nothing acts for it any more, at once where nothing did. */
  readonly handOver: (shard: Shard) => Promise<void>
  readonly onError: (error: unknown) => void
  /** How long others wait for a silent replica, in ms. Default 15,000. */
  readonly leaseDuration?: number
  /** How long we count on a renewal, in ms. Default 10,000. */
  readonly renewDeadline?: number
  /** How often we renew and look, in ms, ± 20 %. Default 2,000. */
  readonly retryPeriod?: number
}

/** The part of the work that this replica has. */
export interface Sharing {
  start(): void
  /** Whether the shard is surely ours now. */
  isHeld(shard: Shard): boolean
  /** Gives everything back, so that others need not wait. Call it when nothing acts any more. */
  stop(): Promise<void>
}

const label = 'skystead.dev/lease'
const replicaLabel = { [label]: 'Replica' }
const shardLabel = { [label]: 'Shard' }

/** The name of the Lease by which a replica shows that it lives. */
function replicaLeaseName(identity: string): string {
  return `skystead-replica-${identity}`
}

/**
 * Shares shards among replicas. A replica renews one Lease, by which it shows that it lives. A shard's Lease names the
 * replica that has it, and is valid as long as that one lives. Whoever wants a dead replica's shard deletes its Lease
 * first, in the version that was seen to grow old: a renewal that was only late fails from then on, and the late one knows
 * by its own clock that it has nothing any more.
 */
export function createSharing(options: SharingOptions): Sharing {
  const { client, environment, identity, shards, onGained, onLost, handOver, onError } = options
  const { leaseDuration = 15_000, renewDeadline = 10_000, retryPeriod = 2_000 } = options
  const { clock } = environment
  const held = new Map<string, Shard>()
  /** When each replica's Lease was seen to change, on the monotonic clock. */
  const seen = new Map<string, { readonly version: string; readonly at: number }>()
  /** Since when another replica is to have what we have. */
  const unwanted = new Map<string, number>()
  /** Counts how often we were lost: what was begun before is not ours. */
  let term = 0
  let replicas: readonly string[] = [identity]
  const rounds = createRounds({ environment, pause: retryPeriod, limit: renewDeadline, round, onError })

  const membership = createLeadership({
    client,
    environment,
    name: replicaLeaseName(identity),
    marks: { labels: { ...options.marks?.labels, ...replicaLabel }, annotations: options.marks?.annotations ?? {} },
    identity,
    leaseDuration,
    renewDeadline,
    retryPeriod,
    onLost: loseAll,
    onError,
  })

  function loseAll(): void {
    term++
    for (const name of [...held.keys()]) lose(name)
  }

  function lose(name: string): void {
    const shard = held.get(name)
    if (shard === undefined) return
    held.delete(name)
    unwanted.delete(name)
    onLost(shard)
  }

  /** One look at who is there, and at what is to be had. */
  async function round(signal: AbortSignal): Promise<void> {
    if (!membership.isHeld()) return
    const { items } = await client.list(Lease, { namespace: systemNamespace, labelSelector: label, signal })
    const leases = new Map(items.map(lease => [lease.metadata.name, lease]))
    await bury(items.filter(isOfReplica), signal)
    if (!replicas.includes(identity)) return
    const wanted = new Map(shards().map(shard => [shardName(shard), shard]))
    const assigned = assign([...wanted.keys()], replicas)
    for (const [name, shard] of [...held]) {
      if (leases.get(name)?.spec?.holderIdentity !== identity) lose(name)
      else if (assigned.get(name) === identity) unwanted.delete(name)
      else await giveUp(name, shard, leases.get(name), signal)
    }
    for (const lease of items.filter(isOfShard)) {
      const { name } = lease.metadata
      const holder = lease.spec?.holderIdentity
      // Taken, or not given back, by a request whose answer we did not get in time.
      const isForgotten = holder === identity && !held.has(name) && assigned.get(name) !== identity
      if (isForgotten) await giveBack(shardNamed(name), lease, signal)
      else if (!wanted.has(name) && holder === '') await remove(lease.metadata, signal)
    }
    for (const [name, shard] of wanted) {
      if (assigned.get(name) === identity && !held.has(name)) await take(shard, leases.get(name), signal)
    }
  }

  /** Notes who lives, and deletes the Leases of those who have been silent for too long. */
  async function bury(leases: readonly LeaseObject[], signal: AbortSignal): Promise<void> {
    const now = clock.monotonic()
    const alive: string[] = []
    for (const { metadata, spec } of leases) {
      const replica = spec?.holderIdentity
      const known = seen.get(metadata.name)
      if (known?.version !== metadata.resourceVersion) {
        seen.set(metadata.name, { version: metadata.resourceVersion, at: now })
      }
      const isSilent = known?.version === metadata.resourceVersion && now >= known.at + leaseDuration
      const isOver = !replica || (isSilent && replica !== identity)
      if (isOver && (await remove(metadata, signal))) seen.delete(metadata.name)
      else if (replica) alive.push(replica)
    }
    replicas = alive.toSorted()
  }

  /** Whether it is gone: not where it was renewed in the meantime. */
  async function remove(metadata: LeaseObject['metadata'], signal: AbortSignal): Promise<boolean> {
    try {
      await client.remove(Lease, metadata, { resourceVersion: metadata.resourceVersion, signal })
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.reason === 'NotFound') return true
      if (error.reason === 'Conflict') return false
      throw error
    }
  }

  async function take(shard: Shard, lease: LeaseObject | undefined, signal: AbortSignal): Promise<void> {
    const holder = lease?.spec?.holderIdentity
    // Whoever has it lives, and hands it over in peace.
    if (holder && holder !== identity && replicas.includes(holder)) return
    const begun = term
    if (!(await writeHolder(shard, lease, identity, signal))) return
    // What was lost on the way is taken anew in a later round.
    if (begun !== term || !membership.isHeld() || rounds.isStopped()) return
    held.set(shardName(shard), shard)
    onGained(shard)
  }

  async function giveUp(
    name: string,
    shard: Shard,
    lease: LeaseObject | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const since = unwanted.get(name) ?? clock.monotonic()
    unwanted.set(name, since)
    // Who comes and goes within a lease is not worth two moves.
    if (clock.monotonic() < since + leaseDuration) return
    await giveBack(shard, lease, signal)
  }

  /** Nothing acts for the shard any more, and whoever is to have it need not wait. */
  async function giveBack(shard: Shard, lease: LeaseObject | undefined, signal: AbortSignal): Promise<void> {
    await handOver(shard)
    held.delete(shardName(shard))
    unwanted.delete(shardName(shard))
    if (lease?.spec?.holderIdentity === identity) await writeHolder(shard, lease, '', signal)
  }

  /** Takes our name off Leases, as far as that goes quickly: with our own gone they count no more anyway. */
  async function signOff(shards: readonly Shard[]): Promise<void> {
    const signing = limited(clock, retryPeriod, async signal => {
      for (const shard of shards) {
        const lease = await client.get(Lease, shardName(shard), systemNamespace, { signal })
        if (lease?.spec?.holderIdentity === identity) await writeHolder(shard, lease, '', signal)
      }
    })
    await signing.catch(onError)
  }

  /** Writes who has a shard. False: somebody was quicker. */
  async function writeHolder(
    shard: Shard,
    lease: LeaseObject | undefined,
    holderIdentity: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { apiVersion, kind } = Lease
    const transitions = lease?.spec?.leaseTransitions
    const isNewHolder = holderIdentity !== '' && lease?.spec?.holderIdentity !== holderIdentity
    const acquireTime = microTimestamp(clock)
    const spec = {
      holderIdentity,
      acquireTime,
      leaseTransitions: transitions === undefined ? 0 : transitions + (isNewHolder ? 1 : 0),
    }
    const metadata = { name: shardName(shard), namespace: systemNamespace, labels: shardLabel }
    const object = { apiVersion, kind, metadata, ...lease, spec }
    try {
      await (lease === undefined ? client.create(Lease, object, { signal }) : client.replace(Lease, object, { signal }))
      return true
    } catch (error) {
      if (isLostRace(error)) return false
      throw error
    }
  }

  return {
    isHeld: shard => held.has(shardName(shard)) && membership.isHeld(),
    start() {
      membership.start()
      rounds.start()
    },
    async stop() {
      await rounds.stop()
      // Nothing acts any more when our own Lease is given up: nobody need wait, whatever becomes of the others.
      const shards = [...held.values()]
      await Promise.all(shards.map(shard => handOver(shard)))
      held.clear()
      await signOff(shards)
      await membership.stop()
    },
  }
}

function isOfReplica({ metadata }: LeaseObject): boolean {
  return metadata.labels?.[label] === replicaLabel[label]
}

function isOfShard({ metadata }: LeaseObject): boolean {
  return metadata.labels?.[label] === shardLabel[label]
}
