import type { Clock } from '../../crds/environment.ts'
import type { Connection, Driver } from '../../drivers/contract/driver.ts'
import type { Endpoint } from '../../drivers/contract/endpoint.ts'
import { DriverError, type DriverErrorCode } from '../../drivers/contract/errors.ts'
import type { ImageFacts, MachineFacts, VolumeFacts } from '../../drivers/contract/facts.ts'
import type { Operation } from '../../drivers/contract/operation.ts'

/** An operation as a driver was given it, with what became of it. */
export interface RecordedOperation {
  readonly id: string
  readonly endpoint: Endpoint
  readonly operation: Operation
  /** On the monotonic clock. */
  readonly startedAt: number
  /** On the monotonic clock; undefined while it runs. */
  endedAt: number | undefined
  outcome: 'Running' | 'Succeeded' | DriverErrorCode
  /** Why it failed; undefined while it has not. */
  message: string | undefined
  /** What its identity was at the endpoint when it began; undefined where it was not there, or nobody could look. */
  readonly before: MachineFacts | VolumeFacts | ImageFacts | undefined
}

/** Who is told of operations. */
export interface RecordingListener {
  readonly look: (operation: Operation) => RecordedOperation['before']
  readonly started: (recorded: RecordedOperation) => void
  readonly ended: (recorded: RecordedOperation) => void
}

/** A driver that also notes each operation at the moment it is given one. */
export function recordingDriver(driver: Driver, clock: Clock, listener: RecordingListener): Driver {
  return {
    name: driver.name,
    serves: driver.serves,
    connect: endpoint => recordingConnection(driver.connect(endpoint), endpoint),
  }

  function recordingConnection(connection: Connection, endpoint: Endpoint): Connection {
    const subscribe = connection.subscribe?.bind(connection)
    return {
      inventory: options => connection.inventory(options),
      async perform(asked, options) {
        // One of the union: the compiler cannot see it while the verb is open.
        const operation = asked as Operation
        const recorded: RecordedOperation = {
          id: options.operationId ?? '',
          endpoint,
          operation,
          before: listener.look(operation),
          startedAt: clock.monotonic(),
          endedAt: undefined,
          outcome: 'Running',
          message: undefined,
        }
        listener.started(recorded)
        try {
          const answer = await connection.perform(asked, options)
          recorded.outcome = 'Succeeded'
          return answer
        } catch (error) {
          recorded.outcome = error instanceof DriverError ? error.code : 'Internal'
          recorded.message = error instanceof Error ? error.message : String(error)
          throw error
        } finally {
          recorded.endedAt = clock.monotonic()
          listener.ended(recorded)
        }
      },
      ...(subscribe === undefined ? {} : { subscribe }),
      [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
    }
  }
}
