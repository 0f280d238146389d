import test from 'ava'
import type { ImageFacts } from '../../../drivers/contract/facts.ts'
import type { Effect } from '../../../reconcilers/effect.ts'
import { publicTemplateReconciler } from '../../../reconcilers/offerings/public-template.ts'
import { imageIdentity } from '../../../reconcilers/offerings/template-copies.ts'
import { cluster, host, pod, store, zone } from '../infrastructure-builders.ts'
import { judge, judgeTeardown, reported } from '../judge.ts'
import { answering, type Sighting, silent } from '../observed-tables.ts'
import { keyOf } from '../resource-builder.ts'
import { template } from '../tenant-builders.ts'
import { worldOf } from '../world-builder.ts'

const key = keyOf('SecondaryStorage', 'secondary-1')
const otherKey = keyOf('SecondaryStorage', 'secondary-2')
const url = 'sim://images/tiny-linux'
const identity = imageIdentity('tiny-linux', 'sim://secondary-1', url)

function cloud() {
  const objects = [zone(), pod(), cluster(), host(), store(), template()]
  return worldOf({ objects, endpoints: { [key]: answering, [otherKey]: answering } })
}

function image(endpoint = key, changes: Partial<ImageFacts> = {}): Sighting<ImageFacts> {
  const mark = { installation: 'installation-1', kind: 'PublicTemplate', name: 'tiny-linux' }
  const ofStore = imageIdentity('tiny-linux', endpoint === key ? 'sim://secondary-1' : 'sim://secondary-2', url)
  return { endpoint, facts: { identity: ofStore, mark, url, sizeBytes: 2 ** 30, ...changes } }
}

const downloaded = (world: ReturnType<typeof cloud>, self = template()) =>
  judge(publicTemplateReconciler, 'Downloaded', self, world)

const operations = (verdict: ReturnType<typeof downloaded>) =>
  verdict.is === 'acting'
    ? verdict.effects.flatMap((effect: Effect) => (effect.effect === 'Operate' ? effect.operation : []))
    : []

test('TPL-020 the image is stored in every store of every zone that runs its hypervisor, under its mark', t => {
  const world = cloud()
  world.put(
    zone({ name: 'zone-b' }),
    pod({ name: 'pod-b', zoneName: 'zone-b' }),
    cluster({ name: 'cluster-b', podName: 'pod-b' }),
    store({ name: 'secondary-2', zoneName: 'zone-b', url: 'sim://secondary-2' }),
    zone({ name: 'zone-c' }),
    store({ name: 'secondary-3', zoneName: 'zone-c', url: 'sim://secondary-3' }),
  )
  const verdict = downloaded(world)
  t.is(verdict.reason, 'Downloading')
  t.deepEqual(operations(verdict)[0], {
    verb: 'StoreImage',
    endpoint: key,
    identity,
    deadline: 3_600_000,
    arguments: {
      identity,
      mark: { installation: 'installation-1', kind: 'PublicTemplate', name: 'tiny-linux' },
      url,
      format: 'QCOW2',
    },
  })
  t.deepEqual(
    operations(verdict).map(({ endpoint }) => endpoint),
    [key, otherKey],
  )
})

test('TPL-015 the template is Downloaded when every copy is complete, and its status says how far each zone is', t => {
  const world = cloud()
  t.deepEqual(reported(publicTemplateReconciler, template(), world) as unknown, {
    zones: [{ zoneName: 'zone-a', progressPercent: 0 }],
  })
  world.see({ jobs: [{ endpoint: key, facts: { operationId: 'o', targets: [identity], progressPercent: 43 } }] })
  t.deepEqual(reported(publicTemplateReconciler, template(), world) as unknown, {
    zones: [{ zoneName: 'zone-a', progressPercent: 40 }],
  })
  world.see({ images: [image()], jobs: [] })
  t.like(downloaded(world), { is: 'satisfied', reason: 'Downloaded' })
  t.deepEqual(reported(publicTemplateReconciler, template(), world) as unknown, {
    zones: [{ zoneName: 'zone-a', progressPercent: 100, size: '1Gi' }],
  })
})

test('TPL-018 a checksum goes with the download', t => {
  const checksum = `sha256:${'0'.repeat(64)}`
  const self = template({ images: [{ hypervisor: 'Simulator', format: 'QCOW2', url, checksum }] })
  t.like(operations(downloaded(cloud(), self))[0]?.arguments, { checksum })
})

test('without an image store disks are made from the source', t => {
  const world = cloud()
  world.drop(store())
  t.like(downloaded(world), { is: 'satisfied', reason: 'ServedFromSource' })
})

test('an image for a hypervisor that no zone runs is not fetched', t => {
  const images = [{ hypervisor: 'KVM', format: 'QCOW2', url: 'https://example.org/tiny.qcow2' }] as const
  t.like(downloaded(cloud(), template({ images })), { is: 'satisfied', reason: 'ServedFromSource' })
})

test('a store that does not answer is waited for, and does not hold the others back', t => {
  const world = cloud()
  world.see({ endpoints: { [key]: silent('2026-11-02T11:00:00Z') } })
  t.like(downloaded(world), { is: 'waiting', message: 'Waiting for image stores: secondary-1' })
  world.put(store({ name: 'secondary-2', url: 'sim://secondary-2' }))
  t.deepEqual(
    operations(downloaded(world)).map(({ endpoint }) => endpoint),
    [otherKey],
  )
})

test('a store that is being deleted loses its copy', t => {
  const world = cloud()
  world.put(store({ metadata: { deletionTimestamp: '2026-11-02T11:59:00Z' } }))
  t.like(downloaded(world), { is: 'satisfied', reason: 'ServedFromSource' })
  world.see({ images: [image()] })
  const verdict = downloaded(world)
  t.is(verdict.reason, 'Removing')
  t.deepEqual(operations(verdict), [{ verb: 'DeleteImage', endpoint: key, identity, arguments: { identity } }])
})

test('while a zone or what runs in it is not described, its stores keep what they have; a template that goes takes it along', t => {
  for (const objects of [[store()], [zone(), pod(), store()]]) {
    const world = worldOf({ objects: [...objects, template()], endpoints: { [key]: answering } })
    world.see({ images: [image()] })
    t.like(downloaded(world), { is: 'satisfied' })
    const verdict = judgeTeardown(publicTemplateReconciler, 'Downloaded', template(), world)
    t.deepEqual(operations(verdict), [{ verb: 'DeleteImage', endpoint: key, identity, arguments: { identity } }])
  }
})

test('an image that the template names no more is removed', t => {
  const world = cloud()
  world.see({ images: [image()] })
  const images = [{ hypervisor: 'KVM', format: 'QCOW2', url: 'https://example.org/tiny.qcow2' }] as const
  t.deepEqual(
    operations(downloaded(world, template({ images }))).map(({ verb }) => verb),
    ['DeleteImage'],
  )
})

test('images that another identity has left under the name are neither used nor removed', t => {
  const world = cloud()
  world.see({ images: [image(key, { identity: 'e1' })] })
  t.like(downloaded(world), { is: 'blocked', reason: 'IdentityConflict' })
  t.like(judgeTeardown(publicTemplateReconciler, 'Downloaded', template(), world), { is: 'satisfied' })
})

test('images of another installation are not seen as ours', t => {
  const world = cloud()
  world.see({
    images: [
      image(key, { identity: 'e1', mark: { installation: 'other', kind: 'PublicTemplate', name: 'tiny-linux' } }),
    ],
  })
  t.like(downloaded(world), { is: 'acting' })
})

test('TPL-034 deletion removes every copy, then the template is gone', t => {
  const world = cloud()
  world.put(store({ name: 'secondary-2', url: 'sim://secondary-2' }))
  world.see({ images: [image(), image(otherKey)] })
  const removed = () => judgeTeardown(publicTemplateReconciler, 'Downloaded', template(), world)
  t.deepEqual(
    operations(removed()).map(({ endpoint, verb }) => [verb, endpoint]),
    [
      ['DeleteImage', key],
      ['DeleteImage', otherKey],
    ],
  )
  world.see({ images: [image()], endpoints: { [key]: silent('2026-11-02T11:00:00Z') } })
  t.like(removed(), { is: 'waiting', reason: 'StorageNotConnected' })
  world.see({ images: [] })
  t.like(removed(), { is: 'satisfied', reason: 'Removed' })
})

test('deletion waits for a download that has not ended, or was not answered', t => {
  const world = cloud()
  const removed = () => judgeTeardown(publicTemplateReconciler, 'Downloaded', template(), world)
  world.see({ operations: { [identity]: [{ verb: 'StoreImage', endpoint: key, state: 'Running' }] } })
  t.like(removed(), { is: 'waiting', reason: 'Downloading' })
  world.see({ operations: { [identity]: [] }, inDoubt: { [identity]: [key] } })
  t.like(removed(), { is: 'waiting', reason: 'InDoubt' })
  world.see({ inDoubt: { [identity]: [] } })
  t.like(removed(), { is: 'satisfied' })
})
