/**
 * Where in the schema the value of an expression stands.
 *
 * Paths share their steps as slices in Go do: a step below a path takes the place of the one that was put there before,
 * also for whoever still holds that one. So Kubernetes mixes up the fields of an object: `p.tags.all(t, t == p.name)`
 * takes the length of the name for the number of tags. What it refuses for that must be refused here too.
 */

import type { Extent } from './extent.ts'

/** Steps from a variable on: names of fields, `@items`, `@keys`, `@values`. */
export interface Path {
  readonly steps: string[]
  /** How many of the steps belong to this path. */
  readonly length: number
  /** How many steps fit before the next one makes a copy. */
  readonly room: number
}

/** The path with one step more; from nowhere the step is the first. */
export function stepBelow(path: Path | undefined, step: string): Path {
  if (path === undefined) return { steps: [step], length: 1, room: 1 }
  const { steps, length, room } = path
  if (length === room) return { steps: [...steps.slice(0, length), step], length: length + 1, room: room * 2 }
  steps[length] = step
  return { steps, length: length + 1, room }
}

/** The extent where a path leads from a value; its first step names the value. */
export function extentAt(path: Path, self: Extent): Extent | undefined {
  let extent: Extent | undefined = self
  for (const step of path.steps.slice(1, path.length)) {
    if (step === '@items' || step === '@values') extent = extent?.elements
    else extent = step === '@keys' ? extent?.keys : extent?.fields?.get(step)
  }
  return extent
}
