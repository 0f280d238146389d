/** Empties a real API of what stories leave behind. */
import { ConfigMap, CustomResourceDefinition, Namespace, Secret } from '../../../controllers/api/built-in-kinds.ts'
import { ApiError, type Client } from '../../../controllers/api/client.ts'
import { Lease } from '../../../controllers/api/lease.ts'
import type { AnyApiKind } from '../../../controllers/api/paths.ts'
import { Event } from '../../../controllers/events.ts'
import { systemNamespace } from '../../../controllers/install.ts'
import { kinds } from '../../../crds/kinds.ts'
import type { Resource } from '../../../crds/meta.ts'
import { until } from '../../until.ts'

/** Deletes every object of our kinds, whatever holds it, and what else we wrote; the definitions stay. */
export async function empty(client: Client): Promise<void> {
  const defined = await client.list(CustomResourceDefinition)
  const served = new Set(defined.items.map(({ metadata }) => metadata.name))
  const ours = kinds.filter(kind => served.has(`${kind.plural}.${kind.group}`))
  await Promise.all(ours.map(kind => emptyKind(client, kind, () => true)))
  await Promise.all([ConfigMap, Secret, Lease].map(kind => emptyKind(client, kind, isOfSystem)))
  await emptyKind(client, Event, isOfOurs)
  await namespacesGone(client)
}

const isOfSystem = ({ metadata }: Resource) => metadata.namespace === systemNamespace

function isOfOurs(event: Resource): boolean {
  const { regarding } = event as { readonly regarding?: { readonly apiVersion?: string } }
  return kinds.some(({ apiVersion }) => apiVersion === regarding?.apiVersion)
}

async function emptyKind(client: Client, kind: AnyApiKind, isMeant: (object: Resource) => boolean): Promise<void> {
  const { items } = await client.list(kind)
  const meant = (items as readonly Resource[]).filter(isMeant)
  for (let index = 0; index < meant.length; index += atOnce) {
    await Promise.all(meant.slice(index, index + atOnce).map(object => remove(client, kind, object)))
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
