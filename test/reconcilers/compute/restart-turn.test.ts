import test from 'ava'
import { awaitTurn, type RestartPriority } from '../../../reconcilers/compute/restart-turn.ts'
import { allocation, holder } from '../claim-builders.ts'
import { host, settings } from '../infrastructure-builders.ts'
import { silent } from '../observed-tables.ts'
import { keyOf, uidOf } from '../resource-builder.ts'
import { worldOf } from '../world-builder.ts'

const hostIdentity = uidOf('Host', 'host-1')
const held = { hostName: 'host-1', hostIdentity, cores: 1, clockMHz: 1000, memoryBytes: 2 ** 29 }
const fence = {
  hostName: 'host-1',
  zoneName: 'zone-a',
  silentSince: '2026-11-02T11:59:00Z',
  decidedAt: '2026-11-02T11:59:30Z',
  powerOns: 0,
}

function fenced(fencedAt?: string) {
  const notes = fencedAt === undefined ? {} : { notes: { fencedAt } }
  return allocation({ type: 'Fence', value: hostIdentity, holder: holder(host()), epoch: 1, fence, ...notes })
}

function goes(world: ReturnType<typeof worldOf>): readonly RestartPriority[] {
  const all = ['System', 'High', 'Normal', 'Low'] as const
  return all.filter(priority => awaitTurn(priority, held, world) === undefined)
}

test("when a host was proven off its machines start elsewhere in the order of their priority, the cloud's own first", t => {
  const world = worldOf({
    objects: [host(), fenced('2026-11-02T12:00:00Z')],
    endpoints: { [keyOf('Host', 'host-1')]: silent('2026-11-02T11:59:30Z') },
  })
  t.deepEqual(goes(world), ['System'])
  world.advance(1_000)
  t.deepEqual(goes(world), ['System', 'High'])
  world.advance(1_000)
  t.deepEqual(goes(world), ['System', 'High', 'Normal'])
  world.advance(2_000)
  t.deepEqual(goes(world), ['System', 'High', 'Normal', 'Low'])
})

test('nobody waits for a note that nobody writes', t => {
  const world = worldOf({
    objects: [host(), settings({ hostLossDelay: '30s' })],
    endpoints: { [keyOf('Host', 'host-1')]: silent('2026-11-02T11:59:30Z') },
  })
  t.deepEqual(goes(world), ['System'])
  world.advance(15_000)
  t.deepEqual(goes(world), ['System', 'High', 'Normal', 'Low'])
})
