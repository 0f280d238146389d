/** Where the pools are that this driver has connections to: hosts find a machine's disks by it. */
export class PoolRegistry {
  readonly #directories = new Map<string, string>()

  add(key: string, directory: string): void {
    this.#directories.set(key, directory)
  }

  /** The directory of a pool, by its key. */
  directoryOf(key: string): string | undefined {
    return this.#directories.get(key)
  }

  /** The key of the pool whose directory it is. */
  readonly keyOf = (directory: string): string | undefined => {
    for (const [key, each] of this.#directories) {
      if (each === directory) return key
    }
    return undefined
  }
}
