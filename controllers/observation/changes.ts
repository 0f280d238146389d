/** Collects the topics of one change, so that whoever is told sees all of it. */
export class Changes {
  readonly #notify: (topic: string) => void
  #told: Set<string> | undefined

  constructor(notify: (topic: string) => void) {
    this.#notify = notify
  }

  /** Tells of a changed value; while a change is being made, after all of it is in. */
  tell(topic: string): void {
    if (this.#told === undefined) this.#notify(topic)
    else this.#told.add(topic)
  }

  /** Makes one change. A change within a change is part of it. */
  make<T>(change: () => T): T {
    if (this.#told !== undefined) return change()
    const told = new Set<string>()
    this.#told = told
    try {
      return change()
    } finally {
      this.#told = undefined
      for (const topic of told) this.#notify(topic)
    }
  }
}

/** Adds to a set of many, kept by key. */
export function addTo<Key, Value>(sets: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const known = sets.get(key)
  if (known === undefined) sets.set(key, new Set([value]))
  else known.add(value)
}

/** Removes from a set of many; an empty one goes. */
export function removeFrom<Key, Value>(sets: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const known = sets.get(key)
  if (known === undefined) return
  known.delete(value)
  if (known.size === 0) sets.delete(key)
}
