import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { Namespace } from '../../controllers/api/built-in-kinds.ts'
import type { Writable } from '../../controllers/api/client.ts'
import { type AnyApiKind, isNamespaced } from '../../controllers/api/paths.ts'
import { kindOf } from '../../crds/kinds.ts'
import { UserError } from '../user-error.ts'
import { renderKustomization } from './kustomization.ts'

/** What was found in files of manifests. */
export interface Manifests {
  /** Objects of Skystead's kinds and Namespaces, in the order of files and documents. */
  readonly objects: readonly Writable[]
  /** Other kinds' objects, as `Kind namespace/name`: their plan is not ours to tell. */
  readonly others: readonly string[]
}

/** Where manifests are. */
export interface ManifestSources {
  /** Files, directories (their `.yaml`, `.yml` and `.json` files, in order of names) and standard input (`-`). */
  readonly filename?: readonly string[]
  /** Directories within directories as well. Default: not. */
  readonly recursive?: boolean
  /** A directory with a kustomization, which kubectl or kustomize renders. */
  readonly kustomize?: string
}

/** Into which namespace manifests go. */
export interface NamespaceChoice {
  /** Where they name none. */
  readonly fallback: string
  /** The one that all must be of; left out: any. */
  readonly required?: string
}

/** Reads manifests. What lives in a namespace and names none is put into the fallback. */
export async function readManifests(
  { filename = [], recursive = false, kustomize }: ManifestSources,
  choice: NamespaceChoice,
): Promise<Manifests> {
  const texts = (await Promise.all(filename.map(path => textsOf(path, recursive)))).flat()
  if (kustomize !== undefined) texts.push({ name: kustomize, text: await renderKustomization(kustomize) })
  const objects: Writable[] = []
  const others: string[] = []
  for (const { name, text } of texts) {
    for (const value of documentsOf(name, text)) {
      const kind = kindNamed(value)
      if (kind === undefined) others.push(`${value.kind} ${value.metadata.name}`)
      else objects.push(inNamespace(value, kind, choice))
    }
  }
  return { objects, others }
}

/** The kind of a manifest, where it is one of ours or Namespace. */
export function kindNamed({ apiVersion, kind }: Pick<Writable, 'apiVersion' | 'kind'>): AnyApiKind | undefined {
  return apiVersion === Namespace.apiVersion && kind === Namespace.kind ? Namespace : kindOf(apiVersion, kind)
}

interface NamedText {
  readonly name: string
  readonly text: string
}

async function textsOf(path: string, recursive: boolean): Promise<readonly NamedText[]> {
  if (path === '-') return [{ name: 'standard input', text: await standardInput() }]
  try {
    if (!(await stat(path)).isDirectory()) return [{ name: path, text: await readFile(path, 'utf8') }]
    const entries = await readdir(path, { recursive, withFileTypes: true })
    const files = entries.filter(entry => !entry.isDirectory() && /\.(ya?ml|json)$/.test(entry.name))
    const paths = files.map(entry => join(entry.parentPath, entry.name)).sort()
    return await Promise.all(paths.map(async name => ({ name, text: await readFile(name, 'utf8') })))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const why = code === 'ENOENT' ? 'there is no such file or directory' : error instanceof Error ? error.message : ''
    throw new UserError(`Cannot read ${path}: ${why}`, { cause: error })
  }
}

async function standardInput(): Promise<string> {
  process.stdin.setEncoding('utf8')
  let text = ''
  for await (const chunk of process.stdin) text += chunk
  return text
}

function documentsOf(name: string, text: string): readonly Writable[] {
  return parseAllDocuments(text).flatMap((document, index) => {
    const [problem] = document.errors
    if (problem !== undefined) throw new UserError(`Cannot read ${name}: ${problem.message}`)
    return objectsIn(document.toJS(), `${name}, document ${index + 1}`)
  })
}

function objectsIn(value: unknown, place: string): readonly Writable[] {
  if (value === null || value === undefined) return []
  const { apiVersion, kind, metadata, items } = value as Partial<Writable> & { readonly items?: unknown }
  if (kind === 'List' && Array.isArray(items)) return items.flatMap(item => objectsIn(item, place))
  if (typeof apiVersion === 'string' && typeof kind === 'string' && typeof metadata?.name === 'string') {
    return [value as Writable]
  }
  if (isKustomization(place, apiVersion)) {
    throw new UserError(`Cannot plan ${place}: it is a kustomization; name its directory with -k instead of -f`)
  }
  throw new UserError(`Cannot read ${place}: it has no apiVersion, kind and metadata.name`)
}

/** A kustomization needs to name neither its version nor its kind: then its file's name tells. */
function isKustomization(place: string, apiVersion: string | undefined): boolean {
  return apiVersion?.startsWith('kustomize.config.k8s.io/') ?? /(^|\/)[Kk]ustomization(\.ya?ml)?,/.test(place)
}

function inNamespace(object: Writable, kind: AnyApiKind, { fallback, required }: NamespaceChoice): Writable {
  if (!isNamespaced(kind)) return object
  const { namespace, name } = object.metadata
  if (namespace === undefined) return { ...object, metadata: { ...object.metadata, namespace: required ?? fallback } }
  if (required === undefined || namespace === required) return object
  throw new UserError(
    `Cannot plan ${object.kind} ${name}: its manifest names namespace "${namespace}", and --namespace "${required}"`,
  )
}
