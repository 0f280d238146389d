interface Entry {
  readonly directory: string
  connections: number
}

/** Where the pools are that this driver has connections to: hosts find a machine's disks by it. */
export class PoolRegistry {
  readonly #entries = new Map<string, Entry>()
  readonly #changes = new Map<string, number>()

  /** Knows a pool until what it answers is disposed of. */
  add(key: string, directory: string): Disposable {
    const known = this.#entries.get(key)
    const entry = known?.directory === directory ? known : { directory, connections: 0 }
    entry.connections += 1
    this.#entries.set(key, entry)
    return {
      [Symbol.dispose]: () => {
        entry.connections -= 1
        if (entry.connections === 0 && this.#entries.get(key) === entry) this.#entries.delete(key)
      },
    }
  }

  /** The directory of a pool, by its key. */
  directoryOf(key: string): string | undefined {
    return this.#entries.get(key)?.directory
  }

  /** The key of the pool whose directory it is. */
  readonly keyOf = (directory: string): string | undefined => {
    for (const [key, entry] of this.#entries) {
      if (entry.directory === directory) return key
    }
    return undefined
  }

  /** Counts a change to what is in a directory until the answer is disposed of. */
  beginChange(directory: string): Disposable {
    this.#changes.set(directory, this.changes(directory) + 1)
    return {
      [Symbol.dispose]: () => {
        const left = this.changes(directory) - 1
        if (left === 0) this.#changes.delete(directory)
        else this.#changes.set(directory, left)
      },
    }
  }

  /** How many changes to what is in a directory are under way. */
  changes(directory: string): number {
    return this.#changes.get(directory) ?? 0
  }
}
