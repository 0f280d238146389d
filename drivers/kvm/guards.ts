import { DriverError } from '../contract/errors.ts'
import type { Mark } from '../contract/facts.ts'

/** What is about to be changed, as it was found. */
interface Claimed {
  readonly identity: string
  readonly mark?: Mark | undefined
  readonly epoch: number
}

/**
 * Refuses a change of what is not the caller's (`FailedPrecondition`: no mark, or another installation's) and one
 * under a claim that is older than the newest seen (`StaleEpoch`).
 */
export function requireClaim(
  found: Claimed,
  what: 'machine' | 'volume',
  caller: { readonly epoch: number; readonly installation: string | undefined },
): void {
  if (found.mark === undefined) {
    throw new DriverError('FailedPrecondition', `Cannot change ${what} ${found.identity}: it bears no mark of ours`)
  }
  if (caller.installation !== undefined && caller.installation !== found.mark.installation) {
    throw new DriverError(
      'FailedPrecondition',
      `Cannot change ${what} ${found.identity}: it belongs to another installation`,
    )
  }
  if (caller.epoch < found.epoch) {
    throw new DriverError(
      'StaleEpoch',
      `Cannot change ${what} ${found.identity}: current epoch is ${found.epoch}, the caller's is ${caller.epoch}`,
    )
  }
}

/** Refuses a number that is no whole one of at least `least`. */
export function requireWhole(value: number, least: number, field: string): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new DriverError('InvalidArgument', `Cannot use ${field} ${value}: it must be a whole number from ${least} on`)
}
