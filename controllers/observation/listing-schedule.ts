import type { Random } from '../../crds/environment.ts'

/** How often the observer looks, in milliseconds. */
export interface ObserverIntervals {
  /** Between full listings of an endpoint that tells of changes by itself. Default 300,000: they only catch what events missed. */
  readonly withEvents: number
  /** Between full listings of an endpoint that does not. Default 30,000. */
  readonly withoutEvents: number
  /** Between full listings of an endpoint where jobs are running, whose progress nobody tells. Default 10,000. */
  readonly withJobs: number
  /** Between readings of the power of a host that answers. Default 300,000. */
  readonly power: number
  /** Between readings of the power of a silent host. Default 10,000. */
  readonly powerWhileSilent: number
  /** Between the first reading of Off of a silent host and the one that confirms it. Default 1,000. */
  readonly powerConfirmation: number
  /** First pause before an endpoint that does not answer is tried again; doubles with each failure. Default 1,000. */
  readonly firstProbe: number
  /** Longest such pause. Default 15,000. */
  readonly lastProbe: number
  /** How long a listing may take. Default 10,000: longer means that nobody answers. */
  readonly listingDeadline: number
}

/** The default of every interval. */
export const defaultIntervals: ObserverIntervals = {
  withEvents: 300_000,
  withoutEvents: 30_000,
  withJobs: 10_000,
  power: 300_000,
  powerWhileSilent: 10_000,
  powerConfirmation: 1_000,
  firstProbe: 1_000,
  lastProbe: 15_000,
  listingDeadline: 10_000,
}

/** What the next listing of an endpoint depends on. */
export interface ListingSituation {
  /** Listings that failed in a row. */
  readonly failures: number
  /** Whether it answered before these failures. */
  readonly answered: boolean
  readonly tellsEvents: boolean
  readonly hasJobs: boolean
  /** For a power controller: how its host is, and what was read last. */
  readonly power: PowerSituation | undefined
}

/** What the next reading of a power controller depends on. */
export interface PowerSituation {
  readonly hostIsSilent: boolean
  /** Whether the last reading was Off, proves nothing yet, and was not itself the second of a quick pair. */
  readonly wantsConfirmation: boolean
}

/** Milliseconds until the next listing. */
export function nextListing(situation: ListingSituation, intervals: ObserverIntervals, random: Random): number {
  const { failures, answered, power } = situation
  if (failures === 1 && answered) return 0
  if (failures > 0) {
    const doublings = Math.min(failures - (answered ? 2 : 1), 16)
    return jittered(Math.min(intervals.firstProbe * 2 ** doublings, intervals.lastProbe), random)
  }
  if (power?.hostIsSilent) {
    return power.wantsConfirmation ? intervals.powerConfirmation : intervals.powerWhileSilent
  }
  if (power !== undefined) return jittered(intervals.power, random)
  const usual = situation.tellsEvents ? intervals.withEvents : intervals.withoutEvents
  return jittered(situation.hasJobs ? Math.min(usual, intervals.withJobs) : usual, random)
}

/** A tenth more or less, so that endpoints declared together are not listed together for ever. */
function jittered(milliseconds: number, random: Random): number {
  return Math.round(milliseconds * (0.9 + 0.2 * random.next()))
}
