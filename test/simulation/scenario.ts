/** What happens in one run, as data: it can be printed, replayed, and made smaller by leaving steps out. */
import type { MachineNIC } from '../../drivers/contract/facts.ts'
import type { Fault } from '../../drivers/simulator/faults.ts'

/** An object as an operator writes it. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: Readonly<Record<string, unknown>>
  /** Only of an Allocation, which says of itself that it is held. */
  readonly status?: Readonly<Record<string, unknown>>
}

/** Names an object. */
export interface ObjectReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

/** A machine with disks that somebody runs beside the cloud, on a host and in a pool of it, and that may be taken over. */
export interface Foreigner {
  readonly identity: string
  readonly host: string
  readonly pool: string
  readonly power: 'Running' | 'Off'
  readonly memoryBytes: number
  readonly guestHostName: string
  readonly disks: readonly { readonly identity: string; readonly sizeBytes: number }[]
  readonly nics: readonly MachineNIC[]
}

/** What a replica of the controllers is killed at: its next `after`th effect, a write to the API or a driver's call. */
export interface Death {
  readonly after: number
  /** `Before` the effect goes out; `After` it has gone out, unanswered; `Late`: it arrives when the replica is dead. */
  readonly when: 'Before' | 'After' | 'Late'
  /** How long the replica is away, in ms. */
  readonly away: number
}

/** A trouble at a place outside, from which it recovers after `lasts` ms. */
export interface PlaceTrouble {
  readonly trouble:
    | 'KillHost'
    | 'FreezeHostLosing'
    | 'FreezeHostQueueing'
    | 'CutOffHost'
    | 'CutConnections'
    | 'KillPowerController'
    | 'KillStorage'
    | 'FreezeStorageLosing'
    | 'FreezeStorageQueueing'
    | 'KillImageStore'
    | 'FreezeImageStore'
  /** Counts over what there is: `nth` modulo its number. */
  readonly nth: number
  readonly lasts: number
}

/** The way from the controllers to places that live on is broken for `lasts` ms. */
export interface Split {
  readonly hosts: readonly string[]
  /** Hosts whose power controllers are behind the break. */
  readonly powerControllers: readonly string[]
  readonly storages: readonly string[]
  /** Ways between hosts and pools that are broken too. */
  readonly paths: readonly { readonly host: string; readonly storage: string }[]
  readonly lasts: number
}

/** Something that somebody does behind the control plane's back. */
export interface OutsideChange {
  readonly change:
    | 'ShutDownGuest'
    | 'CrashGuest'
    | 'CrashGuestLeft'
    | 'IgnoreACPI'
    | 'DestroyMachine'
    | 'PauseMachine'
    | 'StartMachine'
    | 'RemoveMachine'
    | 'ClearRouter'
    | 'AddForeignMachine'
    | 'AddForeignVolume'
  readonly nth: number
}

/** What goes wrong between the controllers and the API; `times` times, after `skip` that pass. */
export interface WireTrouble {
  readonly trouble:
    | 'DropEvent'
    | 'DuplicateEvent'
    | 'DelayEvent'
    | 'BreakWatch'
    | 'LoseRequest'
    | 'LoseReply'
    | 'DelayRequest'
  /** Only of this kind's plural. Left out: of all. */
  readonly plural?: string
  readonly times: number
  readonly skip: number
  readonly milliseconds: number
}

/** One thing that happens. `at` counts ms from the beginning. */
export type Step = { readonly at: number } & (
  | { readonly do: 'Apply'; readonly object: Manifest }
  | { readonly do: 'Delete'; readonly object: ObjectReference }
  /** The manifest is taken out of what is described; the control plane gives the object back by itself. */
  | { readonly do: 'Forget'; readonly object: ObjectReference }
  | ({ readonly do: 'AddForeigner' } & Foreigner)
  /** The `nth` disk in the trash is taken back as a Volume of that name. */
  | { readonly do: 'TakeBack'; readonly nth: number; readonly name: string }
  | { readonly do: 'Fault'; readonly fault: Fault }
  | ({ readonly do: 'Place' } & PlaceTrouble)
  | ({ readonly do: 'Split' } & Split)
  /** A host gets its power back for good: it was declared Lost, and may be Active again. */
  | { readonly do: 'Repair'; readonly host: string }
  /** A host that lives is declared Lost by mistake, and is perhaps cut off: only where nothing else goes wrong outside. */
  | { readonly do: 'MistakeForLost'; readonly host: string; readonly cutOff: boolean }
  | ({ readonly do: 'Outside' } & OutsideChange)
  | ({ readonly do: 'Wire' } & WireTrouble)
  | ({ readonly do: 'Kill' } & Death)
  | { readonly do: 'Suspend'; readonly lasts: number }
  | { readonly do: 'WipeStatuses' }
  | { readonly do: 'LoseStore' }
)

/** A run. */
export interface Scenario {
  readonly seed: number
  /** Minutes of virtual time until the faults stop. */
  readonly minutes: number
  /** How many replicas of the controllers share the zones. */
  readonly replicas: 1 | 2
  /** How long after the answer to a write watches tell of it, in ms. Left out: at the same moment, mostly before it. */
  readonly eventLag?: number
  /** Nothing is judged for the mere passing of time: what is not woken by what it waits for stays as it is. */
  readonly withoutResync?: boolean
  readonly steps: readonly Step[]
}

/** The name under which an object is known in a scenario. */
export function keyOf(
  object: Pick<ObjectReference, 'kind' | 'namespace' | 'name'> | Pick<Manifest, 'kind' | 'metadata'>,
): string {
  const { name, namespace } = 'metadata' in object ? object.metadata : object
  return `${object.kind}/${namespace ?? ''}/${name}`
}

/** The zone of a place of a generated cloud, which bears its zone's name in front: `zone-1` of `zone-1-c2-h3`. */
export function zoneOfPlace(name: string): string {
  return name.split('-').slice(0, 2).join('-')
}

/** A step in few words. */
export function describeStep(step: Step): string {
  const { at, do: what, ...rest } = step
  const minutes = (at / 60_000).toFixed(2)
  if (step.do === 'Apply') return `${minutes} min  Apply ${keyOf(step.object)} ${JSON.stringify(step.object.spec)}`
  if (step.do === 'Delete' || step.do === 'Forget') return `${minutes} min  ${what} ${keyOf(step.object)}`
  return `${minutes} min  ${what} ${JSON.stringify(rest)}`
}
