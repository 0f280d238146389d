/** Values computed from a test world, remembered until something they read changes. */
import type { Derived, World } from '../../reconcilers/world.ts'

/** Remembers derived values until something changes of a kind that they read. Coarser than the engine, never staler. */
export class Reads {
  readonly #remembered = new Map<string, { readonly value: unknown; readonly sources: ReadonlySet<string> }>()
  readonly #computing: Set<string>[] = []

  read(source: string): void {
    this.#computing.at(-1)?.add(source)
  }

  changed(source: string): void {
    for (const [name, { sources }] of this.#remembered) if (sources.has(source)) this.#remembered.delete(name)
  }

  remember<T>(definition: Derived<T>, key: string, world: World): T {
    const name = `${definition.name}/${key}`
    const entry = this.#remembered.get(name) ?? this.#compute(name, () => definition.compute(key, world))
    for (const source of entry.sources) this.read(source)
    return entry.value as T
  }

  #compute(name: string, compute: () => unknown) {
    const sources = new Set<string>()
    this.#computing.push(sources)
    const entry = { value: compute(), sources }
    this.#computing.pop()
    this.#remembered.set(name, entry)
    return entry
  }
}
