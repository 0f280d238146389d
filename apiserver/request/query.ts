/** Parameters of a query, read as Kubernetes reads them. */

import { badRequest } from '../status-error.ts'

/** Reads a boolean parameter as Kubernetes does: anything but false and 0 says yes. */
export function readBoolean(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)
  return value !== null && value !== 'false' && value !== '0'
}

/** Reads a whole number parameter; throws a 400 where it is none, in the words that clients know. */
export function readNumber(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name)
  if (value === null || value === '') return undefined
  if (/^[-+]?[0-9]{1,15}$/.test(value)) return Number(value)
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`)
}
