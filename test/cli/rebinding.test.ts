import test from 'ava'
import { findRebindings, readConflict, rebind } from '../../cli/rebinding.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import type { Resource } from '../../crds/meta.ts'
import { Volume } from '../../crds/storage/volume.ts'
import { holderOf } from '../../reconcilers/claims.ts'
import { identityConflict } from '../../reconcilers/compute/machine-place.ts'
import { Cloud, quickstart } from '../stories/cloud.ts'
import { resource, stalled } from './resources.ts'

const identity = '11111111-2222-4333-8444-555555555555'
const other = '99999999-2222-4333-8444-555555555555'

/** An object in conflict, as the reconcilers tell it. */
function conflicting(identities: readonly string[], uid = 'uid-1', toldKind = Volume.kind): Resource {
  const verdict = identityConflict(toldKind, identities)
  return resource(Volume, 'data', { namespace: 'shop', uid, conditions: stalled(verdict.reason, verdict.message) })
}

/** A client that lists these objects. */
function listing(...objects: readonly Resource[]): Parameters<typeof findRebindings>[0] {
  return {
    list: async kind => ({
      items: objects.filter(object => object.kind === kind.kind) as never[],
      resourceVersion: '1',
    }),
  }
}

function held(type: 'Identity' | 'Volume' | 'Attachment', holder: Resource, value = identity, notes = {}): Resource {
  const name = `${type.toLowerCase()}-${value}`
  return resource(Allocation, name, { spec: { type, value, holder: holderOf(holder), epoch: 1, notes } })
}

test('the identities are read from what the reconcilers tell', t => {
  const { message } = identityConflict('VirtualMachine', [identity, other])
  t.deepEqual(readConflict(message), { kind: 'VirtualMachine', identities: [identity, other] })
  t.is(readConflict('Something else is wrong'), undefined)
})

test('an object is rebound to the one identity that its namesake outside has', async t => {
  const object = conflicting([identity])
  const { rebindings, obstacles } = await findRebindings(listing(object))
  t.deepEqual(rebindings, [{ object, identity }])
  t.deepEqual(obstacles, [])
})

test('of several namesakes none is chosen', async t => {
  const { rebindings, obstacles } = await findRebindings(listing(conflicting([identity, other])))
  t.deepEqual(rebindings, [])
  t.deepEqual(
    obstacles.map(({ message }) => message),
    [`There are 2 namesakes outside (${identity}, ${other}): remove all but one there`],
  )
})

test('what a machine tells of its disk is left to the disk', async t => {
  const { rebindings, obstacles, told } = await findRebindings(
    listing(conflicting([identity], 'uid-1', 'VirtualMachine')),
  )
  t.deepEqual({ rebindings, obstacles }, { rebindings: [], obstacles: [] })
  t.deepEqual([...told], [identity])
})

test('an identity that another object holds is not taken from it', async t => {
  const object = conflicting([identity])
  const owner = resource(Volume, 'mine', { namespace: 'shop', uid: identity })
  const elsewhere = resource(Volume, 'other', { namespace: 'shop', uid: 'uid-2' })
  const messages = await Promise.all(
    [[owner], [held('Identity', elsewhere)], [held('Volume', elsewhere)], [held('Identity', object, other)]].map(
      async others => (await findRebindings(listing(object, ...others))).obstacles.map(({ message }) => message),
    ),
  )
  t.deepEqual(messages, [
    [`The identity ${identity} is that of Volume shop/mine`],
    [
      `Allocation "identity-${identity}" is held by Volume shop/other (uid uid-2): where that object is gone, delete the Allocation`,
    ],
    [
      `Allocation "volume-${identity}" is held by Volume shop/other (uid uid-2): where that object is gone, delete the Allocation`,
    ],
    [`It has an identity already: Allocation "identity-${other}"`],
  ])
})

test('a volume whose own disk was made keeps it', async t => {
  const object = conflicting([identity])
  const { uid } = object.metadata
  const found = (...claims: readonly Resource[]) => findRebindings(listing(object, ...claims))
  const made = [
    held('Volume', object, uid, { madeAt: '2026-11-02T11:00:00Z' }),
    held('Attachment', resource(VirtualMachine, 'web'), uid),
  ]
  for (const claim of made) {
    const { rebindings, obstacles } = await found(claim)
    t.deepEqual(rebindings, [])
    t.regex(obstacles[0]?.message ?? '', /^It has a disk of its own, which was made since: remove the disk /)
  }
  t.is((await found(held('Volume', object, uid))).rebindings.length, 1, 'only its place is claimed')
})

test('a conflict that names no identity to take is told as it is', async t => {
  const object = resource(Volume, 'data', { conditions: stalled('IdentityConflict', 'Images exist outside') })
  const { obstacles } = await findRebindings(listing(object))
  t.deepEqual(
    obstacles.map(({ message }) => message),
    ['Images exist outside'],
  )
})

test('after the loss of the API store, rebinding takes machines, router and disks over, and doubles none', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const before = ours(cloud)
  await cloud.loseStore()
  await cloud.apply(quickstart)
  const { environment, client } = cloud
  const bound = new Set<string>()
  await cloud.until(async () => {
    const rebindings = (await environment.until(findRebindings(client)))?.rebindings ?? []
    for (const rebinding of rebindings) {
      await environment.until(rebind(client, rebinding, environment))
      // Once more changes nothing.
      await environment.until(rebind(client, rebinding, environment))
      const { kind, metadata } = rebinding.object
      bound.add(kind === 'VirtualRouter' ? kind : `${kind} ${metadata.name}`)
    }
    return bound.size === 6
  })
  t.deepEqual([...bound].sort(), [
    'VirtualMachine web-1',
    'VirtualMachine web-2',
    'VirtualRouter',
    'Volume web-1-root',
    'Volume web-2-data',
    'Volume web-2-root',
  ])
  await cloud.until(async () => {
    const found = await environment.until(findRebindings(client))
    return found?.told.size === 0
  })
  t.deepEqual(ours(cloud), before)
  const identities = (await cloud.list(Allocation)).filter(({ spec }) => spec.type === 'Identity')
  t.is(identities.length, 6)
  t.deepEqual(cloud.simulator.world.invariants(), [])
  t.is((await cloud.list(VirtualMachine)).length, 2)
})

/** Identities of the tenant's machines and disks in the simulated world. */
function ours({ simulator }: Cloud): readonly string[] {
  const { machines, volumes } = simulator.world.list()
  const instances = machines.filter(({ facts }) => facts.mark?.kind === 'VirtualMachine')
  return [...instances, ...volumes].map(({ identity: id, facts }) => `${facts.mark?.name} ${id}`).sort()
}
