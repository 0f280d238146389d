import test from 'ava'
import type { Resource } from '../../../crds/meta.ts'
import type { MachineDefinition } from '../../../drivers/contract/facts.ts'
import { accountOfInstallation } from '../../../reconcilers/infrastructure/accounted.ts'
import { hostReconciler } from '../../../reconcilers/infrastructure/host.ts'
import type { EndpointState } from '../../../reconcilers/world.ts'
import { allocation, inventoryNote, volumeClaim } from '../claim-builders.ts'
import { attachment } from '../compute/machine-world.ts'
import { brief } from '../compute/power-situations.ts'
import { machineFacts } from '../fact-builders.ts'
import { cluster, host, pod, pool, zone } from '../infrastructure-builders.ts'
import { judgeTeardown } from '../judge.ts'
import { answering, noSignOfLife, notCalledYet, silent } from '../observed-tables.ts'
import { keyOf } from '../resource-builder.ts'
import { machine, volume } from '../tenant-builders.ts'
import { type TestWorld, worldOf } from '../world-builder.ts'

const key = keyOf('Host', 'host-1')
const longAgo = silent('2026-11-02T11:00:00Z')
const lost = machineFacts(machine({ name: 'lost' }))
const [web, other] = [machine(), machine({ name: 'web-2' })]

/** The note of an installation whose first store this is. */
const firstStore = accountOfInstallation('installation-1', '2026-11-01T00:00:00Z').spec
const isFirstStore = allocation({ type: 'Inventory', value: 'installation-1', holder: firstStore.holder })

function cloud(state: EndpointState, ...objects: readonly Resource[]): TestWorld {
  return worldOf({
    objects: [zone(), pod(), cluster(), host(), pool(), ...objects],
    endpoints: { [key]: state },
    lives: { [key]: noSignOfLife },
  })
}

/** What keeps a deleted host for what may be left over there. */
function account(world: TestWorld, self = host()) {
  return judgeTeardown(hostReconciler, 'Accounted', self, world)
}

test('a deleted host that was read, with nothing of ours left over, goes', t => {
  t.is(brief(account(cloud(answering))), 'satisfied Forgotten')
})

test('a deleted host with things that no object has a claim for waits, and says what to do', t => {
  const world = cloud(answering)
  world.see({ machines: [{ endpoint: key, facts: lost }] })
  const verdict = account(world)
  t.is(brief(verdict), 'waiting LeftoversThere')
  t.regex(
    verdict.message,
    /^1 things of ours are there .* rebind them, or remove them there\. If it is off for good, set/,
  )
  world.see({ machines: [] })
  t.is(brief(account(world)), 'satisfied Forgotten')
})

test('a deleted host that was never read waits: something of ours may run there unseen', t => {
  for (const state of [notCalledYet, { answers: 'No', listed: false } as const, longAgo]) {
    const verdict = account(cloud(state))
    t.is(brief(verdict), 'waiting NotRead')
    t.regex(verdict.message, /If it is off for good, set its spec\.lifecycle to Lost$/)
  }
})

test('one that is Lost, accounted for, or of an installation whose first store this is, goes unread', t => {
  const gone = host({ lifecycle: 'Lost', powerControl: undefined })
  const world = cloud(longAgo, gone)
  t.is(brief(account(world, gone)), 'satisfied Forgotten')
  const seen = { ...noSignOfLife, signs: 'Seen' } as const
  world.see({ lives: { [key]: seen } })
  t.is(brief(account(world, gone)), 'waiting NotRead', 'it gives signs of life')
  t.is(brief(account(cloud(notCalledYet, inventoryNote(host())))), 'acting Forgetting Delete')
  t.is(brief(account(cloud(notCalledYet, isFirstStore))), 'satisfied Forgotten')
})

test('a deleted host waits for what is left of machines that left it, unless it is off for good', t => {
  const holder = { group: 'compute.skystead.dev', kind: 'VirtualMachine', name: 'web', uid: 'uid-web' }
  const stray = allocation({ type: 'Stray', realm: host().metadata.uid, value: 'uid-web', holder })
  const verdict = account(cloud(answering, stray))
  t.is(brief(verdict), 'waiting StraysThere')
  t.regex(verdict.message, /^1 machines that left .* removed when it answers\. If it is off for good, set/)
  t.is(brief(account(cloud(longAgo, inventoryNote(host()), stray))), 'waiting StraysThere', 'it was accounted for')
  const gone = host({ lifecycle: 'Lost', powerControl: undefined })
  t.is(brief(account(cloud(longAgo, gone, stray), gone)), 'satisfied Forgotten')
})

test('the word that a host is lost does not count while it answers', t => {
  const gone = host({ lifecycle: 'Lost' })
  const world = cloud(answering, gone)
  world.see({ machines: [{ endpoint: key, facts: lost }] })
  const verdict = account(world, gone)
  t.is(brief(verdict), 'waiting LeftoversThere')
  t.regex(verdict.message, /answers although its spec\.lifecycle is Lost/)
})

/** A machine on the host that is defined with the volume's disk. */
function using(self: Resource): { readonly definition: MachineDefinition } & ReturnType<typeof machineFacts> {
  const facts = machineFacts(self)
  const disks = [{ identity: volume().metadata.uid, pool: keyOf('PrimaryStorage', 'primary-1'), name: 'data' }]
  return { ...facts, definition: { ...facts.definition, disks } }
}

function disks(world: TestWorld, self = host()) {
  return judgeTeardown(hostReconciler, 'Evacuated', self, world)
}

test('a deleted host waits while a machine without right is there with the disk of a volume', t => {
  const claim = volumeClaim(volume(), 'primary-1')
  const world = cloud(answering, claim, attachment(volume(), web))
  t.is(brief(disks(world)), 'satisfied DisksFree')
  world.see({ machines: [{ endpoint: key, facts: using(other) }], counts: { [key]: { things: 1, foreign: 0 } } })
  const verdict = disks(world)
  t.is(brief(verdict), 'waiting DisksInUse')
  t.regex(verdict.message, /disks of volumes "shop\/data-1": stop or remove those machines on the host/)
  world.see({ machines: [{ endpoint: keyOf('Host', 'host-2'), facts: using(other) }] })
  t.is(brief(disks(world)), 'satisfied DisksFree')
  world.see({ machines: [{ endpoint: key, facts: using(web) }] })
  t.is(brief(disks(world)), 'satisfied DisksFree', 'it holds the disk')
  world.drop(attachment(volume(), web))
  t.is(brief(disks(world)), 'waiting DisksInUse', 'nobody holds the disk')
  world.drop(claim)
  t.is(brief(disks(world)), 'satisfied DisksFree', 'no volume has the disk')
})

test('what a deleted host had when it fell silent counts until it is proven off', t => {
  const world = cloud(longAgo, volumeClaim(volume(), 'primary-1'))
  const machines = [{ endpoint: key, facts: using(other), current: false }]
  world.see({ machines, counts: { [key]: { things: 1, foreign: 0 } }, lives: { [key]: noSignOfLife } })
  t.is(brief(disks(world)), 'waiting DisksInUse')
  const gone = host({ lifecycle: 'Lost', powerControl: undefined })
  world.put(gone)
  t.is(brief(disks(world, gone)), 'satisfied DisksFree')
})

test('a deleted host looks for leftovers and disks only when no claim names it any more', t => {
  const needs = hostReconciler.teardown?.map(({ condition, needs }) => [condition, needs ?? []])
  t.deepEqual(
    needs?.filter(([condition]) => condition === 'Evacuated' || condition === 'Accounted'),
    [
      ['Evacuated', ['Unclaimed']],
      ['Accounted', ['Unclaimed']],
    ],
  )
})
