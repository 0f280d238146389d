import type { Client } from '../api/client.ts'
import type { LeaseMarks } from '../api/lease.ts'
import type { Logger } from '../log.ts'
import { publishQueryAddress, queryMarks, withdrawQueryAddress } from './publication.ts'
import type { QuerySources } from './route.ts'
import { queryRoutes } from './routes.ts'
import { type QueryEndpoint, startQueryServer } from './server.ts'

/** How a control plane answers questions. */
export interface QueryOptions extends QueryEndpoint {
  /** The name of this replica, under which its endpoint is found: letters, digits, `-`, `.`. */
  readonly replica: string
}

/** A served query endpoint. */
export interface QueryService {
  readonly url: string
  /** How a Lease says where it is. */
  readonly marks: LeaseMarks
  /** Says in a Lease of its own where it is, until it is closed. */
  publish(): Promise<void>
  close(): Promise<void>
}

/** Serves the questions of `routes.ts`. */
export async function serveQueries(
  options: QueryOptions,
  parts: { readonly sources: QuerySources; readonly client: Client; readonly logger: Logger },
): Promise<QueryService> {
  const { client, logger } = parts
  const { replica, authority } = options
  const server = await startQueryServer({ ...options, ...parts, routes: queryRoutes })
  const { url } = server
  let isPublished = false
  return {
    url,
    marks: queryMarks({ url, authority }),
    async publish() {
      isPublished = true
      await publishQueryAddress(client, { replica, url, authority })
    },
    async close() {
      await server.close()
      if (!isPublished) return
      // An endpoint that is still told of answers nothing, which clients can bear: stopping must not fail for it.
      await withdrawQueryAddress(client, replica).catch(error =>
        logger.warn({ err: error }, 'the query endpoint is still told of'),
      )
    },
  }
}
