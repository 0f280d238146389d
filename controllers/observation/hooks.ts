import type { DriverName, EndpointType } from '../../drivers/contract/endpoint.ts'
import type { DriverErrorCode } from '../../drivers/contract/errors.ts'
import type { Verb } from '../../drivers/contract/operation.ts'
import type { Logger } from '../log.ts'

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
