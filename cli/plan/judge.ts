import equal from 'fast-deep-equal'
import { Namespace } from '../../controllers/api/built-in-kinds.ts'
import { ApiError, type Client, type Writable } from '../../controllers/api/client.ts'
import type { AnyApiKind } from '../../controllers/api/paths.ts'
import type { Resource } from '../../crds/meta.ts'
import { type Edit, type Refusal, refusalOf } from './edits.ts'
import { fieldChanges } from './field-changes.ts'
import { asKubectlMerges, lastAppliedAnnotation } from './kubectl-merge.ts'
import { kindNamed } from './manifests.ts'
import { nameOf } from './object-name.ts'
import { type PruneOptions, prunedObjects } from './prune.ts'
import { withoutTakenOver } from './takeover.ts'

/** What the API said to all manifests. */
export interface Judged {
  readonly edits: readonly Edit[]
  readonly refused: readonly Refusal[]
  readonly unchanged: number
  /** Something is refused, so that nothing would be pruned: so kubectl and GitOps engines have it. Left out: not so. */
  readonly isPruningHeld?: true
}

/** How manifests would be applied. */
export interface JudgeOptions {
  /** Plan the deletion of the manifests' objects. Default: that they are applied. */
  readonly delete?: boolean
  /** Apply on the server's side. Default: on the client's, as `kubectl apply` does. */
  readonly serverSide?: ServerSide
  /** Plan the deletion of what was applied before and is not among the manifests. Default: nothing is pruned. */
  readonly prune?: PruneOptions
}

/** Who applies on the server's side, and whether others' fields are taken over. */
export interface ServerSide {
  readonly fieldManager: string
  readonly force: boolean
}

/** Whom `kubectl apply` names as the writer. */
const clientSideManager = 'kubectl-client-side-apply'
/** Nothing is kept, and a field that does not exist is refused, as kubectl has it. */
const dryRun = { dryRun: true, fieldValidation: 'Strict' } as const

/** Asks the API what it would make of the manifests, by dry runs. */
export async function judgeManifests(
  client: Client,
  manifests: readonly Writable[],
  options: JudgeOptions = {},
): Promise<Judged> {
  const edits: Edit[] = []
  const refused: Refusal[] = []
  const newNamespaces = new Set(manifests.filter(({ kind }) => kind === Namespace.kind).map(each => each.metadata.name))
  const note = async (manifest: Pick<Writable, 'kind' | 'metadata'>, judging: Promise<Edit | undefined>) => {
    try {
      const edit = await judging
      if (edit !== undefined) edits.push(edit)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 0) throw error
      refused.push(refusalOf(nameOf(manifest), error))
    }
  }
  for (const manifest of manifests) {
    const kind = kindNamed(manifest)
    if (kind === undefined) continue
    if (options.delete) await note(manifest, judgeDeletion(client, kind, manifest))
    else await note(manifest, judgeApply(client, kind, { manifest, newNamespaces, serverSide: options.serverSide }))
  }
  const unchanged = manifests.length - edits.length - refused.length
  if (options.prune === undefined) return { edits, refused, unchanged }
  if (refused.length > 0) return { edits, refused, unchanged, isPruningHeld: true }
  const { prune, serverSide } = options
  const manager = serverSide === undefined ? {} : { fieldManager: serverSide.fieldManager }
  for (const object of await prunedObjects(client, manifests, { ...prune, ...manager })) {
    const kind = kindNamed(object)
    if (kind !== undefined) await note(object, judgePruning(client, kind, object))
  }
  return { edits, refused, unchanged }
}

interface Application {
  readonly manifest: Writable
  readonly newNamespaces: ReadonlySet<string>
  readonly serverSide: ServerSide | undefined
}

async function judgeApply(client: Client, kind: AnyApiKind, application: Application): Promise<Edit | undefined> {
  const { manifest, newNamespaces } = application
  const { namespace } = manifest.metadata
  const object = nameOf(manifest)
  try {
    const { before, after } = await written(client, kind, application)
    if (before === undefined) return { object, change: 'Create', after }
    const fields = fieldChanges(wishOf(before), wishOf(after))
    return fields.length === 0 ? undefined : { object, change: 'Change', fields, after }
  } catch (error) {
    const isMissing = error instanceof ApiError && error.reason === 'NotFound'
    // What is for a namespace that is new as well only the fork can judge, where there is one.
    if (!isMissing || namespace === undefined || !newNamespaces.has(namespace)) throw error
    return { object, change: 'Create', after: manifest }
  }
}

interface Written {
  readonly before: Resource | undefined
  readonly after: Resource
}

/** How often an object is read anew because somebody wrote it while it was being judged. */
const mostReadings = 10

async function written(
  client: Client,
  kind: AnyApiKind,
  { manifest, serverSide }: Omit<Application, 'newNamespaces'>,
  readings = 1,
): Promise<Written> {
  const { name, namespace } = manifest.metadata
  const before = (await client.get(kind, name, namespace)) as Resource | undefined
  const options = { ...dryRun, fieldManager: serverSide?.fieldManager ?? clientSideManager }
  const applied =
    serverSide && ((await client.apply(kind, manifest, { ...options, force: serverSide.force })) as Resource)
  if (before === undefined) {
    return { before, after: applied ?? ((await client.create(kind, manifest, options)) as Resource) }
  }
  const next = applied && withoutTakenOver(before, applied, options.fieldManager)
  if (next !== undefined && equal(next, applied)) return { before, after: next }
  try {
    return {
      before,
      after: (await client.replace(kind, next ?? asKubectlMerges(before, manifest), options)) as Resource,
    }
  } catch (error) {
    const isStale = error instanceof ApiError && error.reason === 'Conflict'
    if (!isStale || readings === mostReadings) throw error
    return written(client, kind, { manifest, serverSide }, readings + 1)
  }
}

async function judgeDeletion(client: Client, kind: AnyApiKind, manifest: Writable): Promise<Edit | undefined> {
  const { name, namespace } = manifest.metadata
  const before = (await client.get(kind, name, namespace)) as Resource | undefined
  if (before === undefined || before.metadata.deletionTimestamp !== undefined) return undefined
  await client.remove(kind, before.metadata, { dryRun: true })
  return { object: nameOf(manifest), change: 'Delete', after: undefined }
}

async function judgePruning(client: Client, kind: AnyApiKind, object: Resource): Promise<Edit> {
  await client.remove(kind, object.metadata, { dryRun: true })
  return { object: nameOf(object), change: 'Delete', isPruned: true, after: undefined }
}

function wishOf({ metadata, spec }: Resource): unknown {
  const { labels = {}, annotations = {} } = metadata
  const { [lastAppliedAnnotation]: _, ...others } = annotations
  return { metadata: { labels, annotations: others }, spec }
}
