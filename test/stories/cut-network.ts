import { ApiError } from '../../controllers/api/api-error.ts'
import type { Transport } from '../../controllers/api/transport.ts'

/** A network between one replica and the API. */
export interface CutNetwork {
  /** While it is cut no request arrives. */
  isCut: boolean
  /** The way through it. */
  through(transport: Transport): Transport
}

/** A network that can be cut, and is not. */
export function cutNetwork(): CutNetwork {
  const network: CutNetwork = {
    isCut: false,
    through: transport => ({
      ...transport,
      async request(request) {
        if (network.isCut) throw new ApiError('no network', { status: 0, reason: 'Unavailable' })
        return transport.request(request)
      },
    }),
  }
  return network
}
