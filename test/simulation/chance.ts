/** Chance for generators: all of it from one seed. */
import type { Random } from '../../crds/environment.ts'
import { seededRandom } from '../../drivers/simulator/seeded-random.ts'

/** Draws. */
export class Chance {
  readonly #random: Random

  constructor(seed: number) {
    this.#random = seededRandom(seed)
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.#random.next() * (most - least + 1))
  }

  /** True with that probability. */
  happens(probability: number): boolean {
    return this.#random.next() < probability
  }

  /** One of them; undefined where there is none. */
  maybePick<T>(values: readonly T[]): T | undefined {
    return values[Math.floor(this.#random.next() * values.length)]
  }

  /** One of them. Throws where there is none. */
  pick<T>(values: readonly T[]): T {
    const value = this.maybePick(values)
    if (value === undefined) throw new Error('Cannot pick: there is nothing to pick from')
    return value
  }

  /** One of them, by weight. */
  weighted<T>(choices: readonly (readonly [number, T])[]): T {
    const sum = choices.reduce((total, [weight]) => total + weight, 0)
    let left = this.#random.next() * sum
    for (const [weight, value] of choices) {
      left -= weight
      if (left < 0) return value
    }
    return this.pick(choices)[1]
  }

  /** Some of them, in their order, each with that probability. */
  some<T>(values: readonly T[], probability: number): readonly T[] {
    return values.filter(() => this.happens(probability))
  }

  /** An identity. */
  identity(): string {
    const digits = (count: number) => Array.from({ length: count }, () => this.between(0, 15).toString(16)).join('')
    return `${digits(8)}-${digits(4)}-4${digits(3)}-8${digits(3)}-${digits(12)}`
  }

  /** All of them, in any order. */
  shuffled<T>(values: readonly T[]): readonly T[] {
    const ranked = values.map(value => ({ value, rank: this.#random.next() }))
    return ranked.sort((left, right) => left.rank - right.rank).map(({ value }) => value)
  }
}
