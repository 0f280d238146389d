import { DriverError } from '../../drivers/contract/errors.ts'
import { systemNamespace } from '../install.ts'
import { Secret } from './built-in-kinds.ts'
import type { Client } from './client.ts'

/**
 * Reads Secrets of the control plane's namespace, each time anew: what is in them is kept nowhere. Throws `DriverError`
 * (`Unauthenticated`, which names the Secret) where there is none.
 */
export function secretReader(client: Pick<Client, 'get'>): (name: string) => Promise<Readonly<Record<string, string>>> {
  return async name => {
    const secret = await client.get(Secret, name, systemNamespace)
    if (secret === undefined) {
      throw new DriverError('Unauthenticated', `Cannot sign in: Secret "${systemNamespace}/${name}" does not exist`)
    }
    const { data = {} } = secret
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
    )
  }
}
