import { parseLabelSelector } from '../../apiserver/request/label-selector.ts'
import { Namespace } from '../../controllers/api/built-in-kinds.ts'
import type { Client, Writable } from '../../controllers/api/client.ts'
import { type AnyApiKind, isNamespaced } from '../../controllers/api/paths.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { kinds } from '../../crds/kinds.ts'
import type { Resource } from '../../crds/meta.ts'
import { UserError } from '../user-error.ts'
import { lastAppliedAnnotation } from './kubectl-merge.ts'
import { keyOf, nameOf } from './object-name.ts'

/** Which objects go when the manifests name them no more. */
export interface PruneOptions {
  /** Only those with these labels. Default: any. */
  readonly selector?: string
  /** Only of these kinds, as `group/version/Kind`. Default: every kind of Skystead, and Namespace. */
  readonly allowlist?: readonly string[]
}

/** By what GitOps engines are told to leave an object where it is. */
const keptBy: Readonly<Record<string, string>> = {
  'kustomize.toolkit.fluxcd.io/prune': 'disabled',
  'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
}
const argoOptions = 'argocd.argoproj.io/sync-options'

/**
 * What was applied by the same means before and is not among the manifests. On the client's side that is what bears
 * kubectl's note, in the namespaces that the manifests name; on the server's side what the field manager applied.
 */
export async function prunedObjects(
  client: Client,
  manifests: readonly Writable[],
  { selector, allowlist, fieldManager }: PruneOptions & { readonly fieldManager?: string },
): Promise<readonly Resource[]> {
  const named = new Set(manifests.map(manifest => keyOf(nameOf(manifest))))
  const namespaces = new Set(manifests.map(({ metadata }) => metadata.namespace))
  const isOurs = (object: Resource) =>
    fieldManager === undefined
      ? object.metadata.annotations?.[lastAppliedAnnotation] !== undefined &&
        (object.metadata.namespace === undefined || namespaces.has(object.metadata.namespace))
      : isAppliedBy(object, fieldManager)
  const lists = await Promise.all(
    kindsIn(allowlist).map(async kind => {
      const { items } = await client.list(kind, selector === undefined ? {} : { labelSelector: selector })
      return items.map(item => ({ ...item, apiVersion: kind.apiVersion, kind: kind.kind }) as Resource)
    }),
  )
  return lists
    .flat()
    .filter(object => object.metadata.deletionTimestamp === undefined && isOurs(object) && !isKept(object))
    .filter(object => !named.has(keyOf(nameOf(object))))
}

/** The manifests that a selector means: kubectl applies no others either. */
export function selectedManifests(manifests: readonly Writable[], selector: string): readonly Writable[] {
  const matches = parsed(selector)
  return manifests.filter(({ metadata }) => matches((metadata as Partial<Resource['metadata']>).labels ?? {}))
}

function parsed(selector: string): (labels: Readonly<Record<string, string>>) => boolean {
  try {
    return parseLabelSelector(selector) ?? (() => true)
  } catch (error) {
    const why = error instanceof Error ? error.message : ''
    throw new UserError(`Cannot use --selector ${selector}: ${why}`, { cause: error })
  }
}

/** Namespaces last: what is in them goes by its own name first. */
function kindsIn(allowlist: readonly string[] | undefined): readonly AnyApiKind[] {
  const all: readonly AnyApiKind[] = [...kinds.filter(kind => kind !== Allocation), Namespace]
  if (allowlist === undefined) return all
  return allowlist.map(name => {
    const known = all.find(kind => name === allowlistName(kind))
    if (known !== undefined) return known
    const example = allowlistName(all.find(isNamespaced) ?? Namespace)
    throw new UserError(`Cannot use --prune-allowlist ${name}: it is no kind of Skystead; name one as in ${example}`)
  })
}

/** As kubectl writes it: the group without a name is `core`. */
function allowlistName({ apiVersion, kind }: AnyApiKind): string {
  return `${apiVersion.includes('/') ? apiVersion : `core/${apiVersion}`}/${kind}`
}

function isAppliedBy(object: Resource, fieldManager: string): boolean {
  const { managedFields = [] } = object.metadata as Partial<ManagedMetadata>
  return managedFields.some(({ manager, operation }) => manager === fieldManager && operation === 'Apply')
}

/** The part of metadata that tells who wrote what; nothing but this reads it. */
interface ManagedMetadata {
  readonly managedFields: readonly { readonly manager?: string; readonly operation?: string }[]
}

function isKept({ metadata: { annotations = {} } }: Resource): boolean {
  if (Object.entries(keptBy).some(([name, value]) => annotations[name] === value)) return true
  return (annotations[argoOptions] ?? '').split(',').some(option => option.trim() === 'Prune=false')
}
