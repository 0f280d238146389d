import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Clock } from '../crds/environment.ts'
import type { Condition } from '../crds/meta.ts'
import type { ReflectorMetrics } from './api/reflector.ts'
import { ConditionCounts } from './condition-counts.ts'
import type { WorkQueueMetrics } from './work-queue.ts'

/** How a pass ended, in controller-runtime's words. */
export type ReconcileResult = 'success' | 'error' | 'requeue' | 'requeue_after'

/** Capacity of one place, in the resource's own unit. Places it does not stand in are ''. */
export interface CapacityRow {
  readonly zone: string
  readonly pod: string
  readonly cluster: string
  readonly resource: string
  readonly total: number
  readonly allocated: number
  readonly used: number
}

/** An object whose readiness is told by a series of its own. */
export interface ReadinessRow {
  readonly kind: string
  readonly namespace?: string | undefined
  readonly name: string
  /** Of a kind that operators own: told always, others only when not Ready for over five minutes. */
  readonly operatorKind: boolean
  /** Since when it is not Ready, in ms since the epoch (its condition's lastTransitionTime); undefined while it is. */
  readonly notReadySince: number | undefined
}

/** An operation that ended. */
export interface EndedOperation {
  /** Name of the driver; '' where its endpoint is not declared any more. */
  readonly driver: string
  readonly verb: string
  readonly outcome: string
  readonly durationMs: number
}

/** A listing that ended. */
export interface EndedListing {
  readonly driver: string
  readonly type: string
  readonly outcome: string
  readonly durationMs: number
}

/** Where values come from that are read when somebody asks for the figures, and never kept. */
export interface MetricSources {
  readonly capacity?: () => Iterable<CapacityRow>
  /** Type of each endpoint and how old its last observation is, in ms. The oldest of a type is told. */
  readonly observationAges?: () => Iterable<readonly [type: string, ageMs: number]>
  readonly readiness?: () => Iterable<ReadinessRow>
  /** How the writing of records fares. */
  readonly records?: () => { readonly pending: number; readonly lagMs: number; readonly failing: boolean }
  /** The zone of a place that conditions were counted for; '' where it is in none. Default: the place itself. */
  readonly zoneOfPlace?: (place: string) => string
}

/** Options of the figures. */
export interface MetricsOptions {
  readonly clock: Clock
  /** How many per-object series there are at most. Default 1,000. */
  readonly objectSeries?: number
}

/** What the control plane tells Prometheus. Durations go in as ms and come out as seconds. */
export interface Metrics {
  /** A pass of a controller began; call what comes back when it ends. */
  reconcileStarted(controller: string): (result: ReconcileResult, durationMs: number) => void
  /** A phase threw. */
  panic(controller: string): void
  /** The figures of a queue. */
  workQueue(name: string): WorkQueueMetrics
  /** The figures of a kind's reflector. */
  reflector(kind: string): ReflectorMetrics
  operationEnded(operation: EndedOperation): void
  listingEnded(listing: EndedListing): void
  /**
   * The conditions of an object changed: appeared (no before), moved, or went with it (no after). `place`: its zone, or
   * whatever `zoneOfPlace` finds its zone by.
   */
  conditionsChanged(
    kind: string,
    place: string,
    before: readonly Condition[] | undefined,
    after: readonly Condition[] | undefined,
  ): void
  /** An event was not written: its object had too many, or too many were waiting. */
  eventDropped(reason: 'ObjectLimit' | 'Pressure' | 'Refused'): void
  /** Records were given to the record store, and kept there. */
  recordsWritten(count: number): void
  /** Spans were dropped: the collector did not take them, or too many waited. */
  spansDropped(count: number): void
  /** Records were lost, as too many waited for the store. */
  recordsDropped(count: number): void
  /** Says where values come from that are read on demand. Called again, it replaces the named ones. */
  sources(sources: MetricSources): void
  /** Everything in Prometheus' text format. */
  text(): Promise<string>
  /** The media type of `text`. */
  readonly contentType: string
}

const passBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60]
const operationBuckets = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600]
/** Not Ready for longer than this, in ms, makes any object worth a series. */
const longNotReady = 300_000

/** Figures in a registry of their own. */
export function createMetrics({ clock, objectSeries = 1_000 }: MetricsOptions): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const conditions = new ConditionCounts()
  const sources: { -readonly [Name in keyof MetricSources]: MetricSources[Name] } = {}

  function counter<const Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
  ): Counter<Label> {
    return new Counter({ name, help, labelNames, registers })
  }
  function gauge<const Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    collect?: () => void,
  ) {
    return new Gauge({ name, help, labelNames, registers, ...(collect !== undefined && { collect }) })
  }
  function histogram<const Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: number[],
  ) {
    return new Histogram({ name, help, labelNames, registers, buckets })
  }

  const reconciles = counter('controller_runtime_reconcile_total', 'Passes by result.', ['controller', 'result'])
  const reconcileErrors = counter('controller_runtime_reconcile_errors_total', 'Passes that failed.', ['controller'])
  const reconcilePanics = counter('controller_runtime_reconcile_panics_total', 'Phases that threw.', ['controller'])
  const reconcileTime = histogram(
    'controller_runtime_reconcile_time_seconds',
    'Length of a pass.',
    ['controller'],
    passBuckets,
  )
  // Kept as plain numbers, and told when somebody asks: they move with every pass.
  const running = new Map<string, number>()
  const activeWorkers = gauge('controller_runtime_active_workers', 'Passes that are running.', ['controller'], () => {
    for (const [controller, passes] of running) activeWorkers.set({ controller }, passes)
  })

  const depths = new Map<string, number>()
  const depth = gauge('workqueue_depth', 'Keys ready to be worked on.', ['name'], () => {
    for (const [name, keys] of depths) depth.set({ name }, keys)
  })
  const adds = counter('workqueue_adds_total', 'Keys added.', ['name'])
  const retries = counter('workqueue_retries_total', 'Keys added again after a failure.', ['name'])
  const queueTime = histogram('workqueue_queue_duration_seconds', 'How long a ready key waited.', ['name'], passBuckets)
  const workTime = histogram(
    'workqueue_work_duration_seconds',
    'How long the work on a key took.',
    ['name'],
    passBuckets,
  )

  const watchLists = counter('skystead_watch_lists_total', 'How often all objects of a kind were listed.', ['kind'])
  const watchHeard = new Map<string, number>()
  const watchAge = gauge(
    'skystead_watch_last_event_age_seconds',
    'How long ago a kind was last heard of.',
    ['kind'],
    () => {
      for (const [kind, heardAt] of watchHeard) watchAge.set({ kind }, (clock.monotonic() - heardAt) / 1000)
    },
  )

  const operations = counter('skystead_operations_total', 'Driver operations that ended.', [
    'driver',
    'verb',
    'outcome',
  ])
  const operationTime = histogram(
    'skystead_operation_duration_seconds',
    'Length of a driver operation.',
    ['driver', 'verb'],
    operationBuckets,
  )
  const listings = counter('skystead_listings_total', 'Listings of endpoints that ended.', [
    'driver',
    'type',
    'outcome',
  ])
  const listingTime = histogram(
    'skystead_listing_duration_seconds',
    'Length of a listing.',
    ['driver', 'type'],
    operationBuckets,
  )
  const eventsDropped = counter('skystead_events_dropped_total', 'Events that were not written.', ['reason'])
  const seriesDropped = counter(
    'skystead_series_dropped_total',
    'Per-object series left out for being too many, summed over all scrapes.',
    [],
  )

  const recordsWritten = counter('skystead_records_written_total', 'Records that were written.', [])
  const recordsDropped = counter('skystead_records_dropped_total', 'Records that were lost.', [])
  const spansDropped = counter('skystead_spans_dropped_total', 'Spans of traces that were not sent.', [])
  const recordsPending = gauge('skystead_records_pending', 'Records that wait for the store.', [], () => {
    recordsPending.set(sources.records?.().pending ?? 0)
  })
  const recordsLag = gauge('skystead_records_lag_seconds', 'For how long the oldest of them waits.', [], () => {
    recordsLag.set((sources.records?.().lagMs ?? 0) / 1000)
  })
  const recordsFailing = gauge('skystead_records_failing', '1 while the record store cannot be written.', [], () => {
    recordsFailing.set(sources.records?.().failing === true ? 1 : 0)
  })

  const capacity = gauge(
    'skystead_capacity',
    'Capacity by place and resource: total, allocated (promised) and used (seen).',
    ['zone', 'pod', 'cluster', 'resource', 'what'],
    () => {
      capacity.reset()
      for (const { zone, pod, cluster, resource, total, allocated, used } of sources.capacity?.() ?? []) {
        const place = { zone, pod, cluster, resource }
        capacity.set({ ...place, what: 'total' }, total)
        capacity.set({ ...place, what: 'allocated' }, allocated)
        capacity.set({ ...place, what: 'used' }, used)
      }
    },
  )

  const observationAge = gauge(
    'skystead_observation_age_seconds',
    'How old the oldest observation among the endpoints of a type is.',
    ['type'],
    () => {
      const oldest = new Map<string, number>()
      for (const [type, age] of sources.observationAges?.() ?? [])
        oldest.set(type, Math.max(oldest.get(type) ?? 0, age))
      observationAge.reset()
      for (const [type, age] of oldest) observationAge.set({ type }, age / 1000)
    },
  )

  const conditionCount = gauge(
    'skystead_conditions',
    'How many objects have a condition with that status and reason.',
    ['kind', 'zone', 'condition', 'status', 'reason'],
    () => {
      conditionCount.reset()
      const zoneOf = sources.zoneOfPlace ?? (place => place)
      for (const { labels, count } of conditions.all()) {
        const { kind, place, condition, status, reason } = labels
        conditionCount.inc({ kind, zone: zoneOf(place), condition, status, reason }, count)
      }
    },
  )

  const notReady = gauge(
    'skystead_object_not_ready_seconds',
    'For how long an object is not Ready: 0 while it is.',
    ['kind', 'namespace', 'name'],
    () => {
      notReady.reset()
      const rows = readinessRows(sources.readiness?.() ?? [], clock.now())
      for (const { kind, namespace = '', name, age } of rows.slice(0, objectSeries)) {
        notReady.set({ kind, namespace, name }, age / 1000)
      }
      seriesDropped.inc(Math.max(0, rows.length - objectSeries))
    },
  )

  return {
    reconcileStarted(controller) {
      const before = running.get(controller)
      if (before === undefined) reconcileErrors.inc({ controller }, 0)
      running.set(controller, (before ?? 0) + 1)
      return (result, durationMs) => {
        running.set(controller, (running.get(controller) ?? 1) - 1)
        reconciles.inc({ controller, result })
        if (result === 'error') reconcileErrors.inc({ controller })
        reconcileTime.observe({ controller }, durationMs / 1000)
      }
    },
    panic: controller => reconcilePanics.inc({ controller }),
    workQueue(name) {
      const labels = { name }
      depths.set(name, 0)
      adds.inc(labels, 0)
      retries.inc(labels, 0)
      queueTime.zero(labels)
      workTime.zero(labels)
      return {
        added: () => adds.inc(labels),
        retried: () => retries.inc(labels),
        depth: keys => void depths.set(name, keys),
        started: waitedMs => queueTime.observe(labels, waitedMs / 1000),
        finished: workedMs => workTime.observe(labels, workedMs / 1000),
      }
    },
    reflector(kind) {
      watchLists.inc({ kind }, 0)
      return {
        listed: () => watchLists.inc({ kind }),
        heard: () => void watchHeard.set(kind, clock.monotonic()),
      }
    },
    operationEnded({ driver, verb, outcome, durationMs }) {
      operations.inc({ driver, verb, outcome })
      operationTime.observe({ driver, verb }, durationMs / 1000)
    },
    listingEnded({ driver, type, outcome, durationMs }) {
      listings.inc({ driver, type, outcome })
      listingTime.observe({ driver, type }, durationMs / 1000)
    },
    conditionsChanged: (kind, place, before, after) => conditions.change(kind, place, before, after),
    eventDropped: reason => eventsDropped.inc({ reason }),
    recordsWritten: count => recordsWritten.inc(count),
    spansDropped: count => spansDropped.inc(count),
    recordsDropped: count => recordsDropped.inc(count),
    sources: named => void Object.assign(sources, named),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

/** The rows worth a series, the longest not Ready first: when there are too many, the Ready ones are left out first. */
function readinessRows(rows: Iterable<ReadinessRow>, now: number): (ReadinessRow & { readonly age: number })[] {
  const worth: (ReadinessRow & { readonly age: number })[] = []
  for (const row of rows) {
    const age = row.notReadySince === undefined ? 0 : Math.max(0, now - row.notReadySince)
    if (row.operatorKind || age > longNotReady) worth.push({ ...row, age })
  }
  return worth.sort((left, right) => right.age - left.age)
}
