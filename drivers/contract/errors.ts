/**
 * The closed set of codes by which a driver says why it failed, and what each means for the caller:
 * `blocked` waits for a change of the wish, `waiting` for the world, `retry` tries again with back-off.
 */
export const driverErrorCodes = {
  InvalidArgument: 'blocked',
  Unsupported: 'blocked',
  AlreadyExists: 'blocked',
  NotFound: 'waiting',
  FailedPrecondition: 'waiting',
  ResourceExhausted: 'waiting',
  StaleEpoch: 'waiting',
  Aborted: 'retry',
  Unavailable: 'retry',
  Timeout: 'retry',
  Unauthenticated: 'retry',
  Internal: 'retry',
} as const satisfies Record<string, 'blocked' | 'waiting' | 'retry'>

/** A code of the closed set. */
export type DriverErrorCode = keyof typeof driverErrorCodes

/** The only error a driver throws. Its message is for people and holds no secret. */
export class DriverError extends Error {
  readonly code: DriverErrorCode
  /** Whether the operation may have taken effect all the same (a lost reply, a timeout). */
  readonly inDoubt: boolean

  constructor(code: DriverErrorCode, message: string, options: { inDoubt?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'DriverError'
    this.code = code
    this.inDoubt = options.inDoubt ?? code === 'Timeout'
  }
}
