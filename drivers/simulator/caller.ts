import type { Mark } from '../contract/facts.ts'

/** Who asks, as far as the driver is told. */
export interface Caller {
  readonly installation: string | undefined
  /** The id of the operation, for jobs that outlive the call. */
  readonly operationId?: string | undefined
  /** The key of the endpoint that was called. */
  readonly endpoint?: string
}

/** Whether two marks are for the same kind of resource: the name may change with its owner, the kind may not. */
export function sameMark(left: Mark | undefined, right: Mark): boolean {
  return (
    left !== undefined &&
    left.installation === right.installation &&
    left.kind === right.kind &&
    left.namespace === right.namespace &&
    left.name === right.name
  )
}
