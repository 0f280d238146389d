/** Which objects a list shows, and as of when. */

import type { JSONObject } from '../api-object.ts'
import { keyOf } from '../api-object.ts'
import type { Scope } from '../scope.ts'
import type { Selection } from '../selection.ts'
import { selectionOf } from '../selection.ts'
import { badRequest, expired, versionTooLarge } from '../status-error.ts'
import type { Entry } from '../storage/entry.ts'
import { askedLimit, askedVersion, checkListOptions } from './list-options.ts'

/** A page of a list. */
export interface Page {
  readonly entries: readonly Entry[]
  /** metav1.ListMeta. */
  readonly metadata: JSONObject
}

/** Where the next page goes on. */
interface Continuation {
  /** The version at which the first page was read. */
  readonly version: number
  /** The last key that was shown. */
  readonly after: string
}

/** Reads one page of at most `limit` objects; throws 400, 410, 422 or 504. */
export function listPage(scope: Scope, limit = askedLimit(scope)): Page {
  const { store } = scope.context
  checkListOptions(scope)
  const continuation = readContinuation(scope)
  const version = continuation?.version ?? exactVersion(scope)
  const selection = selectionOf(scope)
  const candidates = candidatesOf(scope, selection, version)
  if (candidates === undefined) throw tooOld(continuation !== undefined)
  const start = continuation === undefined ? 0 : indexAfter(candidates, continuation.after)
  const entries: Entry[] = []
  let index = start
  for (; index < candidates.length; index++) {
    const entry = candidates[index]
    if (entry === undefined || !selection.matches(entry)) continue
    if (limit > 0 && entries.length === limit) break
    entries.push(entry)
  }
  const shown = version ?? store.version
  const metadata: Record<string, unknown> = { resourceVersion: String(shown) }
  const last = entries.at(-1)
  if (index < candidates.length && last !== undefined) {
    metadata.continue = writeContinuation({ version: shown, after: last.key })
    if (selection.everything) metadata.remainingItemCount = candidates.length - index
  }
  return { entries, metadata }
}

/** The version at which the list must be read; undefined: now, which is never older than what was asked for. */
function exactVersion(scope: Scope): number | undefined {
  const asked = askedVersion(scope)
  const { store } = scope.context
  if (asked === undefined || asked === 0) return undefined
  if (asked > store.version) throw versionTooLarge(asked, store.version)
  const match = scope.query.get('resourceVersionMatch') ?? ''
  const limited = askedLimit(scope) > 0
  return match === 'Exact' || (match === '' && limited) ? asked : undefined
}

function candidatesOf(scope: Scope, selection: Selection, version: number | undefined): readonly Entry[] | undefined {
  const collection = scope.context.store.collection(scope.resource.collection)
  if (version !== undefined) return collection.at(version, selection.namespace)
  const single = selection.name !== undefined && (selection.namespace !== '' || !scope.resource.definition.namespaced)
  if (!single) return collection.ordered(selection.namespace)
  const entry = collection.entries.get(keyOf(selection.namespace, selection.name ?? ''))
  return entry === undefined ? [] : [entry]
}

function indexAfter(entries: readonly Entry[], key: string): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((entries[middle]?.key ?? '') <= key) low = middle + 1
    else high = middle
  }
  return low
}

function readContinuation(scope: Scope): Continuation | undefined {
  const token = scope.query.get('continue') ?? ''
  if (token === '') return undefined
  const version = scope.query.get('resourceVersion') ?? ''
  if (version !== '' && version !== '0')
    throw badRequest('specifying resource version is not allowed when using continue')
  const [number = '', after] = Buffer.from(token, 'base64url').toString().split(' ')
  if (!/^[0-9]{1,15}$/.test(number) || after === undefined) {
    throw badRequest(`invalid continue token: continue key is not valid: ${JSON.stringify(token)}`)
  }
  if (Number(number) > scope.context.store.version) throw tooOld(true)
  return { version: Number(number), after }
}

function writeContinuation({ version, after }: Continuation): string {
  return Buffer.from(`${version} ${after}`).toString('base64url')
}

function tooOld(continued: boolean): Error {
  if (!continued) return expired('The resourceVersion for the provided list is too old.')
  return expired(
    'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.',
  )
}
