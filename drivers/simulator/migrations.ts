import type { JobFacts, MachineFacts } from '../contract/facts.ts'
import type { SimulatedHost, SimulatedMachine } from './places.ts'
import type { State } from './state.ts'

/** How far a migration that hangs has come, in percent. */
const stalledAt = 40

/** Ends a migration without success: the source runs on, and the target has nothing of it any more. */
export function endMigration(state: State, source: SimulatedMachine): void {
  const { migration } = source
  if (migration === undefined) return
  migration.timer?.cancel()
  source.migration = undefined
  migration.incoming.incomingFrom = undefined
  state.removeMachine(migration.incoming)
  const facts = withoutTarget(source.facts)
  const wasPausedForIt = migration.switching && facts.powerState === 'Paused'
  state.setMachine(source, wasPausedForIt ? { ...facts, powerState: 'Running' } : facts)
}

/** The facts of a machine that is not, or no longer, being migrated. */
export function withoutTarget({ migratingTo: _migratingTo, ...facts }: MachineFacts): MachineFacts {
  return facts
}

/** The migrations away from a host, as its listing has them. */
export function migrationJobs(state: State, host: SimulatedHost): readonly JobFacts[] {
  return [...host.machines.values()].flatMap(({ identity, migration }) => {
    if (migration === undefined) return []
    const { operationId, milliseconds, since, fate } = migration
    const share = milliseconds === 0 ? 0 : (state.clock.monotonic() - since) / milliseconds
    const percent = Math.min(fate === 'Stalls' ? stalledAt : 99, Math.floor(share * 100))
    return [{ operationId, targets: [identity], progressPercent: percent }]
  })
}
