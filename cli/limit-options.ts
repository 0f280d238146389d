import { type Command, InvalidArgumentError, Option } from 'commander'
import type { LimitOptions } from '../apiserver/limits/request-limits.ts'

/** What a person may ask for; the first two are kube-apiserver's. */
export interface GivenLimitOptions {
  readonly maxRequestsInflight: number
  readonly maxMutatingRequestsInflight: number
  readonly maxWatches: number
  readonly maxWatchesPerUser: number
}

/** Adds the options of how much everybody may ask of the API at a time. */
export function addLimitOptions(command: Command): Command {
  return command
    .addOption(count('--max-requests-inflight <number>', 'requests that only read, under way at a time', 400))
    .addOption(count('--max-mutating-requests-inflight <number>', 'requests that write, under way at a time', 200))
    .addOption(count('--max-watches <number>', 'watches of the API in all', 5_000))
    .addOption(count('--max-watches-per-user <number>', 'watches of one user', 1_000))
}

/** The limits that were asked for. */
export function limitOptionsOf(given: GivenLimitOptions): LimitOptions {
  return {
    maxRequestsInFlight: given.maxRequestsInflight,
    maxMutatingRequestsInFlight: given.maxMutatingRequestsInflight,
    maxWatches: given.maxWatches,
    maxWatchesPerUser: given.maxWatchesPerUser,
  }
}

function count(flags: string, description: string, value: number): Option {
  return new Option(flags, description).argParser(positive).default(value)
}

function positive(text: string): number {
  if (/^[1-9][0-9]{0,6}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1 to 9999999.')
}
