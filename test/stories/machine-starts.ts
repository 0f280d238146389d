import type { Simulator } from '../../drivers/simulator/simulator.ts'

/** What was done to make machines run, by machine: each was to happen once. */
export function startsOf({ world }: Pick<Simulator, 'world'>): readonly string[] {
  return world.journal
    .since(0)
    .filter(({ action, changed }) => changed && ['DefineMachine', 'StartMachine'].includes(action))
    .map(({ action, identity }) => `${action} ${identity}`)
    .toSorted()
}
