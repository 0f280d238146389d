import type { Holder } from '../../crds/infrastructure/allocation.ts'
import { type NumberRange, poolSize, valueAt } from '../../crds/invariants/number-range.ts'
import { startIn } from '../identity.ts'

/**
 * The first free value of a pool for somebody. The search starts at a place that follows from who seeks, so
 * that many seekers at once spread out and the same seeker finds the same value again. Undefined: the pool is used up.
 */
export function freeValue(
  pool: readonly NumberRange[],
  seeker: string,
  isTaken: (value: number) => boolean,
): number | undefined {
  const size = poolSize(pool)
  if (size === 0) return undefined
  const start = startIn(size, seeker)
  for (let step = 0; step < size; step += 1) {
    const value = valueAt(pool, (start + step) % size)
    if (value !== undefined && !isTaken(value)) return value
  }
  return undefined
}

/** Who seeks, where nothing outside bears an identity: by name, so that the same manifests find the same again. */
export function seekerOf({ kind, namespace, name }: Holder): string {
  return `${kind} ${namespace ?? ''}/${name}`
}
