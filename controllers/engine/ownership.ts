import type { AnyKind } from '../../crds/define-kind.ts'
import { Allocation, type AllocationSpec } from '../../crds/infrastructure/allocation.ts'
import type { Resource } from '../../crds/meta.ts'
import type { World } from '../../reconcilers/world.ts'
import type { Metrics } from '../metrics.ts'
import { countConditions } from './condition-counting.ts'
import type { DesiredCache, ObjectChange, ObjectKey } from './desired-cache.ts'
import { isWithin, mayBeWithin, type Shard } from './shard.ts'

/** What ownership is decided and counted with. */
export interface OwnershipOptions {
  /** Left out: everything is looked after here. */
  readonly shard: Shard | undefined
  readonly desired: Pick<DesiredCache, 'get'>
  readonly metrics: Pick<Metrics, 'conditionsChanged'>
  /** Whether objects of the kind have passes. */
  readonly isJudged: (kind: AnyKind) => boolean
}

/** Which objects an engine looks after at this moment. Their conditions are counted here and nowhere else. */
export class Ownership {
  readonly #options: OwnershipOptions
  readonly #owned = new Map<string, { readonly kind: AnyKind; readonly key: ObjectKey }>()

  constructor(options: OwnershipOptions) {
    this.#options = options
  }

  /** Whether an object may ever be looked after here. */
  mayTake(kind: AnyKind, object: Resource): boolean {
    return mayBeWithin(this.#options.shard, kind, object)
  }

  /** Whether an object is looked after here, as its last pass found. */
  has(kind: AnyKind, key: ObjectKey): boolean {
    return this.#options.shard === undefined || this.#owned.has(idOf(kind, key))
  }

  /** Decides it anew by what is wished now; what is read for that is recorded in the world. */
  decide(kind: AnyKind, key: ObjectKey, world: World): boolean {
    const { shard, desired, metrics } = this.#options
    const object = desired.get(kind, key)
    if (shard === undefined || object === undefined) return true
    const id = idOf(kind, key)
    const isOurs = isWithin(shard, kind, object, world.desired)
    if (isOurs === this.#owned.has(id)) return isOurs
    if (isOurs) this.#owned.set(id, { kind, key })
    else this.#owned.delete(id)
    const [before, after] = isOurs ? [undefined, object] : [object, undefined]
    countConditions(metrics, { kind, key, before, after, fromAPI: false })
    return isOurs
  }

  /** Whether an Allocation whose holder is gone is freed here: only where it would be seen if it were still used. */
  mayFree(allocation: Resource<AllocationSpec>, world: World): boolean {
    const { shard } = this.#options
    if (shard === undefined) return true
    if (!isWithin(shard, Allocation, allocation, world.desired)) return false
    const { holder, type } = allocation.spec
    return shard.zone !== undefined || holder.zoneName !== undefined || type === 'Fence' || type === 'Inventory'
  }

  /** An object came, changed or went. */
  changed(change: ObjectChange): void {
    const { shard, metrics, isJudged } = this.#options
    const { kind, key, after } = change
    const isCounted = this.has(kind, key) || (!isJudged(kind) && shard?.zone === undefined)
    if (isCounted) countConditions(metrics, change)
    if (after === undefined) this.#owned.delete(idOf(kind, key))
  }

  /** Nothing is looked after here any more. */
  end(): void {
    const { desired, metrics } = this.#options
    for (const { kind, key } of this.#owned.values()) {
      countConditions(metrics, { kind, key, before: desired.get(kind, key), after: undefined, fromAPI: false })
    }
    this.#owned.clear()
  }
}

function idOf(kind: AnyKind, key: ObjectKey): string {
  return `${kind.kind}|${key}`
}
