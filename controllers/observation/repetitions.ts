import type { Environment, Timer } from '../../crds/environment.ts'
import type { Operation } from '../../drivers/contract/operation.ts'
import type { ObservedCache } from './observed-cache.ts'

/** How long an operation that changed nothing is not repeated, in ms. */
const pause = 30_000

/** What is seen of an identity, at one moment: the same references while nothing of it changes. */
export type Sight = readonly unknown[]

interface Futile {
  readonly sight: Sight
  readonly timer: Timer
  /** Whether somebody wished for it again meanwhile. */
  wished: boolean
}

/**
 * Operations that succeeded though nothing of their identity is seen to be different. Whoever wished for them wishes the
 * same again at once: a driver that errs must not be called in a circle.
 */
export class Repetitions {
  readonly #environment: Environment
  readonly #cache: ObservedCache
  readonly #over: (identity: string) => void
  readonly #futile = new Map<string, Futile>()

  /** `over` is called when something that was held back may be tried again. */
  constructor(environment: Environment, cache: ObservedCache, over: (identity: string) => void) {
    this.#environment = environment
    this.#cache = cache
    this.#over = over
  }

  /** What is seen now of what the operation changes. */
  sight({ identity, endpoint }: Operation): Sight {
    const cache = this.#cache
    const facts = [cache.machines(identity), cache.volumes(identity), cache.images(identity), cache.jobs(identity)]
    return [...facts, cache.power(endpoint)]
  }

  /** The operation succeeded; that was seen when it began. True: nothing is different. */
  succeeded(id: string, operation: Operation, before: Sight): boolean {
    this.#drop(id)
    if (!isSame(before, this.sight(operation))) return false
    const timer = this.#environment.clock.after(pause, () => {
      const wished = this.#futile.get(id)?.wished === true
      this.#futile.delete(id)
      if (wished) this.#over(operation.identity)
    })
    this.#futile.set(id, { sight: before, timer, wished: false })
    return true
  }

  /** Whether the operation must wait: it succeeded a moment ago, and nothing has changed since before it. */
  holds(id: string, operation: Operation): boolean {
    const futile = this.#futile.get(id)
    if (futile === undefined) return false
    if (isSame(futile.sight, this.sight(operation))) {
      futile.wished = true
      return true
    }
    this.#drop(id)
    return false
  }

  /** Forgets everything. */
  clear(): void {
    for (const id of [...this.#futile.keys()]) this.#drop(id)
  }

  #drop(id: string): void {
    this.#futile.get(id)?.timer.cancel()
    this.#futile.delete(id)
  }
}

function isSame(left: Sight, right: Sight): boolean {
  return left.every((value, index) => value === right[index])
}
