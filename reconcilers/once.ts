import type { World } from './world.ts'

const memories = new WeakMap<World, Map<string, unknown>>()

/** A value of one pass, computed at its first asking: phases of one object rest on the same parts again and again. */
export function once<T>(world: World, key: string, compute: () => T): T {
  let memory = memories.get(world)
  if (memory === undefined) {
    memory = new Map()
    memories.set(world, memory)
  }
  if (memory.has(key)) return memory.get(key) as T
  const value = compute()
  memory.set(key, value)
  return value
}
