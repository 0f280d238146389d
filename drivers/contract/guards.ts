import { DriverError } from './errors.ts'
import type { Mark } from './facts.ts'

/** What every driver refuses before it changes anything, in the same words. */

/** What bears a mark and an epoch: a machine, a volume or an image. */
export interface Marked {
  readonly identity: string
  readonly mark?: Mark | undefined
  readonly epoch?: number | undefined
}

/** Refuses what is not the caller's to change (`FailedPrecondition`): no mark, or another installation's. */
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

/** Refuses a caller whose claim is older than the one the thing was last changed under (`StaleEpoch`). */
export function requireEpoch(thing: Marked, what: string, epoch: number): void {
  if (thing.epoch !== undefined && epoch < thing.epoch) {
    throw new DriverError(
      'StaleEpoch',
      `Cannot change ${what} ${thing.identity}: current epoch is ${thing.epoch}, the caller's is ${epoch}`,
    )
  }
}

/** Refuses both: what is not the caller's, and a claim that is too old. */
export function requireClaim(
  thing: Marked,
  what: 'machine' | 'volume',
  { epoch, installation }: { readonly epoch: number; readonly installation: string | undefined },
): void {
  requireOurs(thing, what, installation)
  requireEpoch(thing, what, epoch)
}

/** Refuses a number that is no whole one of at least `least` (`InvalidArgument`). */
export function requireWhole(value: number, least: number, field: string): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new DriverError(
    'InvalidArgument',
    `Cannot use ${field} ${value}: it must be a whole number of at least ${least}`,
  )
}
