import { ApiError, pathOnly } from './api-error.ts'
import type { Transport } from './transport.ts'

/**
 * A transport that writes only while its process may: one that slept knows less than whoever has its work meanwhile, and
 * the two would undo each other's writes for ever. What is refused was not sent.
 */
export function leasedTransport(transport: Transport, mayWrite: () => boolean): Transport {
  return {
    ...transport,
    async request(request) {
      if (request.method === 'GET' || mayWrite()) return await transport.request(request)
      const message = `Cannot write ${pathOnly(request.path)}: this process does not hold its lease`
      throw new ApiError(message, { status: 403, reason: 'Forbidden' })
    },
  }
}
