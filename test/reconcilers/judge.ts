/** Judges phases of a reconciler in a test's world. */
import type { AnyKind } from '../../crds/define-kind.ts'
import type { CommonStatus, Resource } from '../../crds/meta.ts'
import type { Reconciler } from '../../reconcilers/define-reconciler.ts'
import type { Verdict } from '../../reconcilers/verdict.ts'
import type { Wish, World } from '../../reconcilers/world.ts'

/** The verdict of the reconciler's phase that owns the condition. Throws when there is no such phase. */
export function judge<K extends AnyKind>(
  reconciler: Reconciler<K>,
  condition: string,
  self: Resource,
  world: World,
): Verdict {
  return judgeIn(reconciler.phases, condition, self, world)
}

/** The verdict of the teardown phase that owns the condition. */
export function judgeTeardown<K extends AnyKind>(
  reconciler: Reconciler<K>,
  condition: string,
  self: Resource,
  world: World,
): Verdict {
  return judgeIn(reconciler.teardown ?? [], condition, self, world)
}

/** What the reconciler reports into an empty status. */
export function reported<K extends AnyKind>(reconciler: Reconciler<K>, self: Resource, world: World): CommonStatus {
  const status = {}
  reconciler.report?.(status as never, self as unknown as Wish<K>, world)
  return status
}

/** Users that keep an object from going, as `Kind name`. */
export function users<K extends AnyKind>(reconciler: Reconciler<K>, self: Resource, world: World): readonly string[] {
  const usages = reconciler.usedBy ?? []
  return usages.flatMap(({ index, value }) =>
    world.desired
      .list(index, value(self as unknown as Wish<K>))
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`),
  )
}

function judgeIn<K extends AnyKind>(
  phases: Reconciler<K>['phases'],
  condition: string,
  self: Resource,
  world: World,
): Verdict {
  const phase = phases.find(phase => phase.condition === condition)
  if (phase === undefined) throw new Error(`Cannot judge ${condition}: no phase owns it`)
  return phase.judge(self as unknown as Wish<K>, world)
}
