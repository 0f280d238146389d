import type { EndpointType } from '../../drivers/contract/endpoint.ts'
import type { DriverErrorCode } from '../../drivers/contract/errors.ts'
import type { Verb } from '../../drivers/contract/operation.ts'

/** What is written to the log: fields and a static message. A pino logger is one. Never given arguments of operations. */
export interface ObservationLogger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

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
    readonly verb: Verb
    readonly type: EndpointType
    readonly outcome: OperationOutcome
    readonly durationMs: number
  }): void
}
