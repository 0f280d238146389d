import { ApiError } from '../controllers/api/api-error.ts'
import type { Client } from '../controllers/api/client.ts'
import type { ObjectOf } from '../controllers/api/paths.ts'
import { createReflector } from '../controllers/api/reflector.ts'
import type { AnyKind } from '../crds/define-kind.ts'
import type { Environment } from '../crds/environment.ts'
import { Allocation } from '../crds/infrastructure/allocation.ts'
import { kinds } from '../crds/kinds.ts'
import type { Resource } from '../crds/meta.ts'

/** The kinds that people describe or look at. Allocations are the control plane's own book-keeping. */
const shownKinds: readonly AnyKind[] = kinds.filter(kind => kind !== Allocation)

/** The objects of a cloud as the API tells them. */
export class Cloud {
  readonly #objects = new Map<string, Map<string, Resource>>()

  /** All objects of a kind, in no order. */
  of<K extends AnyKind>(kind: K): readonly ObjectOf<K>[] {
    // The edge: only objects of the kind were put under its name.
    return [...this.#table(kind).values()] as ObjectOf<K>[]
  }

  /** All objects, kind by kind. */
  all(): readonly Resource[] {
    return shownKinds.flatMap(kind => [...this.#table(kind).values()])
  }

  /** Says what all objects of a kind are. */
  replace(kind: AnyKind, objects: readonly Resource[]): void {
    this.#objects.set(kind.kind, new Map(objects.map(object => [object.metadata.uid, object])))
  }

  upsert(kind: AnyKind, object: Resource): void {
    this.#table(kind).set(object.metadata.uid, object)
  }

  remove(kind: AnyKind, object: Resource): void {
    this.#table(kind).delete(object.metadata.uid)
  }

  #table({ kind }: AnyKind): Map<string, Resource> {
    const known = this.#objects.get(kind)
    if (known !== undefined) return known
    const table = new Map<string, Resource>()
    this.#objects.set(kind, table)
    return table
  }
}

/** Reads everything once. */
export async function readCloud(client: Pick<Client, 'list'>): Promise<Cloud> {
  const cloud = new Cloud()
  await Promise.all(shownKinds.map(async kind => cloud.replace(kind, (await client.list(kind)).items)))
  return cloud
}

/** Options of following a cloud. */
export interface FollowOptions {
  readonly environment: Environment
  /** Something is different now. Not called before everything was read once. */
  readonly changed: () => void
  /** The API does not answer (`true`), or does again. Following goes on by itself. */
  readonly silent: (silent: boolean) => void
}

/** A cloud that is kept up to date. */
export interface FollowedCloud extends AsyncDisposable {
  readonly cloud: Cloud
}

/** Reads everything and follows it from then on. Rejects where it cannot be read even once. */
export async function followCloud(
  client: Client,
  { environment, changed, silent }: FollowOptions,
): Promise<FollowedCloud> {
  const cloud = await readCloud(client)
  let synced = false
  let lost = false
  const tell = (isLost: boolean) => {
    if (lost === isLost) return
    lost = isLost
    silent(isLost)
  }
  const noted = () => {
    tell(false)
    if (synced) changed()
  }
  const reflectors = shownKinds.map(kind =>
    createReflector({
      client,
      kind,
      environment,
      sink: {
        replace: objects => {
          cloud.replace(kind, objects as readonly Resource[])
          noted()
        },
        upsert: object => {
          cloud.upsert(kind, object as Resource)
          noted()
        },
        remove: object => {
          cloud.remove(kind, object as Resource)
          noted()
        },
        bookmark: () => tell(false),
      },
      onError: error => tell(error instanceof ApiError && error.status === 0),
    }),
  )
  for (const reflector of reflectors) reflector.start()
  await Promise.all(reflectors.map(reflector => reflector.synced))
  synced = true
  return {
    cloud,
    async [Symbol.asyncDispose]() {
      await Promise.all(reflectors.map(reflector => reflector.stop()))
    },
  }
}
