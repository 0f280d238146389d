import type { EndpointKey } from '../contract/endpoint.ts'
import { DriverError } from '../contract/errors.ts'
import type { MachineFacts } from '../contract/facts.ts'
import { requireEpoch, requireOurs, requireWhole } from '../contract/guards.ts'
import type { Verbs } from '../contract/operation.ts'
import type { Fault } from './faults.ts'
import { afterStep, disksOutOfReach, requireMemory, type Simulation } from './guests.ts'
import { claim, type HostCall, requireCapability, requireDefinable, requireMachine } from './machine-verbs.ts'
import { endMigration, withoutTarget } from './migrations.ts'
import type { Migration, SimulatedHost, SimulatedMachine } from './places.ts'
import { migrationTime } from './timing.ts'

/** Begins to move a running machine to another host. */
export function migrateMachine(call: HostCall, args: Verbs['MigrateMachine']['arguments']): MachineFacts {
  const { host, installation } = call
  const { identity, epoch, target } = args
  requireCapability(host, 'LiveMigration')
  if (args.bandwidthMbps !== undefined) requireWhole(args.bandwidthMbps, 1, 'bandwidthMbps')
  const source = requireMachine(call, identity, 'migrate')
  requireOurs(source.facts, 'machine', installation)
  requireEpoch(source.facts, 'machine', epoch)
  if (source.migration !== undefined && source.facts.migratingTo === target) {
    claim(call, source, epoch)
    return source.facts
  }
  const there = requireTarget(call, source, target)
  begin(call, source, there, args)
  return source.facts
}

function requireTarget({ simulation, host }: HostCall, source: SimulatedMachine, target: EndpointKey): SimulatedHost {
  const { facts, identity } = source
  const refuse = (why: string) => new DriverError('FailedPrecondition', `Cannot migrate machine ${identity}: ${why}`)
  if (source.migration !== undefined) throw refuse(`it is being migrated to ${facts.migratingTo}`)
  if (facts.powerState !== 'Running') throw refuse(`current state is ${facts.powerState}`)
  const { state } = simulation
  const there = state.hosts.get(state.aliases.get(target)?.place ?? '')
  if (there === undefined) throw refuse(`there is no host ${target}`)
  if (there === host) throw new DriverError('InvalidArgument', `Cannot migrate machine ${identity}: it is there`)
  if (there.state === 'Down') throw refuse(`host ${there.name} cannot be reached`)
  requireCapability(there, 'LiveMigration')
  requireDefinable(there, facts.definition)
  const found = there.machines.get(identity)
  if (found !== undefined) {
    const state = found.facts.powerState
    throw new DriverError('AlreadyExists', `Cannot migrate machine ${identity}: host ${there.name} has it, ${state}`)
  }
  const [lost] = disksOutOfReach(state, there, facts.definition)
  if (lost !== undefined) throw refuse(`host ${there.name} cannot reach ${lost.pool}`)
  requireMemory(there, identity, source.active?.memoryBytes ?? facts.definition.memoryBytes)
  return there
}

function begin(
  { simulation, operationId = '', endpoint = '' }: HostCall,
  source: SimulatedMachine,
  there: SimulatedHost,
  { epoch, target, bandwidthMbps }: Verbs['MigrateMachine']['arguments'],
): void {
  const { state } = simulation
  const { identity, active, host } = source
  const { router: _router, ...facts } = source.facts
  const incoming = state.addMachine(there, { ...facts, epoch, powerState: 'Incoming' }, active)
  incoming.incomingFrom = source
  const fault = state.faults.take({ verb: 'Migration', endpoint, name: host.name, identity })
  const memoryBytes = active?.memoryBytes ?? facts.definition.memoryBytes
  const milliseconds =
    migrationTime({ memoryBytes, bandwidthMbps }, simulation) +
    (fault?.effect === 'Delay' ? (fault.milliseconds ?? 0) : 0)
  const since = state.clock.monotonic()
  const migration = { operationId, incoming, milliseconds, since, fate: fateOf(fault), switching: false }
  source.migration = { ...migration, timer: undefined }
  state.setMachine(source, { ...source.facts, epoch, migratingTo: target })
  goOn(simulation, source)
}

function fateOf(fault: Fault | undefined): Migration['fate'] {
  if (fault?.effect === 'Hang') return 'Stalls'
  if (fault?.effect !== 'Fail') return 'Arrives'
  return fault.when === 'After' ? 'FailsAtEnd' : 'Fails'
}

/** Ends a migration at its source. */
export function cancelMigration(call: HostCall, args: Verbs['CancelMigration']['arguments']): MachineFacts | undefined {
  requireCapability(call.host, 'LiveMigration')
  const source = call.host.machines.get(args.identity)
  if (source === undefined) return undefined
  if (source.incomingFrom !== undefined) {
    throw new DriverError('FailedPrecondition', `Cannot cancel the migration of ${args.identity}: its source does that`)
  }
  claim(call, source, args.epoch)
  endMigration(call.simulation.state, source)
  return source.facts
}

/** Takes up the migrations that were going on when a stored world was left. */
export function resumeMigrations(simulation: Simulation): void {
  for (const host of simulation.state.hosts.values()) {
    for (const machine of host.machines.values()) if (machine.migration !== undefined) goOn(simulation, machine)
  }
}

/** Lets memory be copied, then pauses the source, then lets the target run. */
function goOn(simulation: Simulation, source: SimulatedMachine): void {
  const { migration } = source
  if (migration === undefined || migration.fate === 'Stalls') return
  if (migration.switching) {
    migration.timer = afterStep(simulation, 'MigrationPause', () => kept(simulation, source, switchOver))
    return
  }
  const milliseconds = migration.fate === 'Fails' ? migration.milliseconds / 2 : migration.milliseconds
  if (milliseconds === 0) queueMicrotask(() => kept(simulation, source, copied, migration))
  else migration.timer = simulation.state.clock.after(milliseconds, () => kept(simulation, source, copied))
}

/** Something that happens by itself; not when the migration has ended meanwhile. */
function kept(
  simulation: Simulation,
  source: SimulatedMachine,
  step: (simulation: Simulation, source: SimulatedMachine, migration: Migration) => void,
  expected = source.migration,
): void {
  const { migration } = source
  if (migration === undefined || migration !== expected) return
  step(simulation, source, migration)
  simulation.state.keep()
}

function copied(simulation: Simulation, source: SimulatedMachine, migration: Migration): void {
  if (migration.fate === 'Fails' || source.facts.powerState !== 'Running') {
    endMigration(simulation.state, source)
    return
  }
  migration.switching = true
  simulation.state.setMachine(source, { ...source.facts, powerState: 'Paused' })
  goOn(simulation, source)
}

/** The source lets go before the target runs: at no instant do both. A guest that is going down stays where it is. */
function switchOver({ state }: Simulation, source: SimulatedMachine, migration: Migration): void {
  const canOpen = disksOutOfReach(state, migration.incoming.host, source.facts.definition).length === 0
  if (!canOpen || migration.fate === 'FailsAtEnd' || source.goingDown !== undefined) {
    endMigration(state, source)
    return
  }
  const { incoming } = migration
  source.migration = undefined
  incoming.incomingFrom = undefined
  incoming.ignoresACPI = source.ignoresACPI
  incoming.userDataHash = source.userDataHash
  state.removeMachine(source)
  state.setMachine(incoming, { ...withoutTarget(source.facts), powerState: 'Running' })
  state.journal.record({
    source: 'Guest',
    action: 'migrated',
    place: incoming.host.key,
    identity: incoming.identity,
    outcome: 'Done',
    changed: true,
  })
}
