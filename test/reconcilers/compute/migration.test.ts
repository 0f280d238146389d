import test from 'ava'
import type { ClaimNotes } from '../../../crds/infrastructure/allocation.ts'
import type { MachineFacts } from '../../../drivers/contract/facts.ts'
import { judgePlace } from '../../../reconcilers/compute/machine-place.ts'
import { judgeMigration } from '../../../reconcilers/compute/migration.ts'
import type { EndpointState, OperationState, PowerState } from '../../../reconcilers/world.ts'
import { holder, machineClaim } from '../claim-builders.ts'
import { machineFacts } from '../fact-builders.ts'
import { cluster, host, pod, pool, zone } from '../infrastructure-builders.ts'
import { answering, noSignOfLife, silent } from '../observed-tables.ts'
import { deepFreeze, keyOf, uidOf } from '../resource-builder.ts'
import { machine } from '../tenant-builders.ts'
import { passOf, worldOf } from '../world-builder.ts'
import { brief } from './power-situations.ts'

const guest = machine()
const identity = guest.metadata.uid
const source = keyOf('Host', 'host-1')
const target = keyOf('Host', 'host-2')
const longSilent = silent('2026-11-02T11:00:00Z')
const offTwice: PowerState = { power: 'Off', confirmed: true }
const sending: Partial<MachineFacts> = { epoch: 2, migratingTo: target }
const incoming: Partial<MachineFacts> = { epoch: 2, powerState: 'Incoming' }
const cancelled: ClaimNotes = { migrationCancelledAt: '2026-11-02T11:59:00Z' }

interface Situation {
  readonly here?: Partial<MachineFacts>
  readonly there?: Partial<MachineFacts>
  readonly notes?: ClaimNotes
  readonly epoch?: number
  readonly sourceState?: EndpointState
  readonly targetState?: EndpointState
  readonly sourcePower?: PowerState
  readonly operations?: readonly OperationState[]
  readonly absent?: readonly string[]
  readonly unwished?: string
  readonly movable?: boolean
}

/** What is said of a migration from host-1 to host-2 under epoch 2. */
function judged(parts: Situation) {
  const base = machineClaim(guest, 'host-1', { targetHostName: 'host-2', targetHostIdentity: uidOf('Host', 'host-2') })
  const notes = parts.notes === undefined ? {} : { notes: parts.notes }
  const claim = deepFreeze({ ...base, spec: { ...base.spec, epoch: parts.epoch ?? 2, ...notes } })
  const seen = ([endpoint, facts]: readonly [typeof source, Partial<MachineFacts> | undefined]) =>
    facts === undefined
      ? []
      : [{ endpoint, facts: machineFacts(guest, facts), current: stateOf(endpoint).answers === 'Yes' }]
  const stateOf = (endpoint: string) => (endpoint === source ? parts.sourceState : parts.targetState) ?? answering
  const { sourcePower, absent, operations } = parts
  const world = worldOf({
    objects: [
      zone(),
      pod(),
      cluster(),
      host(),
      host({ name: 'host-2', address: '172.16.10.102' }),
      pool(),
      guest,
      claim,
    ],
    endpoints: {
      [source]: stateOf(source),
      [target]: stateOf(target),
      [keyOf('PowerController', 'host-1')]: answering,
    },
    machines: [...seen([source, parts.here]), ...seen([target, parts.there])],
    lives: { [source]: noSignOfLife },
    ...(sourcePower === undefined ? {} : { powers: { [keyOf('PowerController', 'host-1')]: sourcePower } }),
    ...(absent === undefined ? {} : { absent: new Set(absent.map(endpoint => `${identity} ${endpoint}`)) }),
    ...(operations === undefined ? {} : { operations: { [identity]: operations } }),
  })
  const { unwished, movable = true } = parts
  return {
    claim,
    world,
    verdict: judgeMigration(
      { identity, claim, movable, ...(unwished === undefined ? {} : { unwished }) },
      passOf(world),
    ),
  }
}

const refused: OperationState = {
  verb: 'MigrateMachine',
  endpoint: source,
  state: 'Failed',
  code: 'ResourceExhausted',
  message: 'no memory',
}

for (const [what, situation, expected] of [
  ['is begun at its source', { here: { epoch: 1 } }, 'acting Migrating MigrateMachine'],
  ['is waited for while the source sends', { here: sending, there: incoming }, 'waiting Migrating'],
  [
    'is not touched while an operation runs',
    { here: { epoch: 1 }, operations: [{ verb: 'MigrateMachine', endpoint: source, state: 'Running' }] },
    'waiting Migrating',
  ],
  ['has failed when the source took it and sends no more', { here: { epoch: 2 } }, 'acting MigrationFailed Update'],
  ['has failed when it was refused', { here: { epoch: 1 }, operations: [refused] }, 'acting MigrationFailed Update'],
  [
    'has failed when its time is over',
    { here: sending, there: incoming, notes: { migrationBegunAt: '2026-11-02T10:00:00Z' } },
    'acting MigrationFailed Update',
  ],
  [
    'is given up when nobody wishes it any more',
    { here: sending, there: incoming, unwished: 'Withdrawn' },
    'acting MigrationEnding Update',
  ],
  ['is given up when the guest is down', { here: { epoch: 1, powerState: 'Off' } }, 'acting MigrationEnding Update'],
  [
    'given up, is ended at its source under the new epoch',
    { here: sending, there: incoming, notes: cancelled, epoch: 3 },
    'acting MigrationEnding CancelMigration',
  ],
  [
    'given up, is ended at its source though it sends nothing: an older request may still come',
    { here: { epoch: 2 }, notes: cancelled, epoch: 3 },
    'acting MigrationEnding CancelMigration',
  ],
  [
    'given up and ended, lets the target go when it has nothing',
    { here: { epoch: 3 }, notes: cancelled, epoch: 3 },
    'acting MigrationEnding Update',
  ],
  [
    'given up and ended, asks the target first',
    { here: { epoch: 3 }, notes: cancelled, epoch: 3, absent: [] },
    'acting ProvingAbsence Observe',
  ],
  [
    'given up and ended, keeps a silent target claimed',
    { here: { epoch: 3 }, notes: cancelled, epoch: 3, targetState: longSilent },
    'unknown HostSilent',
  ],
  [
    'given up and ended, has arrived when it runs at the target and is off at the source',
    { here: { epoch: 3, powerState: 'Off' }, there: { epoch: 2 }, notes: cancelled, epoch: 3, absent: [] },
    'acting Migrating Update',
  ],
  [
    'given up and ended, is nowhere touched when it runs at both',
    { here: { epoch: 3 }, there: { epoch: 2 }, notes: cancelled, epoch: 3, absent: [] },
    'unknown SeenTwice',
  ],
  ['has arrived when the source has it no more', { there: { epoch: 2 }, absent: [source] }, 'acting Migrating Update'],
  [
    'has arrived though it was given up, when the source has it no more',
    { there: { epoch: 2 }, notes: cancelled, epoch: 3, absent: [source] },
    'acting Migrating Update',
  ],
  [
    'has not arrived while only the target shows it: the source is read',
    { there: { epoch: 2 }, absent: [] },
    'acting ProvingAbsence Observe',
  ],
  [
    'that left its source is looked for at the target before anything is started',
    { absent: [source] },
    'acting ProvingAbsence Observe',
  ],
  [
    'that left its source for a silent target is there',
    { absent: [source], targetState: longSilent },
    'acting Migrating Update',
  ],
  [
    'with a silent source is not known',
    { here: sending, there: incoming, sourceState: longSilent, sourcePower: { power: 'On', confirmed: true } },
    'unknown HostSilent',
  ],
  [
    'with a source that is proven off notes that first',
    { here: sending, there: { epoch: 2 }, sourceState: longSilent, sourcePower: offTwice },
    'acting NotingStray Create',
  ],
  [
    'of what may not start elsewhere asks the target when its source is proven off',
    { here: sending, sourceState: longSilent, sourcePower: offTwice, movable: false, absent: [] },
    'acting ProvingAbsence Observe',
  ],
  [
    'of what may not start elsewhere stays with its lost host',
    { here: sending, sourceState: longSilent, sourcePower: offTwice, movable: false, absent: [target] },
    'acting MigrationEnding Update',
  ],
] as const satisfies readonly (readonly [string, Situation, string])[]) {
  test(`a migration ${what}`, t => {
    const { verdict } = judged(situation)
    t.is(verdict && brief(verdict), expected)
  })
}

test('while it migrates a machine keeps its place, and is moved by nobody else', t => {
  const { world, claim } = judged({ here: sending, there: incoming, sourceState: longSilent, sourcePower: offTwice })
  const { cores = 1, clockMHz = 1000, memoryBytes = 0 } = claim.spec.machine ?? {}
  const request = {
    zoneName: 'zone-a',
    cores,
    clockMHz,
    memoryBytes,
    hostTags: [],
    volumes: [],
    planner: 'FirstFit',
  } as const
  const wish = {
    identity,
    holder: holder(guest),
    request,
    wanted: true,
    movable: true,
    restartPriority: 'Normal',
    volumeHolders: {},
  } as const
  t.is(brief(judgePlace(wish, passOf(world))), 'unknown HostSilent')
})
