import test from 'ava'
import type { AllocationSpec } from '../../../crds/infrastructure/allocation.ts'
import type { Resource } from '../../../crds/meta.ts'
import { attachmentClaim, identityAnnotation } from '../../../reconcilers/claims.ts'
import { allocation, holder } from '../claim-builders.ts'
import { volumeFacts } from '../fact-builders.ts'
import { uidOf } from '../resource-builder.ts'
import { machine, volume } from '../tenant-builders.ts'
import { passOf, type TestWorld } from '../world-builder.ts'
import {
  address,
  attachment,
  judgeMachine,
  machineWorld,
  place,
  placedVolume,
  pool1,
  root,
  show,
  whole,
  withData,
} from './machine-world.ts'

const old = uidOf('Volume', 'old', 'shop')
/** The data disk's volume, as one that says which identity it is to have. */
const awaiting = volume({ metadata: { annotations: { [identityAnnotation]: old } } })
const given = allocation({ type: 'Identity', value: old, holder: holder(volume()) })
const oldDisk = volumeFacts(volume(), { identity: old })

/** web-1 on its host with its root disk; its data disk's volume is as given and has no claim. */
function withoutData(...objects: readonly Resource[]): TestWorld {
  return machineWorld([withData, root, placedVolume(root), attachment(root, withData), ...objects], [volumeFacts(root)])
}

/** Identities of the volumes beside the root disk's that a pool is claimed for now. */
function poolsClaimed(world: TestWorld): readonly string[] {
  const effects = Object.values(judgeMachine(world)).flatMap(each => (each?.is === 'acting' ? each.effects : []))
  const claimed = effects.flatMap(effect => {
    if (effect.effect !== 'Create') return []
    const { type, value } = effect.object.spec as AllocationSpec
    return type === 'Volume' && value !== root.metadata.uid ? [value] : []
  })
  return [...new Set(claimed)]
}

test('a machine that is taken over keeps the disks it runs on, also before their attachments are claimed', t => {
  const world = whole(place, address)
  show(world)
  const claims = [root, volume()].map(disk => attachment(disk, withData))
  world.drop(...claims)
  t.is(attachmentClaim(root.metadata.uid, passOf(world)), undefined)
  const { Configured, VolumesAttached } = judgeMachine(world)
  t.like(Configured, { is: 'satisfied', reason: 'AsDescribed' })
  t.like(VolumesAttached, { is: 'acting', reason: 'Attaching' })
})

test('a disk that another machine has the attachment of is taken from the one that runs on it', t => {
  const world = whole(place, address)
  show(world)
  world.put(attachment(volume(), machine({ name: 'web-9' })))
  t.like(judgeMachine(world).Configured, { is: 'acting', reason: 'Changing' })
})

test('a pool is claimed for a disk of its own, and for none that waits for its identity', t => {
  for (const isPlaced of [true, false]) {
    const pools = (...objects: readonly Resource[]) => {
      const world = withoutData(...objects)
      if (!isPlaced) world.drop(place)
      return poolsClaimed(world)
    }
    t.deepEqual(pools(volume()), [volume().metadata.uid])
    t.deepEqual(pools(awaiting), [])
  }
})

test('a disk that was there before is claimed where it is seen, and nowhere while it is not', t => {
  const placed = withoutData(awaiting, given)
  t.deepEqual(poolsClaimed(placed), [])
  const unplaced = withoutData(awaiting, given)
  unplaced.drop(place)
  t.deepEqual(poolsClaimed(unplaced), [])
  t.like(judgeMachine(unplaced).Scheduled, { is: 'blocked', reason: 'DiskNotSeen' })
  for (const world of [placed, unplaced]) {
    world.see({ volumes: [volumeFacts(root), oldDisk].map(facts => ({ endpoint: pool1, facts })) })
    t.deepEqual(poolsClaimed(world), [old])
  }
})
