import test from 'ava'
import { kinds } from '../../crds/kinds.ts'
import type { Resource } from '../../crds/meta.ts'
import { Cloud, quickstart } from './cloud.ts'

/** After so many ms every endpoint has been listed anew: what is used of a pool is known. */
const longerThanListings = 700_000

async function versions(cloud: Cloud): Promise<Readonly<Record<string, string>>> {
  const all: [string, string][] = []
  for (const kind of kinds) {
    for (const { metadata } of (await cloud.list(kind)) as readonly Resource[]) {
      all.push([`${kind.kind}/${metadata.namespace ?? ''}/${metadata.name}`, metadata.resourceVersion])
    }
  }
  return Object.fromEntries(all)
}

test('idling for an hour and applying the same manifests again write nothing and touch nothing outside', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.advance(longerThanListings)
  const before = await versions(cloud)
  const { changingOperations } = cloud.simulator.world.counters()
  await cloud.advance(3_600_000)
  await cloud.apply(quickstart)
  await cloud.advance(60_000)
  t.deepEqual(await versions(cloud), before)
  t.is(cloud.simulator.world.counters().changingOperations, changingOperations)
})

test('a restart of the controllers causes no mutation of its own', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.advance(longerThanListings)
  const before = await versions(cloud)
  const { changingOperations } = cloud.simulator.world.counters()
  await cloud.stopControllers()
  await cloud.startControllers()
  await cloud.advance(900_000)
  t.deepEqual(await versions(cloud), before)
  t.is(cloud.simulator.world.counters().changingOperations, changingOperations)
})

test('wiping every status causes no mutating operation, and every status comes back', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.advance(longerThanListings)
  const { changingOperations } = cloud.simulator.world.counters()
  await cloud.wipeStatuses()
  await cloud.untilReady()
  await cloud.advance(60_000)
  t.is(cloud.simulator.world.counters().changingOperations, changingOperations)
})
