import test from 'ava'
import { createMetrics, type MetricsOptions } from '../../controllers/metrics.ts'
import type { Condition } from '../../crds/meta.ts'
import { virtualEnvironment } from '../../drivers/simulator/virtual-clock.ts'

function measuring(options: Partial<MetricsOptions> = {}) {
  const environment = virtualEnvironment()
  const metrics = createMetrics({ clock: environment.clock, ...options })
  /** The samples of a metric, as `labels value`, in order. */
  const samples = async (name: string) => {
    const lines = (await metrics.text())
      .split('\n')
      .filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    return lines.map(line => line.slice(name.length)).toSorted()
  }
  return { ...environment, metrics, samples }
}

function condition(type: string, status: Condition['status'], reason: string): Condition {
  return { type, status, reason, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }
}

test('passes are counted by controller and result, timed in seconds, and active while they run', async t => {
  const { metrics, samples } = measuring()
  const finish = metrics.reconcileStarted('Host')
  const fail = metrics.reconcileStarted('Host')
  t.deepEqual(await samples('controller_runtime_active_workers'), ['{controller="Host"} 2'])
  finish('success', 20)
  fail('error', 2_000)
  metrics.panic('Host')
  t.deepEqual(await samples('controller_runtime_active_workers'), ['{controller="Host"} 0'])
  t.deepEqual(await samples('controller_runtime_reconcile_total'), [
    '{controller="Host",result="error"} 1',
    '{controller="Host",result="success"} 1',
  ])
  t.deepEqual(await samples('controller_runtime_reconcile_errors_total'), ['{controller="Host"} 1'])
  t.deepEqual(await samples('controller_runtime_reconcile_panics_total'), ['{controller="Host"} 1'])
  t.deepEqual(await samples('controller_runtime_reconcile_time_seconds_sum'), ['{controller="Host"} 2.02'])
})

test('the series of a queue stand at 0 before anything happens, and then count', async t => {
  const { metrics, samples } = measuring()
  const queue = metrics.workQueue('skystead')
  for (const name of [
    'workqueue_depth',
    'workqueue_adds_total',
    'workqueue_retries_total',
    'workqueue_queue_duration_seconds_count',
  ]) {
    t.deepEqual(await samples(name), ['{name="skystead"} 0'])
  }
  queue.added()
  queue.retried()
  queue.depth(3)
  queue.started(1_500)
  queue.finished(250)
  t.deepEqual(await samples('workqueue_depth'), ['{name="skystead"} 3'])
  t.deepEqual(await samples('workqueue_adds_total'), ['{name="skystead"} 1'])
  t.deepEqual(await samples('workqueue_retries_total'), ['{name="skystead"} 1'])
  t.deepEqual(await samples('workqueue_queue_duration_seconds_sum'), ['{name="skystead"} 1.5'])
  t.deepEqual(await samples('workqueue_work_duration_seconds_sum'), ['{name="skystead"} 0.25'])
})

test('operations are counted by driver, verb and outcome', async t => {
  const { metrics, samples } = measuring()
  metrics.operationEnded({ driver: 'Simulator', verb: 'StartMachine', outcome: 'Succeeded', durationMs: 3_000 })
  metrics.operationEnded({ driver: 'Simulator', verb: 'StartMachine', outcome: 'Unavailable', durationMs: 1_000 })
  metrics.listingEnded({ driver: 'Simulator', type: 'Host', outcome: 'Succeeded', durationMs: 10 })
  t.deepEqual(await samples('skystead_operations_total'), [
    '{driver="Simulator",verb="StartMachine",outcome="Succeeded"} 1',
    '{driver="Simulator",verb="StartMachine",outcome="Unavailable"} 1',
  ])
  t.deepEqual(await samples('skystead_operation_duration_seconds_sum'), ['{driver="Simulator",verb="StartMachine"} 4'])
  t.deepEqual(await samples('skystead_listings_total'), ['{driver="Simulator",type="Host",outcome="Succeeded"} 1'])
})

test('conditions are counted as they come, move and go; a count of nothing leaves no series', async t => {
  const { metrics, samples } = measuring()
  const creating = [condition('Ready', 'False', 'Creating')]
  const ready = [condition('Ready', 'True', 'Running'), condition('Stalled', 'False', 'Fine')]
  metrics.conditionsChanged('VirtualMachine', 'zone-1', undefined, creating)
  metrics.conditionsChanged('VirtualMachine', 'zone-1', undefined, creating)
  metrics.conditionsChanged('VirtualMachine', 'zone-1', creating, ready)
  t.deepEqual(await samples('skystead_conditions'), [
    '{kind="VirtualMachine",zone="zone-1",condition="Ready",status="False",reason="Creating"} 1',
    '{kind="VirtualMachine",zone="zone-1",condition="Ready",status="True",reason="Running"} 1',
    '{kind="VirtualMachine",zone="zone-1",condition="Stalled",status="False",reason="Fine"} 1',
  ])
  metrics.conditionsChanged('VirtualMachine', 'zone-1', creating, undefined)
  metrics.conditionsChanged('VirtualMachine', 'zone-1', ready, undefined)
  t.deepEqual(await samples('skystead_conditions'), [])
})

test('capacity is read when asked for, by zone, pod and cluster', async t => {
  const { metrics, samples } = measuring()
  let rows = [{ zone: 'z', pod: 'p', cluster: 'c', resource: 'memory', total: 100, allocated: 60, used: 40 }]
  metrics.sources({ capacity: () => rows })
  const labels = 'zone="z",pod="p",cluster="c",resource="memory"'
  t.deepEqual(await samples('skystead_capacity'), [
    `{${labels},what="allocated"} 60`,
    `{${labels},what="total"} 100`,
    `{${labels},what="used"} 40`,
  ])
  rows = []
  t.deepEqual(await samples('skystead_capacity'), [])
})

test('the age of the oldest observation is told per type of endpoint', async t => {
  const { metrics, samples } = measuring()
  metrics.sources({
    observationAges: () => [
      ['Host', 1_000],
      ['Host', 90_000],
      ['PrimaryStorage', 5_000],
    ],
  })
  t.deepEqual(await samples('skystead_observation_age_seconds'), ['{type="Host"} 90', '{type="PrimaryStorage"} 5'])
})

test('objects have series of their own when operators own them or when they are not Ready for over five minutes', async t => {
  const { metrics, samples, clock } = measuring()
  const ago = (seconds: number) => clock.now() - seconds * 1_000
  metrics.sources({
    readiness: () => [
      { kind: 'Host', name: 'fine', operatorKind: true, notReadySince: undefined },
      { kind: 'Host', name: 'new', operatorKind: true, notReadySince: ago(10) },
      { kind: 'VirtualMachine', namespace: 'shop', name: 'starting', operatorKind: false, notReadySince: ago(299) },
      { kind: 'VirtualMachine', namespace: 'shop', name: 'stuck', operatorKind: false, notReadySince: ago(301) },
      { kind: 'VirtualMachine', namespace: 'shop', name: 'up', operatorKind: false, notReadySince: undefined },
    ],
  })
  t.deepEqual(await samples('skystead_object_not_ready_seconds'), [
    '{kind="Host",namespace="",name="fine"} 0',
    '{kind="Host",namespace="",name="new"} 10',
    '{kind="VirtualMachine",namespace="shop",name="stuck"} 301',
  ])
})

test('of too many per-object series the longest not Ready stay and the rest is counted', async t => {
  const { metrics, samples, clock } = measuring({ objectSeries: 2 })
  metrics.sources({
    readiness: () =>
      [0, 50, 400, 20].map(seconds => ({
        kind: 'Host',
        name: `host-${seconds}`,
        operatorKind: true,
        notReadySince: seconds === 0 ? undefined : clock.now() - seconds * 1_000,
      })),
  })
  t.deepEqual(await samples('skystead_object_not_ready_seconds'), [
    '{kind="Host",namespace="",name="host-400"} 400',
    '{kind="Host",namespace="",name="host-50"} 50',
  ])
  t.deepEqual(await samples('skystead_series_dropped_total'), [' 4'])
})

test('how long ago a kind was heard of is told, and how often it was listed', async t => {
  const { metrics, samples, advance } = measuring()
  const reflector = metrics.reflector('Host')
  reflector.listed(10)
  reflector.heard()
  await advance(30_000)
  t.deepEqual(await samples('skystead_watch_last_event_age_seconds'), ['{kind="Host"} 30'])
  t.deepEqual(await samples('skystead_watch_lists_total'), ['{kind="Host"} 1'])
})

test('two sets of figures in one process do not meet', async t => {
  const one = measuring()
  const two = measuring()
  one.metrics.panic('Host')
  t.deepEqual(await two.samples('controller_runtime_reconcile_panics_total'), [])
})
