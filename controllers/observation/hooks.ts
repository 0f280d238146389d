import type { Environment } from '../../crds/environment.ts'
import type { DriverName, EndpointKey, EndpointType } from '../../drivers/contract/endpoint.ts'
import type { DriverErrorCode } from '../../drivers/contract/errors.ts'
import type { MachineFacts, VolumeFacts } from '../../drivers/contract/facts.ts'
import type { Operation, Verb } from '../../drivers/contract/operation.ts'
import type { Seen } from '../../reconcilers/world.ts'
import type { Logger } from '../log.ts'

/** What the cache is made of. */
export interface ObservedCacheOptions {
  /** The installation's id: marks with another one are not ours. */
  readonly installation: string
  readonly environment: Environment
  /** Called with the topic of every value that changed, after all of one change is in. */
  readonly notify: (topic: string) => void
  /** Called after each single change of what is seen of a machine or volume at one endpoint. Default: nobody is. */
  readonly sighted?: (sighting: Sighting) => void
}

/** What is seen of a machine or volume at one endpoint, and what was: undefined where it was not, or is no more. */
export type Sighting = SightingOf<'Machine', MachineFacts> | SightingOf<'Volume', VolumeFacts>

interface SightingOf<Sort, Facts> {
  readonly sort: Sort
  readonly before: Seen<Facts> | undefined
  readonly after: Seen<Facts> | undefined
}

/** What an operation changes, and where. */
export type Aim = Pick<Operation, 'endpoint' | 'identity'>

/** When a listing was begun: as a moment of the cache's own count, and on the monotonic clock. */
export interface Begun {
  readonly moment: number
  readonly monotonic: number
}

/** Where lines go. Never given arguments of operations. */
export type ObservationLogger = Omit<Logger, 'child'>

/** How an operation ended: well, with a driver's code, or before it was given to the driver at all. */
export type OperationOutcome = 'Succeeded' | 'NotDispatched' | DriverErrorCode

/** Where figures of listings go. */
export interface ListingMetrics {
  /** A listing ended after so many milliseconds. */
  listingEnded(listing: {
    readonly driver: string
    readonly type: EndpointType
    readonly outcome: 'Succeeded' | DriverErrorCode
    readonly durationMs: number
  }): void
}

/** Where figures of operations go. */
export interface OperationMetrics {
  /** An operation ended so many milliseconds after it was given to the driver. */
  operationEnded(operation: {
    /** Name of the driver; '' where the endpoint is not declared any more. */
    readonly driver: DriverName | ''
    readonly verb: Verb
    readonly type: EndpointType
    readonly outcome: OperationOutcome
    readonly durationMs: number
  }): void
}

/** Who wanted an operation: the object that was judged, as it stood then. */
export interface Requester {
  readonly kind: string
  readonly namespace?: string | undefined
  readonly name: string
  readonly uid: string
  /** metadata.generation of the spec that was judged. */
  readonly generation: number
  /** The field manager that last changed that spec, for example `kubectl-client-side-apply`. */
  readonly changedBy?: string | undefined
}

/** An operation that was accepted. Without its arguments: they may be secret. */
export interface AcceptedOperation {
  /** The operation's id. */
  readonly operation: string
  readonly verb: Verb
  readonly endpoint: EndpointKey
  /** Name of the resource that declares the endpoint; the endpoint's key where nobody does any more. */
  readonly endpointName: string
  readonly identity: string
  readonly requester: Requester
}

/** How an operation ended. */
export interface OperationEnd {
  readonly outcome: OperationOutcome
  /** What the driver said; left out where it went well. */
  readonly message?: string
}

/** Follows one operation. `began` is left out where it was given up before its driver got it. */
export interface OperationFollower {
  /** It is given to its driver. */
  began(): void
  ended(end: OperationEnd): void
}

/** Who wants to know what is done: called in passing, never awaited, must not throw. */
export interface OperationListener {
  /** An operation was accepted and waits for its turn at its endpoint. */
  accepted(operation: AcceptedOperation): OperationFollower
}
