/** Every benchmark: which process runs it, how large it is, and what is wanted of it. */
import type { Figures } from './measurement.ts'

/** What is wanted of a figure. */
export interface Target {
  /** `<`, `<=`, `>=` or `=` and a number, in the figure's unit. */
  readonly wanted: `${'<' | '<=' | '>=' | '='} ${number}`
  /** `Always`: holds on any machine at any size, and a miss is a defect. `Full`: only judged at full size. */
  readonly judged: 'Always' | 'Full'
}

/** A benchmark. */
export interface Bench {
  readonly name: string
  /** What it does, for the report. */
  readonly about: string
  /** File that runs it; benchmarks with the same file and size share one process. */
  readonly file: string
  readonly targets: Readonly<Record<string, Target>>
}

/** The size that benchmarks are run at. */
export interface Size {
  readonly full: Figures
  readonly small: Figures
}

const large: Size = {
  full: { hosts: 2_000, machines: 10_000, singles: 100, burstQuietSeconds: 12, steadySeconds: 300, watchSeconds: 15 },
  small: { hosts: 20, machines: 100, singles: 10, burstQuietSeconds: 0, steadySeconds: 3, watchSeconds: 5 },
}

/** Sizes by file. */
export const sizes: Readonly<Record<string, Size>> = {
  'loaded-cloud.ts': large,
  'offered.ts': {
    full: { hosts: 2_000, machines: 10_000, perSecond: 100 },
    small: { hosts: 20, machines: 100, perSecond: 100 },
  },
  'plan.ts': { full: { edits: 10_000 }, small: { edits: 30 } },
  'placement.ts': { full: { hosts: 10_000, decisions: 1_000 }, small: { hosts: 200, decisions: 50 } },
}

const full = (wanted: Target['wanted']): Target => ({ wanted, judged: 'Full' })
const always = (wanted: Target['wanted']): Target => ({ wanted, judged: 'Always' })

/** All benchmarks, in the order in which they run. */
export const benches: readonly Bench[] = [
  {
    name: 'burst',
    about: 'All machines created at once, 64 requests at a time, until the last is Ready',
    file: 'loaded-cloud.ts',
    targets: {
      machinesPerSecond: full('>= 150'),
      writesPerMachine: full('<= 10'),
      peakMemoryMiB: full('< 2048'),
      violations: always('= 0'),
    },
  },
  {
    name: 'single',
    about: 'Machines created one after the other on the loaded cloud, over TLS',
    file: 'loaded-cloud.ts',
    targets: { readyP99Ms: full('< 300') },
  },
  {
    name: 'repair',
    about: 'Guests destroyed behind our back, one after the other, until each runs again',
    file: 'loaded-cloud.ts',
    targets: { violations: always('= 0') },
  },
  {
    name: 'steady',
    about: 'The loaded cloud left alone',
    file: 'loaded-cloud.ts',
    targets: { writes: always('= 0'), mutations: always('= 0'), cpuPercent: full('< 3') },
  },
  {
    name: 'restart',
    about: 'API server and controllers started on the loaded cloud: caches filled, endpoints listed, queue empty',
    file: 'loaded-cloud.ts',
    targets: { steadySeconds: full('< 15'), writes: always('= 0'), mutations: always('= 0') },
  },
  {
    name: 'list',
    about: '`kubectl get vm -A` (API resources cached), the pages it reads without it, and one raw list, over TLS',
    file: 'loaded-cloud.ts',
    targets: { kubectlSeconds: full('< 1.5'), missing: always('= 0') },
  },
  {
    name: 'offered',
    about: 'Machines created at a fixed rate, whatever the answers take, on an empty cloud',
    file: 'offered.ts',
    targets: { readyP99Seconds: full('< 5'), violations: always('= 0') },
  },
  {
    name: 'placement',
    about: 'Places chosen in a nearly full zone, each claimed before the next; then requests that fit nowhere',
    file: 'placement.ts',
    targets: {
      firstFitP99Ms: full('< 5'),
      dispersingP99Ms: full('< 5'),
      overcommitted: always('= 0'),
      refusedThoughRoom: always('= 0'),
    },
  },
  {
    name: 'plan',
    about:
      'Random edits of clouds that drift, planned, then done on the same cloud, and both compared object by object',
    file: 'plan.ts',
    targets: { differences: always('= 0') },
  },
]
