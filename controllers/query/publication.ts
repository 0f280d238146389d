import { ApiError, type Client } from '../api/client.ts'
import { Lease, type LeaseMarks, type LeaseObject } from '../api/lease.ts'
import { systemNamespace } from '../install.ts'

/** Where a query endpoint is, and whom to trust there. */
export interface QueryAddress {
  /** The replica that answers. */
  readonly replica: string
  /** `https://host:port`. */
  readonly url: string
  /** PEM of the authority that signed its certificate. */
  readonly authority: string
}

const label = 'query.skystead.dev/endpoint'
const urlAnnotation = 'query.skystead.dev/url'
const authorityAnnotation = 'query.skystead.dev/authority'

/** How a Lease says where the query endpoint of its holder is. */
export function queryMarks({ url, authority }: Omit<QueryAddress, 'replica'>): LeaseMarks {
  return {
    labels: { [label]: 'true' },
    annotations: { [urlAnnotation]: url, [authorityAnnotation]: authority },
  }
}

/** Says in a Lease where the query endpoint of a process is that has no other Lease. */
export async function publishQueryAddress(client: Client, address: QueryAddress): Promise<void> {
  const { replica } = address
  const lease = {
    apiVersion: Lease.apiVersion,
    kind: Lease.kind,
    metadata: { name: leaseName(replica), namespace: systemNamespace, ...queryMarks(address) },
    spec: { holderIdentity: replica },
  }
  await client.apply(Lease, lease, { fieldManager: 'skystead-query', force: true })
}

/** Takes that back: the endpoint is served no more. */
export async function withdrawQueryAddress(client: Client, replica: string): Promise<void> {
  const lease = await client.get(Lease, leaseName(replica), systemNamespace)
  if (lease === undefined) return
  await client.remove(Lease, lease.metadata).catch(error => {
    if (!(error instanceof ApiError) || error.reason !== 'NotFound') throw error
  })
}

/** All query endpoints that are told of, in order of their replicas. One whose replica ended suddenly is still among them. */
export async function queryAddresses(client: Pick<Client, 'list'>): Promise<readonly QueryAddress[]> {
  const { items } = await client.list(Lease, { namespace: systemNamespace, labelSelector: label })
  return items.flatMap(addressOf).sort((left, right) => (left.replica < right.replica ? -1 : 1))
}

function addressOf({ metadata, spec }: LeaseObject): readonly QueryAddress[] {
  const url = metadata.annotations?.[urlAnnotation]
  const authority = metadata.annotations?.[authorityAnnotation]
  const replica = spec?.holderIdentity
  return url === undefined || authority === undefined || replica === undefined ? [] : [{ replica, url, authority }]
}

function leaseName(replica: string): string {
  return `skystead-query-${replica}`
}
