import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { Namespace } from '../controllers/api/built-in-kinds.ts'
import { ApiError, type Client, type Writable } from '../controllers/api/client.ts'
import type { AnyApiKind } from '../controllers/api/paths.ts'
import { kindOf } from '../crds/kinds.ts'
import { UserError } from './user-error.ts'

/**
 * Creates the objects of a directory's manifests at the first start of a home, and never again: what a person changes or
 * deletes afterwards stays so. What exists already is left alone.
 */
export async function applyOnce(client: Client, home: string, name: string, directory: string): Promise<void> {
  const done = join(home, `${name}-applied`)
  if (existsSync(done)) return
  const objects = await readManifests(directory)
  const namespacesFirst = objects.toSorted((left, right) => rank(left) - rank(right))
  for (const object of namespacesFirst) await createIfMissing(client, object)
  await writeFile(done, '')
}

/** The objects of all YAML files of a directory, in order of file names. */
export async function readManifests(directory: string): Promise<readonly Writable[]> {
  const files = (await readdir(directory)).filter(file => /\.ya?ml$/.test(file)).sort()
  const texts = await Promise.all(files.map(file => readFile(join(directory, file), 'utf8')))
  return texts.flatMap(text => parseAllDocuments(text).map(document => document.toJS() as Writable))
}

function rank({ kind }: Writable): number {
  return kind === 'Namespace' ? 0 : 1
}

async function createIfMissing(client: Client, object: Writable): Promise<void> {
  try {
    await client.create(kindFor(object), asApplied(object), { fieldManager: 'skystead' })
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error
  }
}

/** The object with kubectl's note of what was applied: a person's own `kubectl apply` of it finds nothing to change. */
function asApplied(object: Writable): Writable {
  const applied = { ...object, metadata: { ...object.metadata, annotations: {} } }
  const note = `${JSON.stringify(inKeyOrder(applied))}\n`
  const metadata = { ...object.metadata, annotations: { 'kubectl.kubernetes.io/last-applied-configuration': note } }
  return { ...object, metadata }
}

function inKeyOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inKeyOrder)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, member]) => [key, inKeyOrder(member)] as const)
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)))
}

function kindFor({ apiVersion, kind }: Writable): AnyApiKind {
  if (kind === 'Namespace') return Namespace
  const known = kindOf(apiVersion, kind)
  if (known === undefined) throw new UserError(`Cannot apply ${kind}: ${apiVersion} has no such kind`)
  return known
}
