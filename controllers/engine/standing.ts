import type { PlaceView } from '../../reconcilers/define-reconciler.ts'
import type { World } from '../../reconcilers/world.ts'
import type { WorkQueue } from '../work-queue.ts'
import type { Controller } from './controller.ts'
import type { CollectedReads } from './controller-options.ts'
import { isDerived } from './derivations.ts'
import type { ObjectKey } from './desired-cache.ts'
import type { PhaseReading } from './judgements.ts'
import type { Queues } from './queues.ts'
import type { Reads } from './reads.ts'
import { createWorld, type WorldSources } from './world.ts'

/** How an object stands with the engine. */
export interface ObjectStanding {
  readonly phases: readonly PhaseReading[]
  /** In how many ms it is judged again though nothing changes; undefined where nothing is planned. */
  readonly dueInMs: number | undefined
  /** How many passes in a row have failed. */
  readonly failedPasses: number
  /** The queue for something scarce that it stands in. */
  readonly queue: ReturnType<Queues['placeOf']>
  /** What every host says to it; undefined where it needs no place. */
  readonly place: PlaceView | undefined
}

/** Where that is read. */
export interface StandingSources {
  readonly controller: Controller | undefined
  readonly queue: Pick<WorkQueue, 'due' | 'failures'>
  readonly queues: Pick<Queues, 'placeOf'>
  readonly reads: Reads
  readonly world: WorldSources
}

/** How an object stands: what its phases say at this moment, judged outside any pass. `id` is its name in the queue. */
export function standingOf(id: string, key: ObjectKey, sources: StandingSources): ObjectStanding {
  const { controller, queue, queues, reads } = sources

  /** What was read, and what the remembered computations among it rest on. */
  function withDerived(topics: Iterable<string>): readonly string[] {
    const all = new Set(topics)
    // A set is walked through what is added to it on the way.
    for (const topic of all) if (isDerived(topic)) for (const inner of reads.topicsOf(topic)) all.add(inner)
    return [...all]
  }

  function collected<T>(judge: (world: World) => T): CollectedReads<T> {
    const [recording, aside] = [reads.collect(), reads.collect()]
    const result = judge(createWorld(sources.world, { recording, queued: () => aside, wakeAfter: () => undefined }))
    return { result, topics: withDerived(recording.topics()) }
  }

  return {
    phases: controller?.read(key, collected) ?? [],
    dueInMs: queue.due(id),
    failedPasses: queue.failures(id),
    queue: queues.placeOf(id),
    place: collected(world => controller?.place(key, world)).result,
  }
}
