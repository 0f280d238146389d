import type { Clock } from '../../crds/environment.ts'

/** How often something may happen. */
export interface Rate {
  /** How many times at once. */
  readonly burst: number
  /** How many times in each second from then on. */
  readonly perSecond: number
}

/** Counts what happens against a rate. */
export class TokenBucket {
  readonly #clock: Clock
  readonly #rate: Rate
  #tokens: number
  #filledAt: number

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock
    this.#rate = rate
    this.#tokens = rate.burst
    this.#filledAt = clock.monotonic()
  }

  /** True, and counted, where it may happen once more. */
  take(): boolean {
    if (!this.has()) return false
    this.#tokens--
    return true
  }

  /** Whether it may happen once more. */
  has(): boolean {
    const now = this.#clock.monotonic()
    const { burst, perSecond } = this.#rate
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond)
    this.#filledAt = now
    return this.#tokens >= 1
  }

  /** Whether nothing has happened for so long that it is as new. */
  get isFull(): boolean {
    this.has()
    return this.#tokens >= this.#rate.burst
  }
}
