import { Namespace } from '../../controllers/api/built-in-kinds.ts'
import { ApiError, type Client, type Writable } from '../../controllers/api/client.ts'
import type { AnyApiKind } from '../../controllers/api/paths.ts'
import { kinds } from '../../crds/kinds.ts'
import type { Resource } from '../../crds/meta.ts'
import type { FieldChange } from './field-changes.ts'
import type { Fork } from './fork.ts'
import { kindNamed } from './manifests.ts'
import type { ObjectName } from './object-name.ts'

/** What applying or deleting a manifest would do to its object. */
export interface Edit {
  readonly object: ObjectName
  readonly change: 'Create' | 'Change' | 'Delete'
  /** Wishes, labels and annotations that change; left out for what is created or deleted as a whole. */
  readonly fields?: readonly FieldChange[]
  /** It is deleted because no manifest names it any more; left out where one says so. */
  readonly isPruned?: true
  /** The object as the API would have it afterwards; undefined where it is deleted. */
  readonly after: Writable | undefined
}

/** Why the API would refuse a manifest. */
export interface Refusal {
  readonly object: ObjectName
  readonly message: string
  /** The fields that are refused, each with its mend. */
  readonly fields: readonly { readonly field: string; readonly message: string }[]
}

/** Makes the edits in a fork. Answers with what only the fork's API refuses: what lives in namespaces that are new. */
export async function applyEdits(fork: Fork, edits: readonly Edit[]): Promise<readonly Refusal[]> {
  const refused: Refusal[] = []
  for (const edit of edits) {
    try {
      await fork.complete(applyEdit(fork.client, edit))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      refused.push(refusalOf(edit.object, error))
    }
  }
  return refused
}

async function applyEdit(client: Client, { object, after }: Edit): Promise<void> {
  const kind = after && kindNamed(after)
  if (after === undefined || kind === undefined) return removeObject(client, object)
  const { namespace, name } = object
  const present = (await client.get(kind, name, namespace)) as Resource | undefined
  const { labels, annotations } = after.metadata as Partial<Resource['metadata']>
  if (present === undefined) {
    const metadata = { name, namespace, labels, annotations }
    await client.create(kind, { apiVersion: after.apiVersion, kind: after.kind, metadata, spec: after.spec })
    return
  }
  // Finalizers and status are the fork's own.
  const metadata = { ...present.metadata, labels, annotations }
  await client.replace(kind, { ...present, metadata, spec: after.spec })
}

async function removeObject(client: Client, { kind: kindName, namespace, name }: ObjectName): Promise<void> {
  const kind = kindByName(kindName)
  const present = kind && ((await client.get(kind, name, namespace)) as Resource | undefined)
  if (kind !== undefined && present !== undefined) await client.remove(kind, present.metadata)
}

/** Kinds of Skystead have names of their own among themselves. */
function kindByName(name: string): AnyApiKind | undefined {
  return name === Namespace.kind ? Namespace : kinds.find(({ kind }) => kind === name)
}

/** The API's error, as the refusal of an object. */
export function refusalOf(object: ObjectName, error: ApiError): Refusal {
  const fields = error.causes.flatMap(({ field, message }) =>
    // Where nothing is at fault but the whole, Kubernetes names the field <nil>.
    field === undefined || field === '<nil>' ? [] : [{ field, message: message ?? '' }],
  )
  return { object, message: error.message, fields }
}
