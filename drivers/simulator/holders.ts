/**
 * Who holds what, where nearly everything has one holder: a map to the holder itself, or to a list once there
 * are several. A set for each of 100,000 machines' disks and addresses would cost ten times the memory.
 */
export class Holders<Key, Holder extends object> {
  readonly #map = new Map<Key, Holder | Holder[]>()

  /** All that hold the key. */
  of(key: Key): readonly Holder[] {
    const found = this.#map.get(key)
    if (found === undefined) return []
    return Array.isArray(found) ? found : [found]
  }

  /** Adds a holder; answers with those that held the key before. One that holds it already is added no second time. */
  add(key: Key, holder: Holder): readonly Holder[] {
    const found = this.#map.get(key)
    if (found === undefined || found === holder) {
      this.#map.set(key, holder)
      return []
    }
    if (!Array.isArray(found)) {
      this.#map.set(key, [found, holder])
      return [found]
    }
    const others = found.filter(each => each !== holder)
    this.#map.set(key, [...others, holder])
    return others
  }

  /** Takes a holder away. */
  remove(key: Key, holder: Holder): void {
    const found = this.#map.get(key)
    if (found === undefined) return
    if (!Array.isArray(found)) {
      if (found === holder) this.#map.delete(key)
      return
    }
    const [first, second, ...more] = found.filter(each => each !== holder)
    if (first === undefined) this.#map.delete(key)
    else this.#map.set(key, second === undefined ? first : [first, second, ...more])
  }

  /** How many keys are held. */
  get size(): number {
    return this.#map.size
  }
}
