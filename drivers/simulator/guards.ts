import { DriverError } from '../contract/errors.ts'
import type { Mark } from '../contract/facts.ts'

/** Who asks, as far as the driver is told. */
export interface Caller {
  readonly installation: string | undefined
  /** The id of the operation, for jobs that outlive the call. */
  readonly operationId?: string | undefined
  /** The key of the endpoint that was called. */
  readonly endpoint?: string
}

/** What bears a mark and an epoch: a machine or a volume. */
interface Marked {
  readonly identity: string
  readonly mark?: Mark
  readonly epoch?: number
}

/** Refuses what is not the caller's to change: things without a mark, or with another installation's. */
export function requireOurs(thing: Marked, what: string, installation: string | undefined): void {
  if (thing.mark === undefined) {
    throw new DriverError('FailedPrecondition', `Cannot change ${what} ${thing.identity}: it bears no mark of ours`)
  }
  if (installation !== undefined && thing.mark.installation !== installation) {
    throw new DriverError(
      'FailedPrecondition',
      `Cannot change ${what} ${thing.identity}: it belongs to another installation`,
    )
  }
}

/** Refuses a caller whose claim is older than the one the thing was last changed under. */
export function requireEpoch(thing: Marked, what: string, epoch: number): void {
  if (thing.epoch !== undefined && epoch < thing.epoch) {
    throw new DriverError(
      'StaleEpoch',
      `Cannot change ${what} ${thing.identity}: current epoch is ${thing.epoch}, the caller's is ${epoch}`,
    )
  }
}

/** Whether two marks are for the same kind of resource: the name may change with its owner, the kind may not. */
export function sameMark(left: Mark | undefined, right: Mark): boolean {
  return (
    left !== undefined &&
    left.installation === right.installation &&
    left.kind === right.kind &&
    left.namespace === right.namespace &&
    left.name === right.name
  )
}

/** Refuses a number that is no whole one of at least `least`. */
export function requireWhole(value: number, least: number, what: string): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new DriverError(
    'InvalidArgument',
    `Cannot use ${what} ${value}: it must be a whole number of at least ${least}`,
  )
}
