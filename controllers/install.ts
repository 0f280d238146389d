import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { type Environment, sleep } from '../crds/environment.ts'
import type { ObjectMeta } from '../crds/meta.ts'
import { specHashAnnotation } from '../crds/spec-hash.ts'
import { ApiError } from './api/api-error.ts'
import { CustomResourceDefinition, Namespace } from './api/built-in-kinds.ts'
import type { Client, Writable } from './api/client.ts'

/** The namespace of the control plane's own Secrets and leases. */
export const systemNamespace = 'skystead-system'

/** How long a definition may take to be served, in ms. */
const patience = 30_000
/** How definitions are applied. */
const installing = { fieldManager: 'skystead-installer', force: true } as const

/** The CRDs of a directory, which `kubectl apply -k` takes as well. */
export function readDefinitions(directory: string): readonly Writable[] {
  const files = readdirSync(directory).filter(name => name.endsWith('.yaml') && name !== 'kustomization.yaml')
  return files.sort().map(name => parse(readFileSync(join(directory, name), 'utf8')))
}

/**
 * Applies CRDs and the system namespace, and waits until the API serves them. Whoever may not apply them checks that they
 * are there, in this version. Throws in one clear line where they are not.
 */
export async function install(
  client: Client,
  definitions: readonly Writable[],
  environment: Environment,
): Promise<void> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: systemNamespace } }
  await Promise.all(definitions.map(definition => applyOrCheck(client, definition)))
  await client.apply(Namespace, namespace, installing).catch(error => {
    if (!isForbidden(error)) throw error
  })
  const end = environment.clock.monotonic() + patience
  for (const definition of definitions) {
    while (!(await isServed(client, definition.metadata.name))) {
      if (environment.clock.monotonic() > end) {
        throw new Error(`Cannot install: the API does not serve ${definition.metadata.name} after ${patience / 1000} s`)
      }
      await sleep(environment.clock, 50)
    }
  }
}

async function applyOrCheck(client: Client, definition: Writable): Promise<void> {
  const { name, annotations } = definition.metadata as Pick<ObjectMeta, 'name' | 'annotations'>
  try {
    await client.apply(CustomResourceDefinition, definition, installing)
  } catch (error) {
    if (!isForbidden(error)) throw error
    const installed = await client.get(CustomResourceDefinition, name)
    const wanted = annotations?.[specHashAnnotation]
    if (installed !== undefined && installed.metadata.annotations?.[specHashAnnotation] === wanted) return
    const what = installed === undefined ? 'is not there' : 'is of another version'
    throw new Error(`Cannot install: the definition ${name} ${what}: apply manifests/crds (kubectl apply -k)`, {
      cause: error,
    })
  }
}

function isForbidden(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403
}

async function isServed(client: Client, name: string): Promise<boolean> {
  const definition = await client.get(CustomResourceDefinition, name)
  return (
    definition?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true
  )
}
