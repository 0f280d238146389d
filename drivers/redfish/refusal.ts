import { DriverError, type DriverErrorCode } from '../contract/errors.ts'
import { fieldsOf, listOf, textOf } from './json.ts'

/** A request that was refused. */
export interface Refused {
  /** `Cannot GET …`, for people. */
  readonly what: string
  readonly method: 'GET' | 'POST'
}

/** Statuses of DSP0266 that say something of their own. */
const meanings: Readonly<Record<number, readonly [DriverErrorCode, string]>> = {
  401: ['Unauthenticated', 'it refuses the user name or password'],
  403: ['Unauthenticated', 'the user may not do that'],
  404: ['NotFound', 'it has no such resource'],
  409: ['FailedPrecondition', 'its state does not allow it'],
  412: ['FailedPrecondition', 'its state does not allow it'],
  429: ['Unavailable', 'it has too much to do'],
  502: ['Unavailable', 'it cannot be reached'],
  503: ['Unavailable', 'it is not ready'],
  504: ['Unavailable', 'it cannot be reached'],
}

/** A refusal in the codes of the contract. Of what the service says only the name of its message is repeated. */
export function refusal(status: number, text: string, { what, method }: Refused): DriverError {
  const name = messageName(text)
  const said = name === undefined ? `HTTP status ${status}` : `HTTP status ${status}, ${name}`
  const [code, why] = meanings[status] ?? otherwise(status)
  // A server that failed may have done it; one that refused has not.
  return new DriverError(code, `${what}: ${why} (${said})`, { inDoubt: method === 'POST' && status >= 500 })
}

function otherwise(status: number): readonly [DriverErrorCode, string] {
  if (status < 400) return ['Unsupported', 'it answers otherwise than asked, and redirections are not followed']
  if (status === 501 || status < 500) return ['Unsupported', 'it does not take the request']
  return ['Internal', 'it failed']
}

/** For example `Base.1.8.ActionParameterNotSupported`: a name from a registry, which holds nothing of ours. */
function messageName(text: string): string | undefined {
  const error = fieldsOf(fieldsOf(parsed(text)).error)
  const [first] = listOf(error['@Message.ExtendedInfo'])
  const name = textOf(fieldsOf(first).MessageId) ?? textOf(error.code)
  return name !== undefined && /^[A-Za-z][A-Za-z0-9.]{0,99}$/.test(name) ? name : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
