import { hash, timingSafeEqual } from 'node:crypto'
import type { User } from '../api-request.ts'

/** Whom a bearer token belongs to; undefined: nobody. */
export type TokenCheck = (token: string) => Promise<User | undefined>

/** Knows one token and whom it belongs to; comparing takes the same time for every wrong one. */
export function tokenCheck(token: string, user: User): TokenCheck {
  const expected = digest(token)
  return async given => (timingSafeEqual(digest(given), expected) ? user : undefined)
}

/** Asks one check after the other. */
export function firstKnown(...checks: readonly TokenCheck[]): TokenCheck {
  return async token => {
    for (const check of checks) {
      const user = await check(token)
      if (user !== undefined) return user
    }
    return undefined
  }
}

function digest(value: string): Buffer {
  return hash('sha256', value, 'buffer')
}
