import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { ApiError, type Client, type Writable } from '../controllers/api/client.ts'
import type { AnyApiKind, BuiltInKind } from '../controllers/api/paths.ts'
import { kindOf } from '../crds/kinds.ts'
import type { Resource } from '../crds/meta.ts'
import { UserError } from './user-error.ts'

const Namespace: BuiltInKind<Resource> = {
  apiVersion: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
}

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
    await client.create(kindFor(object), object, { fieldManager: 'skystead' })
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error
  }
}

function kindFor({ apiVersion, kind }: Writable): AnyApiKind {
  if (kind === 'Namespace') return Namespace
  const known = kindOf(apiVersion, kind)
  if (known === undefined) throw new UserError(`Cannot apply ${kind}: ${apiVersion} has no such kind`)
  return known
}
