/** A map that remembers so many entries at most: for a new one the oldest goes. */
export class BoundedMap<Key, Value> extends Map<Key, Value> {
  readonly #limit: number

  constructor(limit: number) {
    super()
    this.#limit = limit
  }

  override set(key: Key, value: Value): this {
    const [oldest] = this.keys()
    if (this.size >= this.#limit && oldest !== undefined && !this.has(key)) this.delete(oldest)
    return super.set(key, value)
  }
}
