/** Members told in one turn of the event loop: what that takes, a request that comes meanwhile waits. */
const perTurn = 16

/**
 * Those who follow a collection. A change rings for all of them in rounds, some in each turn of the event loop: requests
 * go on between, and whoever is reached late hears of several changes at once, which costs little more than of one.
 */
export class Audience {
  readonly #members = new Set<() => void>()
  /** Who is left of the round that is under way. */
  #left: (() => void)[] = []
  #inRound = false
  /** Something has happened since the round began. */
  #again = false

  /** `ring` is called soon after every change, once for several in quick succession. The answer ends that. */
  join(ring: () => void): () => void {
    this.#members.add(ring)
    return () => {
      this.#members.delete(ring)
    }
  }

  /** Something has happened. */
  ring(): void {
    this.#again = true
    if (!this.#inRound) this.#turn()
  }

  #turn(): void {
    if (this.#left.length === 0 && this.#again) {
      this.#again = false
      this.#left = [...this.#members]
    }
    for (const ring of this.#left.splice(0, perTurn)) if (this.#members.has(ring)) ring()
    this.#inRound = this.#left.length > 0 || this.#again
    if (this.#inRound) setImmediate(() => this.#turn())
  }
}
