import { Zone } from '../../crds/infrastructure/zone.ts'
import { type ControllerProcessOptions, openControllerProcess } from '../controller-process.ts'
import type { Engine } from '../engine/engine.ts'
import type { Shard } from '../engine/shard.ts'
import type { HealthServer } from '../health-server.ts'
import type { QueryService } from '../query/query.ts'
import { outsideZones, shardName } from './names.ts'
import { createSharing } from './sharing.ts'

/** What a replica is put together from. */
export interface ReplicaOptions extends ControllerProcessOptions {
  /** Who it is: another one for every process, also for the next of this replica. */
  readonly identity: string
  /** How often leases are renewed and looked at, in ms. Default 2,000. */
  readonly retryPeriod?: number
  /** A part of the work could not be begun: the process is to end, so that another one takes it. */
  readonly onFailure: (error: unknown) => void
}

/** One of several processes that look after a cloud together, each after zones of its own. */
export interface Replica {
  readonly health: HealthServer | undefined
  readonly query: QueryService | undefined
  /** The engines that run now. */
  engines(): readonly Engine[]
  /** Names of the shards that it has. */
  shards(): readonly string[]
  /** Hands its shards over and ends. */
  stop(): Promise<void>
}

/** The work for a shard that this replica has. */
interface Share {
  isHeld: boolean
  engine?: Engine
}

/** Installs the CRDs, and takes its part of the work; resolves when the caches are filled. */
export async function startReplica(options: ReplicaOptions): Promise<Replica> {
  const { environment, identity, logger, onFailure, retryPeriod } = options
  const shares = new Map<string, Share>()
  /** When the last engine of a shard has stopped: the next one begins no sooner. */
  const ended = new Map<string, Promise<void>>()
  const engines = () => [...shares.values()].flatMap(({ engine }) => engine ?? [])
  const process = await openControllerProcess(options, engines)
  const query = await process.serveQueries()
  await process.feed.synced
  const sharing = createSharing({
    marks: query?.marks,
    client: process.client,
    environment,
    identity,
    shards: () => [outsideZones, ...[...process.feed.objects(Zone)].map(({ metadata }) => ({ zone: metadata.name }))],
    onGained: gain,
    onLost: lose,
    handOver: shard => end(shard),
    onError: error => logger.warn({ err: error }, 'the work could not be shared for a moment'),
    ...(retryPeriod === undefined ? {} : { retryPeriod }),
  })

  function gain(shard: Shard): void {
    const name = shardName(shard)
    const share: Share = { isHeld: true }
    shares.set(name, share)
    logger.info({ shard: name }, 'takes a shard')
    begin(shard, share).catch(error => {
      if (share.isHeld && shares.get(name) === share) onFailure(error)
    })
  }

  async function begin(shard: Shard, share: Share): Promise<void> {
    await ended.get(shardName(shard))
    // What others wrote while they had it is known before anything rests on what we know.
    await process.feed.relisted()
    if (!share.isHeld) return
    share.engine = process.createEngine(shard, () => share.isHeld && sharing.isHeld(shard))
    await share.engine.start()
  }

  /** A shard is lost: what still runs for it may do nothing any more, also when the shard comes back. */
  function lose(shard: Shard): void {
    const share = shares.get(shardName(shard))
    if (share !== undefined) share.isHeld = false
    void end(shard, 0)
  }

  /** Ends the work for a shard; what runs outside has so many ms to come to an end. */
  async function end(shard: Shard, grace?: number): Promise<void> {
    const name = shardName(shard)
    const share = shares.get(name)
    if (share === undefined) return ended.get(name)
    logger.info({ shard: name }, 'gives a shard away')
    shares.delete(name)
    if (share.engine === undefined) share.isHeld = false
    const before = ended.get(name)
    const stopped = (async () => {
      await before
      await share.engine?.stop(grace)
      share.isHeld = false
    })().catch(error => logger.warn({ err: error, shard: name }, 'a shard was not left in peace'))
    ended.set(name, stopped)
    await stopped
  }

  sharing.start()
  return {
    health: process.health,
    query,
    engines,
    shards: () => [...shares.keys()],
    async stop() {
      await query?.close()
      await sharing.stop()
      await Promise.all(ended.values())
      await process.stop()
    },
  }
}
