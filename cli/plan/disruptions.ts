import type { ObjectName } from './object-name.ts'
import type { PlannedOperation } from './planned-operation.ts'

/**
 * What users of a machine notice: nothing (`None`), a pause of less than a second (`BriefPause`: it moves while it
 * runs), that it goes down and comes back (`Restart`), or that it stays down (`Stop`).
 */
export type Downtime = 'None' | 'BriefPause' | 'Restart' | 'Stop'

/** One running machine that its users would miss for a while. */
export interface Disruption {
  readonly object: ObjectName
  readonly downtime: Exclude<Downtime, 'None'>
  /** How long, in ms; left out where it stays down. */
  readonly forMs?: number
}

/** Machines that run and would be stopped or moved, in the order in which it begins. */
export function disruptionsOf(operations: readonly PlannedOperation[]): readonly Disruption[] {
  const byIdentity = Map.groupBy(
    operations.filter(({ failure }) => failure === undefined),
    ({ identity }) => identity,
  )
  return [...byIdentity.values()].flatMap(ofOne => disruptionOf(ofOne) ?? [])
}

/** The downtime that an operation belongs to. */
export function downtimeOf(operation: PlannedOperation, disruptions: readonly Disruption[]): Downtime {
  const { object, verb } = operation
  if (object === undefined || !/Machine$|^SetPower$/.test(verb)) return 'None'
  const isSame = (other: ObjectName) =>
    other.kind === object.kind && other.namespace === object.namespace && other.name === object.name
  return disruptions.find(disruption => isSame(disruption.object))?.downtime ?? 'None'
}

function disruptionOf(operations: readonly PlannedOperation[]): Disruption | undefined {
  const object = operations.find(each => each.object !== undefined)?.object
  if (object === undefined) return undefined
  const stop = operations.findIndex(each => each.verb === 'StopMachine' && ran(each))
  if (stop >= 0) {
    const begin = operations[stop]?.startsAfterMs ?? 0
    const back = operations.slice(stop + 1).find(starts)
    if (back === undefined) return { object, downtime: 'Stop' }
    return { object, downtime: 'Restart', forMs: back.startsAfterMs + back.durationMs - begin }
  }
  const moved = operations.find(each => each.verb.startsWith('Migrate'))
  return moved && { object, downtime: 'BriefPause' }
}

/** Whether the machine ran when it was stopped: others are missed by nobody. */
function ran({ changes }: PlannedOperation): boolean {
  return changes.some(({ path, before }) => path === 'powerState' && before === 'Running')
}

function starts({ verb, changes }: PlannedOperation): boolean {
  if (verb === 'StartMachine') return true
  return verb === 'DefineMachine' && changes.some(({ path, after }) => path === 'powerState' && after === 'Running')
}
