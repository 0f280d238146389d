import { isRecord } from '../api-object.ts'

/** Applies a JSON merge patch (RFC 7386) without changing its input; the same reference where nothing changes. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch
  const base = isRecord(target) ? target : {}
  let merged: Record<string, unknown> | undefined = isRecord(target) ? undefined : {}
  for (const [key, value] of Object.entries(patch)) {
    const before = base[key]
    if (value === null) {
      if (!Object.hasOwn(base, key)) continue
      merged ??= { ...base }
      delete merged[key]
      continue
    }
    const after = mergePatch(before, value)
    if (after === before) continue
    merged ??= { ...base }
    merged[key] = after
  }
  return merged ?? base
}
