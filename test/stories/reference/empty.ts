/** Empties a real API of what stories leave behind. */
import { ApiError, type Client } from '../../../controllers/api/client.ts'
import type { AnyApiKind } from '../../../controllers/api/paths.ts'
import { kinds } from '../../../crds/kinds.ts'
import type { Resource } from '../../../crds/meta.ts'
import { until } from '../../until.ts'

const core = { apiVersion: 'v1', namespaced: true } as const
const ConfigMap = { ...core, kind: 'ConfigMap', plural: 'configmaps' }
const Secret = { ...core, kind: 'Secret', plural: 'secrets' }
const Event = { apiVersion: 'events.k8s.io/v1', kind: 'Event', plural: 'events', namespaced: true } as const
const Lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases', namespaced: true } as const
const Namespace = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false } as const

/** The cluster's own, which are none of ours. */
const isOfCluster = (namespace: string | undefined) => namespace === 'default' || namespace?.startsWith('kube-')

/** Deletes every object of our kinds, whatever holds it, and what else is ours; the definitions stay. */
export async function empty(client: Client): Promise<void> {
  const defined = await client.list(definitions)
  const served = new Set(defined.items.map(({ metadata }) => metadata.name))
  const ours = kinds.filter(kind => served.has(`${kind.plural}.${kind.group}`))
  await Promise.all(ours.map(kind => emptyKind(client, kind)))
  await Promise.all([ConfigMap, Secret, Lease].map(kind => emptyKind(client, kind)))
  // Those of what is in no namespace are in the cluster's own.
  await emptyKind(client, Event, () => true)
  await namespacesGone(client)
}

const definitions = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
} as const

const isNoneOfTheCluster = (namespace: string | undefined) => !isOfCluster(namespace)

async function emptyKind(client: Client, kind: AnyApiKind, isMeant = isNoneOfTheCluster): Promise<void> {
  const { items } = await client.list(kind)
  const ours = (items as readonly Resource[]).filter(({ metadata }) => isMeant(metadata.namespace))
  for (let index = 0; index < ours.length; index += atOnce) {
    await Promise.all(ours.slice(index, index + atOnce).map(object => remove(client, kind, object)))
  }
}

/** How many objects of a kind are deleted at a time. */
const atOnce = 20

async function remove(client: Client, kind: AnyApiKind, { metadata }: Resource): Promise<void> {
  const { name, namespace, uid, finalizers = [] } = metadata
  const meant = { name, uid, ...(namespace === undefined ? {} : { namespace }) }
  await client.remove(kind, meant).catch(unlessGone)
  if (finalizers.length > 0) await client.patchFinalizers(kind, { metadata: meant }, []).catch(unlessGone)
}

/** The namespaces of stories stay, for the next one to use; those that go are waited for. */
async function namespacesGone(client: Client): Promise<void> {
  const isGoing = ({ metadata }: Resource) => metadata.deletionTimestamp !== undefined
  await until('the end of deleted namespaces', async () => {
    const { items } = await client.list(Namespace)
    return !(items as readonly Resource[]).some(isGoing)
  })
}

/** The cluster's own garbage collector is at work too. */
function unlessGone(error: unknown): undefined {
  if (error instanceof ApiError && ['NotFound', 'Conflict'].includes(error.reason)) return undefined
  throw error
}
