import test from 'ava'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { kindOf } from '../../crds/kinds.ts'
import { Cloud, notReady, quickstart, withoutTrash } from './cloud.ts'

for (const seed of [1, 2, 3]) {
  test(`deleting everything in a random order (${seed}) leaves nothing: no machine, disk, image or Allocation`, async t => {
    await using cloud = await Cloud.start({ seed })
    await cloud.apply(withoutTrash, quickstart)
    await cloud.untilReady()
    const objects = await cloud.everything()
    const shuffled = objects
      .filter(({ kind }) => kind !== 'Settings')
      .map(object => ({ object, rank: cloud.environment.random.next() }))
      .sort((left, right) => left.rank - right.rank)
    for (const { object } of shuffled) {
      const kind = kindOf(object.apiVersion, object.kind)
      if (kind !== undefined) await cloud.delete(kind, object.metadata.name, object.metadata.namespace)
    }
    await cloud.until(
      async () => (await cloud.everything()).length === 1,
      600_000,
      async () => notReady(await cloud.everything()).join('\n'),
    )
    const { machines, volumes, images } = cloud.simulator.world.list()
    t.deepEqual({ machines, volumes, images }, { machines: [], volumes: [], images: [] })
    t.deepEqual(await cloud.list(Allocation), [])
    t.deepEqual(cloud.simulator.world.invariants(), [])
  })
}
