import type { Random } from '../../crds/environment.ts'
import { type DriverErrorCode, driverErrorCodes } from '../../drivers/contract/errors.ts'

const second = 1_000
const minute = 60 * second

/** Pauses by what an error's code means for the caller, in ms: the first, and the longest after doubling. */
const pauses = {
  retry: { first: second, longest: 5 * minute },
  waiting: { first: 15 * second, longest: 5 * minute },
  blocked: { first: 10 * minute, longest: 10 * minute },
} as const

/** How long an operation that failed so many times in a row is held back, in ms. Half of it is chance, so that many do not come back at once. */
export function pauseAfter(code: DriverErrorCode, failures: number, random: Random): number {
  const { first, longest } = pauses[driverErrorCodes[code]]
  const pause = Math.min(first * 2 ** Math.min(failures - 1, 20), longest)
  if (driverErrorCodes[code] === 'blocked') return pause
  return Math.round(pause / 2 + (pause / 2) * random.next())
}
