import test from 'ava'
import { attachmentClaim } from '../../../reconcilers/claims.ts'
import { machine, volume } from '../tenant-builders.ts'
import { passOf } from '../world-builder.ts'
import { address, attachment, judgeMachine, place, root, show, whole, withData } from './machine-world.ts'

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
