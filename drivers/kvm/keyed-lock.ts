/** Lets one task at a time work on a key, in the order of asking. */
export class KeyedLock {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs the task when those before it on the same key have ended, however they did. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const own = before.then(task, task)
    // The next one waits for the end, not for success.
    const ended = own.catch(() => undefined)
    this.#last.set(key, ended)
    try {
      return await own
    } finally {
      if (this.#last.get(key) === ended) this.#last.delete(key)
    }
  }
}
