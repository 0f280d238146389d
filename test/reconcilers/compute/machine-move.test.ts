import test from 'ava'
import { judgeSettled } from '../../../reconcilers/compute/machine-move.ts'
import type { Verdict } from '../../../reconcilers/verdict.ts'
import { inventoryNote, machineClaim } from '../claim-builders.ts'
import { hostFacts, machineFacts } from '../fact-builders.ts'
import { cluster, host, pod, zone } from '../infrastructure-builders.ts'
import { answering } from '../observed-tables.ts'
import { deepFreeze, keyOf } from '../resource-builder.ts'
import { machine } from '../tenant-builders.ts'
import { passOf, worldOf } from '../world-builder.ts'
import { brief } from './power-situations.ts'

const gibibyte = 2 ** 30
const guest = machine()
const source = keyOf('Host', 'host-1')
const target = keyOf('Host', 'host-2')
const request = {
  zoneName: 'zone-a',
  cores: 1,
  clockMHz: 1000,
  memoryBytes: gibibyte / 2,
  hostTags: [],
  volumes: [],
  planner: 'FirstFit',
} as const

/** What is said of a machine on a host in maintenance: claimed and wished with 512 MiB, defined with a GiB and two cores. */
function judgedDefinedLarger(targetBytes: number): Verdict {
  const claim = deepFreeze(machineClaim(guest, 'host-1'))
  const [emptied, other] = [
    host({ lifecycle: 'Maintenance' }),
    host({ name: 'host-2', address: '172.16.10.102' }),
  ] as const
  const capabilities = [...hostFacts().capabilities, 'LiveMigration' as const]
  const { definition } = machineFacts(guest)
  const larger = machineFacts(guest, { definition: { ...definition, cores: 2, memoryBytes: gibibyte } })
  const world = worldOf({
    objects: [zone(), pod(), cluster(), emptied, other, inventoryNote(other), guest, claim],
    endpoints: { [source]: answering, [target]: answering },
    hosts: { [source]: hostFacts({ capabilities }), [target]: hostFacts({ capabilities, memoryBytes: targetBytes }) },
    machines: [{ endpoint: source, facts: larger, current: true }],
  })
  const identity = guest.metadata.uid
  const wish = { identity, claim, request, movable: true, observes: false, restartPriority: 'Normal' } as const
  return judgeSettled(wish, passOf(world))
}

test('HST-021 what is moved takes the size that it is defined with, however small its claim has become', t => {
  const verdict = judgedDefinedLarger(gibibyte)
  t.is(brief(verdict), 'acting Migrating Update')
  const [effect] = verdict.is === 'acting' ? verdict.effects : []
  const size = { cores: 2, clockMHz: 1000, memoryBytes: gibibyte }
  t.like(effect, { object: { spec: { machine: { targetHostName: 'host-2', ...size } } } })
})

test('HST-021 what is defined larger than it is claimed goes to no host that has room for its claim only', t => {
  t.is(brief(judgedDefinedLarger(gibibyte * 0.75)), 'waiting NoHostFits')
})
