import type { Command } from 'commander'
import type { LimitOptions } from '../apiserver/limits/request-limits.ts'
import { wholeNumber } from './option-values.ts'

const count = wholeNumber(1, 9_999_999)

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
    .option('--max-requests-inflight <number>', 'requests that only read, under way at a time', count, 400)
    .option('--max-mutating-requests-inflight <number>', 'requests that write, under way at a time', count, 200)
    .option('--max-watches <number>', 'watches of the API in all', count, 5_000)
    .option('--max-watches-per-user <number>', 'watches of one user', count, 1_000)
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
