/** How the values of options are read from text; each refuses what is none with what it must be. */
import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../crds/invariants/duration.ts'
import { parseQuantity } from '../crds/invariants/quantity.ts'

/** A reader of whole numbers, written in digits, within bounds that count as well. */
export function wholeNumber(least: number, most?: number): (text: string) => number {
  return text => {
    const value = Number(text)
    if (/^\d{1,15}$/.test(text) && value >= least && (most === undefined || value <= most)) return value
    const bounds = most === undefined ? `of at least ${least}` : `from ${least} to ${most}`
    throw new InvalidArgumentError(`It must be a whole number ${bounds}.`)
  }
}

/** Reads the number of a TCP port; 0 stands for any free one. */
export const port = wholeNumber(0, 65_535)

/** Reads a share, 0 to 1. */
export function share(text: string): number {
  const value = Number(text)
  if (text !== '' && value >= 0 && value <= 1) return value
  throw new InvalidArgumentError('It must be a number from 0 to 1.')
}

/** Reads a length of time; answers in ms. */
export function duration(text: string): number {
  try {
    return parseDuration(text)
  } catch {
    throw new InvalidArgumentError('It must be a duration such as 720h or 30m.')
  }
}

/** Reads a quantity of bytes. */
export function bytes(text: string): number {
  try {
    return parseQuantity(text)
  } catch {
    throw new InvalidArgumentError('It must be a quantity of bytes such as 500Mi or 2Gi.')
  }
}
