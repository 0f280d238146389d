import type { User } from '../api-request.ts'

/** Whom a bearer token belongs to; undefined: nobody. */
export type TokenCheck = (token: string) => Promise<User | undefined>

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
