/** What lies in a heap remembers its place there: −1 while it lies in none. */
export interface HeapItem {
  position: number
}

/** A binary heap whose items can be moved and taken out: O(log n). */
export class Heap<T extends HeapItem> {
  readonly #items: T[] = []
  readonly #before: (left: T, right: T) => boolean

  /** `before` says whether an item comes out earlier than another. */
  constructor(before: (left: T, right: T) => boolean) {
    this.#before = before
  }

  get size(): number {
    return this.#items.length
  }

  /** The first item, left where it is. */
  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    this.#items.push(item)
    this.#up(item, this.#items.length - 1)
  }

  /** The first item, taken out. */
  pop(): T | undefined {
    const first = this.#items[0]
    if (first !== undefined) this.delete(first)
    return first
  }

  /** Moves an item whose order has changed. */
  update(item: T): void {
    this.#up(item, item.position)
    this.#down(item, item.position)
  }

  delete(item: T): void {
    const { position } = item
    const last = this.#items.pop()
    item.position = -1
    if (last === undefined || last === item) return
    this.#up(last, position)
    this.#down(last, last.position)
  }

  clear(): void {
    for (const item of this.#items) item.position = -1
    this.#items.length = 0
  }

  #up(item: T, from: number): void {
    let position = from
    while (position > 0) {
      const parent = (position - 1) >> 1
      const above = this.#items[parent]
      if (above === undefined || !this.#before(item, above)) break
      this.#put(above, position)
      position = parent
    }
    this.#put(item, position)
  }

  #down(item: T, from: number): void {
    let position = from
    for (;;) {
      const left = this.#items[2 * position + 1]
      const right = this.#items[2 * position + 2]
      const useRight = left !== undefined && right !== undefined && this.#before(right, left)
      const child = useRight ? right : left
      if (child === undefined || !this.#before(child, item)) break
      this.#put(child, position)
      position = 2 * position + (useRight ? 2 : 1)
    }
    this.#put(item, position)
  }

  #put(item: T, position: number): void {
    this.#items[position] = item
    item.position = position
  }
}
