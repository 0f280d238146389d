import { open, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Environment, type Random, timestamp } from '../crds/environment.ts'
import { Allocation } from '../crds/infrastructure/allocation.ts'
import { accountOfInstallation } from '../reconcilers/infrastructure/accounted.ts'
import { ConfigMap } from './api/built-in-kinds.ts'
import { ApiError, type Client } from './api/client.ts'
import { systemNamespace } from './install.ts'

const configMapName = 'skystead-installation'

/** An installation: the owner that everything made outside bears the mark of. */
export interface Installation {
  readonly id: string
  /** Whether it was made just now, so that there is nothing outside yet that bears its mark. Default: it was not. */
  readonly isNew?: boolean
}

/**
 * The installation's id, which everything made outside bears. In a home it lies beside the API's storage, so that it
 * outlives the loss of that storage.
 */
export async function installationOfHome(home: string, random: Random): Promise<Installation> {
  const path = join(home, 'installation-id')
  try {
    return { id: (await readFile(path, 'utf8')).trim() }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const id = random.uuid()
  await writeFile(`${path}.new`, `${id}\n`, { flush: true })
  await rename(`${path}.new`, path)
  // Made outside before the name is on the disk, things would bear the mark of nobody after a loss of power.
  await using directory = await open(home)
  await directory.sync()
  return { id, isNew: true }
}

/** The installation's id as a cluster keeps it; made at the first start. */
export async function installationOfCluster(client: Client, random: Random): Promise<Installation> {
  const existing = await client.get(ConfigMap, configMapName, systemNamespace)
  if (existing?.data?.id !== undefined) return { id: existing.data.id }
  const id = random.uuid()
  const manifest = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: configMapName, namespace: systemNamespace },
    data: { id },
  }
  try {
    await client.create(ConfigMap, manifest)
    return { id, isNew: true }
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'AlreadyExists') return installationOfCluster(client, random)
    throw error
  }
}

/**
 * Notes in the API's store of a new installation that nothing which bears its mark is older than the store, so that no
 * place can hide anything (decision 0025).
 */
export async function noteNewInstallation(
  client: Client,
  id: string,
  { clock }: Pick<Environment, 'clock'>,
): Promise<void> {
  try {
    await client.create(Allocation, accountOfInstallation(id, timestamp(clock)))
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error
  }
}
