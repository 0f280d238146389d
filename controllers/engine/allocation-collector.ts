import type { AnyKind } from '../../crds/define-kind.ts'
import { type Environment, type Timer, timestamp } from '../../crds/environment.ts'
import { Allocation, type AllocationSpec } from '../../crds/infrastructure/allocation.ts'
import type { Resource } from '../../crds/meta.ts'
import { machineClaimName, volumeClaimName } from '../../reconcilers/claims.ts'
import type { Client } from '../api/client.ts'
import type { Logger } from '../log.ts'
import type { ObservedCache } from '../observation/observed-cache.ts'
import { type DesiredCache, objectKey } from './desired-cache.ts'
import type { Strays } from './strays.ts'
import type { Writes } from './writes.ts'

/** How often holders are looked at, in ms. */
const interval = 60_000

/** What the collector works with. */
export interface AllocationCollectorOptions {
  readonly client: Client
  readonly writes: Writes
  readonly desired: DesiredCache
  readonly observed: ObservedCache
  readonly environment: Environment
  readonly logger: Logger
  readonly kinds: readonly AnyKind[]
  /** Looks after what lost hosts may still have. */
  readonly strays: Strays
  /** Whether an Allocation is for this engine to free. */
  readonly mayFree: (allocation: Resource<AllocationSpec>) => boolean
}

/**
 * Frees what nobody holds any more: an Allocation goes only after a live read shows that its holder is gone or another
 * one, and nothing of ours that is observed bears the identity it is for.
 */
export interface AllocationCollector {
  start(): void
  stop(): void
  /** Looks at every holder now. Resolves with how many were freed. */
  collect(): Promise<number>
}

/** Makes a collector. */
export function createAllocationCollector(options: AllocationCollectorOptions): AllocationCollector {
  const { client, writes, desired, observed, environment, logger, kinds, strays, mayFree } = options
  let timer: Timer | undefined
  let running = false

  async function collect(): Promise<number> {
    let freed = 0
    for (const allocation of [...desired.all(Allocation)] as Resource<AllocationSpec>[]) {
      if (!mayFree(allocation)) continue
      if (
        allocation.spec.type === 'Stray' &&
        desired.isConfirmed(Allocation, objectKey(allocation.metadata.name, undefined))
      ) {
        if (await strays.isOver(allocation.spec, isOrphan)) freed += await free(allocation)
      }
      if (allocation.spec.type === 'Identity' || allocation.spec.type === 'Stray') continue
      if (!isOrphanInCache(allocation)) continue
      if (isObserved(allocation.spec) || !(await isOrphan(allocation.spec))) continue
      if (await noteMade(allocation.spec)) continue
      freed += await free(allocation)
    }
    return freed
  }

  async function free({ metadata }: Resource<AllocationSpec>): Promise<number> {
    await writes.delete(Allocation, metadata)
    logger.info({ allocation: metadata.name }, 'freed an allocation that nobody needs any more')
    return 1
  }

  /** What an attachment says of its disk, that it was made, is noted on the volume's claim before it goes. */
  async function noteMade({ attachment }: AllocationSpec): Promise<boolean> {
    if (attachment === undefined) return false
    const key = objectKey(volumeClaimName(attachment.volumeIdentity), undefined)
    const claim = desired.get(Allocation, key) as Resource<AllocationSpec> | undefined
    if (claim === undefined) return false
    if (!desired.isConfirmed(Allocation, key)) return true
    if (claim.spec.notes?.madeAt !== undefined) return false
    const notes = { ...claim.spec.notes, madeAt: timestamp(environment.clock) }
    await writes.update(Allocation, claim, { ...claim.spec, notes })
    return true
  }

  function kindOf({ holder }: AllocationSpec): AnyKind | undefined {
    return kinds.find(kind => kind.kind === holder.kind && kind.group === holder.group)
  }

  function isOrphanInCache(allocation: Resource<AllocationSpec>): boolean {
    const { holder } = allocation.spec
    const kind = kindOf(allocation.spec)
    if (kind === undefined || !desired.isConfirmed(Allocation, objectKey(allocation.metadata.name, undefined)))
      return false
    return desired.get(kind, objectKey(holder.name, holder.namespace))?.metadata.uid !== holder.uid
  }

  async function isOrphan(spec: AllocationSpec): Promise<boolean> {
    const kind = kindOf(spec)
    if (kind === undefined) return false
    const live = await client.get(kind, spec.holder.name, spec.holder.namespace)
    return live === undefined || live.metadata.uid !== spec.holder.uid
  }

  /** Absent evidence is no evidence: while an endpoint has not been listed, what may be there counts as observed. */
  function isObserved({ type, value, holder, machine, volume, attachment }: AllocationSpec): boolean {
    const identity = type === 'Machine' || type === 'Volume' ? value : (attachment?.machineIdentity ?? holder.uid)
    // What a machine holds goes after its place: only that says where it might still run.
    if (type !== 'Machine' && desired.get(Allocation, objectKey(machineClaimName(identity), undefined)) !== undefined)
      return true
    const seen = [...observed.machines(identity), ...observed.volumes(identity)]
    if (seen.some(({ facts }) => facts.mark?.installation === observed.installation)) return true
    if (machine !== undefined) return !observed.endpoint(`Host/${machine.hostIdentity}`).listed
    return volume !== undefined && !observed.endpoint(`PrimaryStorage/${volume.poolIdentity}`).listed
  }

  function schedule(): void {
    timer = environment.clock.after(interval, () => {
      if (running) return schedule()
      running = true
      collect()
        .catch(error => logger.warn({ err: error }, 'the search for orphaned allocations was interrupted'))
        .finally(() => {
          running = false
          if (timer !== undefined) schedule()
        })
    })
  }

  return {
    start: schedule,
    stop: () => {
      timer?.cancel()
      timer = undefined
    },
    collect,
  }
}
