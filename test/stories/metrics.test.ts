import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { conditionOf } from '../../crds/meta.ts'
import { Cloud, quickstart } from './cloud.ts'

/** After so many ms every endpoint has been listed anew. */
const longerThanListings = 700_000
/** Longer than an object may be not Ready before it gets a series of its own. */
const longNotReady = 301_000

const stray = `
apiVersion: compute.skystead.dev/v1alpha1
kind: VirtualMachine
metadata: {name: stray, namespace: shop}
spec: {zoneName: zone-a, serviceOfferingName: there-is-none, templateRef: {kind: PublicTemplate, name: there-is-none}}
`

/** A sample: its labels as Prometheus writes them, and its value. */
type Samples = Readonly<Record<string, number>>

async function samplesOf(cloud: Cloud, name: string): Promise<Samples> {
  const lines = (await cloud.metrics.text()).split('\n').filter(line => line.startsWith(`${name}{`))
  const pairs = lines.map((line): [string, number] => {
    const end = line.lastIndexOf(' ')
    return [line.slice(name.length, end), Number(line.slice(end))]
  })
  return Object.fromEntries(pairs.toSorted(([left], [right]) => (left < right ? -1 : 1)))
}

/** What `skystead_conditions` must say, counted from the objects that the API has. */
async function countedFromAPI(cloud: Cloud, kinds: readonly (typeof Host | typeof VirtualMachine)[]): Promise<Samples> {
  const counts: Record<string, number> = {}
  for (const kind of kinds) {
    for (const object of await cloud.list(kind)) {
      for (const { type, status, reason } of object.status?.conditions ?? []) {
        const key = `{kind="${kind.kind}",zone="zone-a",condition="${type}",status="${status}",reason="${reason}"}`
        counts[key] = (counts[key] ?? 0) + 1
      }
    }
  }
  return Object.fromEntries(Object.entries(counts).toSorted(([left], [right]) => (left < right ? -1 : 1)))
}

function ofKinds(samples: Samples, kinds: readonly string[]): Samples {
  return Object.fromEntries(Object.entries(samples).filter(([key]) => kinds.some(kind => key.includes(`"${kind}"`))))
}

test('conditions are counted as the API has them, by the zone that hosts are in too; a restart counts the same', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.advance(longerThanListings)
  const before = await samplesOf(cloud, 'skystead_conditions')
  t.deepEqual(ofKinds(before, ['Host', 'VirtualMachine']), await countedFromAPI(cloud, [Host, VirtualMachine]))
  const hosts = (await cloud.list(Host)).length
  const ready = Object.entries(before).filter(([key]) => /kind="Host".*condition="Ready",status="True"/.test(key))
  t.deepEqual(
    ready.map(([, count]) => count),
    [hosts],
  )
  const capacity = await samplesOf(cloud, 'skystead_capacity')
  await cloud.stopControllers()
  await cloud.startControllers()
  t.deepEqual(await samplesOf(cloud, 'skystead_conditions'), before)
  t.deepEqual(await samplesOf(cloud, 'skystead_capacity'), capacity)
})

test('what is deleted is counted no more', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined)
  await cloud.advance(1_000)
  const samples = await samplesOf(cloud, 'skystead_conditions')
  t.deepEqual(ofKinds(samples, ['VirtualMachine']), await countedFromAPI(cloud, [VirtualMachine]))
})

test('capacity is told for the zone, its pods and its clusters, in MHz and bytes', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.advance(longerThanListings)
  const samples = await samplesOf(cloud, 'skystead_capacity')
  const hosts = await cloud.list(Host)
  const memory = samples['{zone="zone-a",pod="",cluster="",resource="Memory",what="total"}'] ?? 0
  t.is(memory, hosts.length * 64 * 2 ** 30)
  const places = new Set(Object.keys(samples).map(key => /(zone=.*),resource/.exec(key)?.[1]))
  t.deepEqual(
    [...places],
    [
      'zone="zone-a",pod="",cluster=""',
      'zone="zone-a",pod="pod-1",cluster=""',
      'zone="zone-a",pod="pod-1",cluster="cluster-1"',
    ],
  )
})

test("operators' objects have a series each; tenants' only when they are not Ready for over five minutes", async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const calm = await samplesOf(cloud, 'skystead_object_not_ready_seconds')
  t.deepEqual(
    Object.keys(calm).filter(key => !key.includes('namespace=""')),
    [],
  )
  t.is(calm['{kind="Host",namespace="",name="host-1"}'], 0)
  t.false(Object.keys(calm).some(key => key.includes('Allocation')))
  await cloud.apply(stray)
  await cloud.advance(10_000)
  const series = '{kind="VirtualMachine",namespace="shop",name="stray"}'
  t.is((await samplesOf(cloud, 'skystead_object_not_ready_seconds'))[series], undefined)
  await cloud.advance(longNotReady)
  const object = await cloud.get(VirtualMachine, 'stray', 'shop')
  const since = Date.parse(conditionOf(object ?? {}, 'Ready')?.lastTransitionTime ?? '')
  const age = (cloud.environment.clock.now() - since) / 1000
  t.is((await samplesOf(cloud, 'skystead_object_not_ready_seconds'))[series], age)
})

test('operations carry their driver, watches and endpoints their age', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const operations = await samplesOf(cloud, 'skystead_operations_total')
  t.true((operations['{driver="Simulator",verb="DefineMachine",outcome="Succeeded"}'] ?? 0) >= 3)
  t.deepEqual(
    Object.keys(operations).filter(key => !key.includes('driver="Simulator"')),
    [],
  )
  const lists = await samplesOf(cloud, 'skystead_watch_lists_total')
  t.is(lists['{kind="VirtualMachine"}'], 1)
  const ages = Object.keys(await samplesOf(cloud, 'skystead_observation_age_seconds'))
  t.true(ages.includes('{type="Host"}') && ages.includes('{type="PrimaryStorage"}'))
})
