import type { Clock } from '../../crds/environment.ts'
import type { Reconciler } from '../../reconcilers/define-reconciler.ts'
import type { World } from '../../reconcilers/world.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { ObjectKey } from './desired-cache.ts'
import type { EffectTargets } from './effects.ts'
import type { Standing } from './queues.ts'

/** What one kind's controller works with. */
export interface ControllerOptions {
  readonly reconciler: Reconciler
  readonly targets: EffectTargets
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  /** Declares the endpoints of an object to the observer. */
  readonly declareEndpoints: (owner: string, endpoints: ReturnType<NonNullable<Reconciler['endpoints']>>) => void
  /** Runs a judgement with its reads recorded for this object. */
  readonly judge: <T>(key: ObjectKey, judge: (world: World) => T) => Judged<T>
  /** Wakes the object again after so many ms. */
  readonly wakeAfter: (key: ObjectKey, milliseconds: number) => void
  /** The object waits in a queue, or (undefined) in none. */
  readonly standIn: (key: ObjectKey, waits: Pick<Standing, 'queue' | 'priority'> | undefined) => void
  /** Whether much work waits: then a status that only says "on the way" is left out. */
  readonly isBusy: () => boolean
  /** Whether enough has been seen to report: before every endpoint was asked once, a status would tell of our own start. */
  readonly mayReport: () => boolean
  /** The object has something to report as soon as `mayReport`. */
  readonly reportLater: (key: ObjectKey) => void
  /** Forgets everything about an object that is gone. */
  readonly forget: (key: ObjectKey) => void
}

/** A judgement's result, and when time alone may change it. */
export interface Judged<T> {
  readonly result: T
  readonly wakeAfter: number | undefined
}

/** A judgement's result, and the topics that were read for it. */
export interface CollectedReads<T> {
  readonly result: T
  readonly topics: readonly string[]
}

/** How a pass ended: `error` is retried with back-off, and so is `requeue_after`, which is nobody's fault. */
export type PassOutcome = 'success' | 'error' | 'requeue' | 'requeue_after'
