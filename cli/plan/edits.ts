import { ApiError, type Client, type Writable } from '../../controllers/api/client.ts'
import type { AnyApiKind } from '../../controllers/api/paths.ts'
import { kinds } from '../../crds/kinds.ts'
import type { Resource } from '../../crds/meta.ts'
import { type FieldChange, fieldChanges } from './field-changes.ts'
import type { Fork } from './fork.ts'
import { kindNamed } from './manifests.ts'
import { nameOf, type ObjectName } from './object-name.ts'
import { Namespace } from './present.ts'

/** What applying or deleting a manifest would do to its object. */
export interface Edit {
  readonly object: ObjectName
  readonly change: 'Create' | 'Change' | 'Delete'
  /** Wishes, labels and annotations that change; left out for what is created or deleted as a whole. */
  readonly fields?: readonly FieldChange[]
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

/** What the API said to all manifests. */
export interface Judged {
  readonly edits: readonly Edit[]
  readonly refused: readonly Refusal[]
  readonly unchanged: number
}

/** Options of asking the API. */
export interface JudgeOptions {
  /** Plan the deletion of the manifests' objects. Default: that they are applied. */
  readonly delete?: boolean
}

/** Who `kubectl apply --server-side` says that it is. */
const fieldManager = 'kubectl'
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

/** Asks the API what it would make of the manifests (dry runs: nothing is kept), as `kubectl apply` would apply them. */
export async function judgeManifests(
  client: Client,
  manifests: readonly Writable[],
  options: JudgeOptions = {},
): Promise<Judged> {
  const edits: Edit[] = []
  const refused: Refusal[] = []
  const newNamespaces = new Set(manifests.filter(({ kind }) => kind === Namespace.kind).map(each => each.metadata.name))
  for (const manifest of manifests) {
    const kind = kindNamed(manifest)
    if (kind === undefined) continue
    try {
      const judge = options.delete ? judgeDeletion : judgeApply
      const edit = await judge(client, kind, manifest)
      if (edit !== undefined) edits.push(edit)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 0) throw error
      const { namespace } = manifest.metadata
      const isForNewNamespace = error.reason === 'NotFound' && namespace !== undefined && newNamespaces.has(namespace)
      if (isForNewNamespace) edits.push({ object: nameOf(manifest), change: 'Create', after: manifest })
      else refused.push(refusalOf(nameOf(manifest), error))
    }
  }
  return { edits, refused, unchanged: manifests.length - edits.length - refused.length }
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

async function judgeApply(client: Client, kind: AnyApiKind, manifest: Writable): Promise<Edit | undefined> {
  const { name, namespace } = manifest.metadata
  const object = nameOf(manifest)
  const before = (await client.get(kind, name, namespace)) as Resource | undefined
  const asked = before && asKubectlMerges(before, manifest)
  const write =
    asked === undefined
      ? client.apply(kind, manifest, { dryRun: true, force: true, fieldManager })
      : client.replace(kind, asked, { dryRun: true, fieldManager })
  const after = (await write) as Resource
  if (before === undefined) return { object, change: 'Create', after }
  const fields = fieldChanges(wishOf(before), wishOf(after))
  return fields.length === 0 ? undefined : { object, change: 'Change', fields, after }
}

async function judgeDeletion(client: Client, kind: AnyApiKind, manifest: Writable): Promise<Edit | undefined> {
  const { name, namespace } = manifest.metadata
  const before = (await client.get(kind, name, namespace)) as Resource | undefined
  if (before === undefined || before.metadata.deletionTimestamp !== undefined) return undefined
  await client.remove(kind, before.metadata, { dryRun: true })
  return { object: nameOf(manifest), change: 'Delete', after: undefined }
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

/**
 * What `kubectl apply` sends for an object that it has applied before: what the last manifest had and this one has not
 * is taken out. Undefined where it never did.
 */
function asKubectlMerges(live: Resource, manifest: Writable): Writable | undefined {
  const note = live.metadata.annotations?.[lastAppliedAnnotation]
  if (note === undefined) return undefined
  const last: unknown = JSON.parse(note)
  const { labels, annotations, ...metadata } = live.metadata
  const wished = manifest.metadata as Partial<Resource['metadata']>
  const before = (part: string) => memberOf(memberOf(last, 'metadata'), part)
  return {
    ...live,
    metadata: {
      ...metadata,
      ...keep('labels', merged(labels, before('labels'), wished.labels)),
      ...keep('annotations', merged(annotations, before('annotations'), wished.annotations)),
    },
    spec: merged(live.spec, memberOf(last, 'spec'), manifest.spec),
  }
}

/** Lists are taken as a whole, as kubectl does it for custom resources. */
function merged(live: unknown, last: unknown, next: unknown): unknown {
  if (next === undefined) return isRecord(live) && isRecord(last) ? merged(live, last, {}) : live
  if (!isRecord(next) || !isRecord(live)) return next
  const members = new Map(Object.entries(live))
  for (const name of Object.keys(isRecord(last) ? last : {})) if (!(name in next)) members.delete(name)
  for (const [name, value] of Object.entries(next)) members.set(name, merged(live[name], memberOf(last, name), value))
  return Object.fromEntries(members)
}

function wishOf({ metadata, spec }: Resource): unknown {
  const { labels = {}, annotations = {} } = metadata
  const { [lastAppliedAnnotation]: _, ...others } = annotations
  return { metadata: { labels, annotations: others }, spec }
}

function refusalOf(object: ObjectName, error: ApiError): Refusal {
  const fields = error.causes.flatMap(({ field, message }) =>
    // Where nothing is at fault but the whole, Kubernetes names the field <nil>.
    field === undefined || field === '<nil>' ? [] : [{ field, message: message ?? '' }],
  )
  return { object, message: error.message, fields }
}

function keep(name: string, value: unknown): object {
  return value === undefined ? {} : { [name]: value }
}

function memberOf(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
