import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '../crds/environment.ts'
import type { Resource } from '../crds/meta.ts'
import { ApiError, type Client } from './api/client.ts'
import type { BuiltInKind } from './api/paths.ts'
import { systemNamespace } from './install.ts'

/** ConfigMaps, as a kind of the API. */
const ConfigMap: BuiltInKind<Resource & { readonly data?: Readonly<Record<string, string>> }> = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
}

const configMapName = 'skystead-installation'

/**
 * The installation's id, which everything made outside bears. In a home it lies beside the API's storage, so that it
 * outlives the loss of that storage.
 */
export async function installationOfHome(home: string, random: Random): Promise<string> {
  const path = join(home, 'installation-id')
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const id = random.uuid()
  await writeFile(`${path}.new`, `${id}\n`, { flush: true })
  await rename(`${path}.new`, path)
  return id
}

/** The installation's id as a cluster keeps it; made at the first start. */
export async function installationOfCluster(client: Client, random: Random): Promise<string> {
  const existing = await client.get(ConfigMap, configMapName, systemNamespace)
  if (existing?.data?.id !== undefined) return existing.data.id
  const id = random.uuid()
  const manifest = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: configMapName, namespace: systemNamespace },
    data: { id },
  }
  try {
    await client.create(ConfigMap, manifest)
    return id
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'AlreadyExists') return installationOfCluster(client, random)
    throw error
  }
}
