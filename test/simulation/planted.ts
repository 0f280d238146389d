/** Bugs that are put between the controllers and the world on purpose: a simulation that misses them is none. */

import type { Transport, TransportRequest, TransportResponse } from '../../controllers/api/transport.ts'
import type { Driver } from '../../drivers/contract/driver.ts'
import type { Endpoint } from '../../drivers/contract/endpoint.ts'
import { DriverError } from '../../drivers/contract/errors.ts'
import type { Operation } from '../../drivers/contract/operation.ts'
import type { RunOptions } from './run.ts'

/** The bugs there are. */
export const plantedBugs = ['double-start', 'leaked-address', 'lost-update'] as const

/** A planted bug. */
export type PlantedBug = (typeof plantedBugs)[number]

/** The options that plant a bug; none where none is named. */
export function planted(bug: PlantedBug | undefined): Pick<RunOptions, 'plantDriver' | 'plantTransport'> {
  if (bug === 'double-start') return { plantDriver: retryingElsewhere }
  if (bug === 'leaked-address') return { plantTransport: keepingAddresses }
  if (bug === 'lost-update') return { plantTransport: losingUpdates }
  return {}
}

/** Double start: a machine whose host did not answer to its definition is tried on the next host, without any proof. */
function retryingElsewhere(driver: Driver): Driver {
  const hosts = new Map<string, Endpoint>()
  return {
    ...driver,
    connect(endpoint) {
      if (endpoint.configuration.type === 'Host') hosts.set(endpoint.key, endpoint)
      const connection = driver.connect(endpoint)
      return {
        inventory: options => connection.inventory(options),
        ...(connection.subscribe === undefined
          ? {}
          : { subscribe: listener => connection.subscribe?.(listener) ?? { [Symbol.dispose]() {} } }),
        async perform(operation, options) {
          try {
            return await connection.perform(operation, options)
          } catch (error) {
            const other = [...hosts.values()].find(({ key }) => key !== endpoint.key)
            const isInDoubt = error instanceof DriverError && error.code === 'Unavailable'
            if (operation.verb !== 'DefineMachine' || !isInDoubt || other === undefined) throw error
            // The same operation but for its place.
            const moved = { ...operation, endpoint: other.key } as Operation<typeof operation.verb>
            return driver.connect(other).perform(moved, options)
          }
        },
        [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
      }
    },
  }
}

/** Leaked address: addresses that end in an even digit are never given back, though it is said that they are. */
function keepingAddresses(transport: Transport): Transport {
  return around(transport, ({ method, path }) => {
    if (method !== 'DELETE' || !/\/allocations\/ip-.*[02468](\?|$)/.test(path)) return undefined
    return json(200, { kind: 'Status', apiVersion: 'v1', status: 'Success' })
  })
}

/** Lost update: a claim that moves is said to be stored, and is not. */
function losingUpdates(transport: Transport): Transport {
  return around(transport, ({ method, path, body }) => {
    if (method !== 'PUT' || !path.includes('/allocations/machine-')) return undefined
    return json(200, JSON.parse(Buffer.from(body ?? '').toString('utf8')))
  })
}

function around(transport: Transport, answer: (request: TransportRequest) => TransportResponse | undefined): Transport {
  return { ...transport, request: async request => answer(request) ?? transport.request(request) }
}

function json(status: number, body: unknown): TransportResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(body)) }
}
