import { Namespace } from '../../controllers/api/built-in-kinds.ts'
import type { Client } from '../../controllers/api/client.ts'
import type { ObservedWorld } from '../../controllers/query/observed.ts'
import { kinds } from '../../crds/kinds.ts'
import type { Resource } from '../../crds/meta.ts'

/** Everything described and everything observed, at about one instant: what a fork begins from. */
export interface Present {
  /** All objects of Skystead's kinds and all Namespaces, as the API has them. */
  readonly objects: readonly Resource[]
  readonly observed: ObservedWorld
}

/** Reads what is described, and then what the controllers observe. */
export async function readPresent(client: Client, observe: () => Promise<ObservedWorld>): Promise<Present> {
  const lists = await Promise.all(
    [Namespace, ...kinds].map(async kind => {
      const { items } = await client.list(kind)
      // Lists of Kubernetes' own kinds leave out what their items are.
      return items.map(item => ({ ...item, apiVersion: kind.apiVersion, kind: kind.kind }) as Resource)
    }),
  )
  return { objects: lists.flat(), observed: await observe() }
}
