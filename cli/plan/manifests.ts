import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { Writable } from '../../controllers/api/client.ts'
import { type AnyApiKind, isNamespaced } from '../../controllers/api/paths.ts'
import { kindOf } from '../../crds/kinds.ts'
import { UserError } from '../user-error.ts'
import { Namespace } from './present.ts'

/** What was found in files of manifests. */
export interface Manifests {
  /** Objects of Skystead's kinds and Namespaces, in the order of files and documents. */
  readonly objects: readonly Writable[]
  /** Other kinds' objects, as `Kind namespace/name`: their plan is not ours to tell. */
  readonly others: readonly string[]
}

/**
 * The manifests of files, of directories (their `.yaml`, `.yml` and `.json` files, in order of names) and of standard
 * input (`-`). What lives in a namespace and names none is put into `namespace`.
 */
export async function readManifestFiles(paths: readonly string[], namespace: string): Promise<Manifests> {
  const texts = await Promise.all(paths.map(textsOf))
  const objects: Writable[] = []
  const others: string[] = []
  for (const { name, text } of texts.flat()) {
    for (const value of documentsOf(name, text)) {
      const kind = kindNamed(value)
      if (kind === undefined) others.push(`${value.kind} ${value.metadata.name}`)
      else objects.push(inNamespace(value, kind, namespace))
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

async function textsOf(path: string): Promise<readonly NamedText[]> {
  if (path === '-') return [{ name: 'standard input', text: await standardInput() }]
  try {
    if (!(await stat(path)).isDirectory()) return [{ name: path, text: await readFile(path, 'utf8') }]
    const files = (await readdir(path)).filter(file => /\.(ya?ml|json)$/.test(file)).sort()
    return await Promise.all(
      files.map(async file => ({ name: join(path, file), text: await readFile(join(path, file), 'utf8') })),
    )
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
  throw new UserError(`Cannot read ${place}: it has no apiVersion, kind and metadata.name`)
}

function inNamespace(object: Writable, kind: AnyApiKind, namespace: string): Writable {
  if (!isNamespaced(kind) || object.metadata.namespace !== undefined) return object
  return { ...object, metadata: { ...object.metadata, namespace } }
}
