import { DriverError } from '../contract/errors.ts'
import type { Operation } from '../contract/operation.ts'

/** Refuses an operation that was sent to the wrong endpoint, or whose identities differ. */
export function requireOwn(operation: Operation, key: string): void {
  if (operation.endpoint !== key) {
    throw new DriverError(
      'InvalidArgument',
      `Cannot carry out ${operation.verb}: it is for ${operation.endpoint}, this is ${key}`,
    )
  }
  const args = operation.arguments
  if ('identity' in args && args.identity !== operation.identity) {
    throw new DriverError('InvalidArgument', `Cannot carry out ${operation.verb}: its identities differ`)
  }
}

/**
 * Runs a call as callers expect it: nothing is begun for a signal that is aborted already, an abort rejects at once
 * (in doubt: what was asked for goes on), and nothing but `DriverError` is thrown.
 */
export function settle<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new DriverError('Aborted', 'Cannot call: the caller has given up already'))
    const abort = () => reject(new DriverError('Timeout', 'Cannot wait for an answer any longer'))
    signal.addEventListener('abort', abort, { once: true })
    call()
      .then(resolve, (error: unknown) => reject(asDriverError(error)))
      .finally(() => signal.removeEventListener('abort', abort))
  })
}

function asDriverError(error: unknown): DriverError {
  if (error instanceof DriverError) return error
  return new DriverError(codeOf(error), error instanceof Error ? error.message : String(error), { cause: error })
}

/** What the operating system says about files. */
function codeOf(error: unknown): 'ResourceExhausted' | 'Internal' {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOSPC' || code === 'EDQUOT' ? 'ResourceExhausted' : 'Internal'
}
