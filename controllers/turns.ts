/**
 * Whose turn it is where many wait for one thing: groups take turns, however many of theirs wait, and within a group who
 * came first is first. A turn is a number given at once, so nothing is counted or searched later.
 */
export class Turns {
  /** The turn of each group's last comer, as far as it is still to come. */
  readonly #last = new Map<string, number>()
  #served = 0
  #latest = 0

  /** The turn of one that comes now. One of no group comes after all that wait already. */
  next(group: string | undefined): number {
    if (group === undefined) return Math.max(this.#served, this.#latest)
    const turn = Math.max(this.#served, this.#last.get(group) ?? 0) + 1
    this.#last.set(group, turn)
    this.#latest = Math.max(this.#latest, turn)
    return turn
  }

  /** It was the turn of this one: who comes from now on comes after it. */
  served(turn: number, group: string | undefined): void {
    this.#served = Math.max(this.#served, turn)
    if (group !== undefined && this.#last.get(group) === turn) this.#last.delete(group)
  }

  /** Nobody of the group waits any more, and some have gone before it was their turn: its next comer is as its first. */
  left(group: string): void {
    this.#last.delete(group)
  }
}
