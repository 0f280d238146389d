import type { EndpointType } from '../../drivers/contract/endpoint.ts'
import { endpointType } from '../../drivers/contract/endpoint.ts'
import type { Operation, Verb } from '../../drivers/contract/operation.ts'
import { type FieldChange, fieldChanges } from './field-changes.ts'
import type { ObjectName } from './object-name.ts'
import type { RecordedOperation } from './recorder.ts'

/** An operation that would be given to a driver. */
export interface PlannedOperation {
  /** As the journal will have it, where the object exists already: `<identity>/<verb>/<hash of the arguments>`. */
  readonly id: string
  readonly verb: Verb
  /** What it changes; left out where no object is known by that identity. */
  readonly object?: ObjectName
  readonly identity: string
  readonly endpoint: { readonly type: EndpointType; readonly name: string }
  /** After the beginning of the plan, in ms. */
  readonly startsAfterMs: number
  readonly durationMs: number
  /** What it changes there. Facts of machines and disks, not fields of objects. */
  readonly changes: readonly FieldChange[]
  /** How often it would be tried within the plan, where the first try would fail. */
  readonly attempts?: number
  /** Why it would fail. */
  readonly failure?: { readonly code: string; readonly message: string }
}

/** What recorded operations tell, in their order; tries of one operation that fail are told once. */
export function plannedOperations(
  recorded: readonly RecordedOperation[],
  begin: number,
  objectOf: (identity: string) => ObjectName | undefined,
): readonly PlannedOperation[] {
  const groups = Map.groupBy(recorded, ({ id, outcome }) => `${id} ${outcome}`)
  const told = new Set<string>()
  return recorded.flatMap(each => {
    const group = `${each.id} ${each.outcome}`
    const failed = each.outcome !== 'Succeeded' && each.outcome !== 'Running'
    if (failed && told.has(group)) return []
    told.add(group)
    return [planned(each, begin, objectOf, failed ? (groups.get(group)?.length ?? 1) : 0)]
  })
}

function planned(
  { id, endpoint, operation, before, startedAt, endedAt, outcome, message }: RecordedOperation,
  begin: number,
  objectOf: (identity: string) => ObjectName | undefined,
  attempts: number,
): PlannedOperation {
  const object = objectOf(operation.identity) ?? markedObject(operation, before)
  return {
    id,
    verb: operation.verb,
    ...(object === undefined ? {} : { object }),
    identity: operation.identity,
    endpoint: { type: endpointType(endpoint.key), name: endpoint.name },
    startsAfterMs: Math.round(startedAt - begin),
    durationMs: Math.round((endedAt ?? startedAt) - startedAt),
    changes: changesOf(operation, before).map(change => named(change, objectOf)),
    ...(attempts === 0 ? {} : { attempts, failure: { code: outcome, message: message ?? '' } }),
  }
}

/** What has no object of its own, a template's copy say, bears the mark of the object that it is for. */
function markedObject(operation: Operation, before: RecordedOperation['before']): ObjectName | undefined {
  const mark = 'mark' in operation.arguments ? operation.arguments.mark : before?.mark
  if (mark === undefined) return undefined
  const { kind, namespace, name } = mark
  return { kind, ...(namespace === undefined ? {} : { namespace }), name }
}

/** Rules in a router's document, and the target of a migration, are told by identities, which people do not know. */
function named(change: FieldChange, objectOf: (identity: string) => ObjectName | undefined): FieldChange {
  const path = namedPath(change.path, objectOf)
  const place = typeof change.after === 'string' ? /^[A-Za-z]+\/([0-9a-f-]{36})$/.exec(change.after)?.[1] : undefined
  const object = place === undefined ? undefined : objectOf(place)
  return object === undefined ? { ...change, path } : { ...change, path, after: `${object.kind} ${object.name}` }
}

function namedPath(path: string, objectOf: (identity: string) => ObjectName | undefined): string {
  return path.replaceAll(/\[([0-9a-f-]{36})\]/g, (whole, identity: string) => {
    const object = objectOf(identity)
    return object === undefined ? whole : `[${object.name}]`
  })
}

/** What is in every operation and changes nothing that a person looks for. */
const unnamed: ReadonlySet<string> = new Set(['identity', 'epoch', 'mark', 'hash', 'deadline', 'at'])

function changesOf(operation: Operation, before: RecordedOperation['before']): readonly FieldChange[] {
  const machine = before !== undefined && 'definition' in before ? before : undefined
  const volume = before !== undefined && 'format' in before ? before : undefined
  switch (operation.verb) {
    case 'DefineMachine': {
      const { definition, power } = operation.arguments
      const powered = power === undefined ? [] : fieldChanges(machine?.powerState, power, 'powerState')
      return [...fieldChanges(machine?.definition ?? {}, definition), ...powered]
    }
    case 'ConfigureRouter':
      return fieldChanges(machine?.router?.document ?? {}, operation.arguments.document)
    case 'StartMachine':
      return fieldChanges(machine?.powerState, 'Running', 'powerState')
    case 'StopMachine':
      return [
        ...fieldChanges(machine?.powerState, 'Off', 'powerState'),
        ...fieldChanges(undefined, operation.arguments.mode, 'mode'),
      ]
    case 'ResizeVolume':
      return fieldChanges(volume?.sizeBytes, operation.arguments.sizeBytes, 'sizeBytes')
    default: {
      const given = Object.entries(operation.arguments).filter(([name]) => !unnamed.has(name))
      return fieldChanges({}, Object.fromEntries(given))
    }
  }
}
