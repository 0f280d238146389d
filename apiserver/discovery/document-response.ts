/** Answers with documents: what has not changed is not sent again, what is named by its hash is kept by clients. */

import type { APIRequest, APIResponse } from '../api-request.ts'
import type { Document } from './documents.ts'

const year = 365 * 24 * 60 * 60 * 1000

/** Answers a request for a document; `query` may name the hash that the index gave, `now` is in milliseconds. */
export function documentResponse(
  document: Document,
  { path, headers: asked }: APIRequest,
  { query, now }: { query: URLSearchParams; now: number },
): APIResponse {
  const { body, type, etag, hash } = document
  const wished = hash === undefined ? null : query.get('hash')
  const headers = { 'content-type': type, etag, vary: 'Accept', 'cache-control': 'no-cache, private' }
  if (wished !== null && wished !== hash) {
    const location = `${path.split('?')[0]}?hash=${hash}`
    return { status: 301, headers: { ...headers, location }, body: new Uint8Array() }
  }
  if (asked['if-none-match'] === etag) return { status: 304, headers, body: new Uint8Array() }
  if (wished === null) return { status: 200, headers, body }
  const expires = new Date(now + year).toUTCString()
  return { status: 200, headers: { ...headers, 'cache-control': 'public, immutable', expires }, body }
}
