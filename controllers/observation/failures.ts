import type { Environment, Timer } from '../../crds/environment.ts'
import { type DriverError, type DriverErrorCode, driverErrorCodes } from '../../drivers/contract/errors.ts'
import type { Operation } from '../../drivers/contract/operation.ts'
import type { OperationState } from '../../reconcilers/world.ts'
import { pauseAfter } from './retry-times.ts'

/** Why an operation failed. */
export interface OperationFailure {
  readonly code: DriverErrorCode
  readonly message: string
  /** Whether it holds the operation back still; else that may be tried again. */
  readonly isHeld: boolean
}

/** A failure as people are told of it. */
export interface ToldFailure extends Pick<Operation, 'verb' | 'endpoint'> {
  readonly code: DriverErrorCode
  readonly message: string
  readonly inARow: number
  readonly retryInMs: number
}

interface Failure {
  readonly id: string
  readonly operation: Operation
  readonly code: DriverErrorCode
  readonly message: string
  /** When it may be tried again, on the monotonic clock in ms: as people are told. */
  readonly retryAt: number
  /** Until the timer says otherwise: the clock may be a moment behind it. */
  isHeld: boolean
  readonly state: OperationState
  readonly inARow: number
  timer: Timer
}

/** How long a failure is remembered after its operation might have been tried again and nobody did, in ms. */
const memory = 600_000

/** Operations that failed lately: one by identity, verb and endpoint, until it succeeds, is changed or nobody wants it any more. */
export class Failures {
  readonly #environment: Environment
  readonly #changed: (identity: string) => void
  readonly #byIdentity = new Map<string, Failure[]>()

  /** `changed` is called when a failure of the identity comes, goes, or no longer holds anything back. */
  constructor(environment: Environment, changed: (identity: string) => void) {
    this.#environment = environment
    this.#changed = changed
  }

  /** The states of the identity's failures, oldest first. */
  statesOf(identity: string): readonly OperationState[] {
    return (this.#byIdentity.get(identity) ?? []).map(({ state }) => state)
  }

  /** The identity's failures for people, oldest first: how often each failed in a row, and in how many ms it may be tried again. */
  told(identity: string): readonly ToldFailure[] {
    const now = this.#environment.clock.monotonic()
    return (this.#byIdentity.get(identity) ?? []).map(
      ({ operation: { verb, endpoint }, code, message, retryAt, inARow }) => {
        return { verb, endpoint, code, message, inARow, retryInMs: Math.max(0, retryAt - now) }
      },
    )
  }

  /** The failure of exactly this operation; undefined when there is none, or its arguments were others. */
  of(id: string, operation: Operation): OperationFailure | undefined {
    const failure = this.#find(operation)
    if (failure?.id !== id || !sameSecret(failure.operation, operation)) return undefined
    const { code, message, isHeld } = failure
    return { code, message, isHeld }
  }

  /** Whether the operation must wait. */
  holds(id: string, operation: Operation): boolean {
    return this.of(id, operation)?.isHeld === true
  }

  /** The operation failed. */
  add(id: string, operation: Operation, { code, message }: DriverError): void {
    const { clock, random } = this.#environment
    const { identity, verb, endpoint } = operation
    const before = this.#find(operation)
    const inARow = before?.id === id ? before.inARow + 1 : 1
    const pause = pauseAfter(code, inARow, random)
    this.#drop(before)
    const failure: Failure = {
      id,
      operation,
      inARow,
      code,
      message,
      retryAt: clock.monotonic() + pause,
      isHeld: true,
      state: Object.freeze({ verb, endpoint, state: 'Failed', code, message }),
      timer: clock.after(pause, () => this.#mayRetry(failure)),
    }
    this.#byIdentity.set(identity, [...(this.#byIdentity.get(identity) ?? []), failure])
  }

  /** The operation is under way again with other arguments, or succeeded: its failure says nothing any more. */
  supersede(operation: Operation): void {
    this.#drop(this.#find(operation))
  }

  /** Something was done to the identity: what waited for the world may be tried at once. */
  stopWaiting(identity: string): void {
    const waiting = (this.#byIdentity.get(identity) ?? []).filter(({ code }) => driverErrorCodes[code] === 'waiting')
    for (const failure of waiting) this.#drop(failure)
  }

  /** Forgets everything. */
  clear(): void {
    for (const failures of this.#byIdentity.values()) for (const { timer } of failures) timer.cancel()
    this.#byIdentity.clear()
  }

  #find({ identity, verb, endpoint }: Operation): Failure | undefined {
    return this.#byIdentity
      .get(identity)
      ?.find(({ operation }) => operation.verb === verb && operation.endpoint === endpoint)
  }

  #mayRetry(failure: Failure): void {
    failure.isHeld = false
    failure.timer = this.#environment.clock.after(memory, () => {
      this.#drop(failure)
      this.#changed(failure.operation.identity)
    })
    this.#changed(failure.operation.identity)
  }

  #drop(failure: Failure | undefined): void {
    if (failure === undefined) return
    failure.timer.cancel()
    const { identity } = failure.operation
    const left = (this.#byIdentity.get(identity) ?? []).filter(each => each !== failure)
    if (left.length === 0) this.#byIdentity.delete(identity)
    else this.#byIdentity.set(identity, left)
  }
}

/** The id of an operation leaves secrets out: with another secret it is another operation all the same. */
function sameSecret(one: Operation, other: Operation): boolean {
  return secretOf(one) === secretOf(other)
}

function secretOf({ arguments: given }: Operation): string | undefined {
  return 'userData' in given ? given.userData : undefined
}
