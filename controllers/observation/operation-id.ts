import type { Operation } from '../../drivers/contract/operation.ts'
import { hashOf } from '../../reconcilers/identity.ts'

/**
 * The id of an operation: `<identity>/<verb>/<16 hex digits>`. The same for the same arguments at the same endpoint;
 * secrets are left out, so that nothing about them can be read from a log or journal.
 */
export function operationId({ identity, verb, endpoint, arguments: given }: Operation): string {
  const open = 'userData' in given ? { ...given, userData: undefined } : given
  return `${identity}/${verb}/${hashOf({ endpoint, arguments: open }).slice(0, 16)}`
}
