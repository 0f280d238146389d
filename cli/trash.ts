import { ApiError } from '../controllers/api/api-error.ts'
import type { Client } from '../controllers/api/client.ts'
import type { Environment } from '../crds/environment.ts'
import { Allocation } from '../crds/infrastructure/allocation.ts'
import { Host } from '../crds/infrastructure/host.ts'
import { HostCluster } from '../crds/infrastructure/host-cluster.ts'
import { HostPod } from '../crds/infrastructure/host-pod.ts'
import { PrimaryStorage } from '../crds/infrastructure/primary-storage.ts'
import { formatQuantity } from '../crds/invariants/quantity.ts'
import type { Resource } from '../crds/meta.ts'
import { Volume } from '../crds/storage/volume.ts'
import { volumeClaimName } from '../reconcilers/claims.ts'
import { type ApiOptions, explained, openApi } from './api-access.ts'
import { columns } from './columns.ts'
import { realEnvironment } from './environment.ts'
import { rebind } from './rebinding.ts'
import { qualifiedName } from './standing.ts'
import { UserError } from './user-error.ts'

/** Options of `skystead trash`. */
export interface TrashOptions extends ApiOptions {
  /** The identity of a disk to take back. Left out: the trash is listed. */
  readonly restore?: string
  /** The name of the Volume that it becomes. Default: the one that it had. */
  readonly as?: string
}

/** A disk in the trash of a pool, as its claim tells. */
export interface TrashedDisk {
  readonly identity: string
  /** The volume that it was: `<namespace>/<name>`. */
  readonly volume: string
  readonly namespace: string
  readonly name: string
  readonly poolName: string
  readonly sizeBytes: number
  readonly deletedAt: string
}

/** Lists the disks in the trash, or takes one back. */
export async function trash(options: TrashOptions): Promise<void> {
  const environment = realEnvironment()
  await using access = openApi(options, environment)
  try {
    if (options.restore === undefined) return tell(trashLines(await findTrash(access.client)).join('\n'))
    const volume = await takeBack(access.client, options.restore, options.as, environment)
    tell(
      `Volume ${qualifiedName(volume.metadata)} takes over the disk ${options.restore}; "skystead status" tells when it has.`,
    )
  } catch (error) {
    throw explained(error, access)
  }
}

/** Disks of volumes that were deleted, the oldest first. */
export async function findTrash(client: Pick<Client, 'list'>): Promise<readonly TrashedDisk[]> {
  const { items } = await client.list(Allocation)
  const found = items.flatMap(({ spec: { holder, notes, value, volume } }): readonly TrashedDisk[] => {
    const { name, namespace = '' } = holder
    if (volume === undefined || notes?.deletedAt === undefined) return []
    const { poolName, sizeBytes } = volume
    const disk = { identity: value, volume: qualifiedName(holder), namespace, name, poolName, sizeBytes }
    return [{ ...disk, deletedAt: notes.deletedAt }]
  })
  return found.toSorted((left, right) => (left.deletedAt < right.deletedAt ? -1 : 1))
}

/** The trash as a table. */
export function trashLines(disks: readonly TrashedDisk[]): readonly string[] {
  if (disks.length === 0) return ['No disk is in the trash.']
  const rows = disks.map(({ volume, sizeBytes, poolName, deletedAt, identity }) => [
    volume,
    formatQuantity(sizeBytes, 'Bytes'),
    poolName,
    deletedAt,
    identity,
  ])
  return columns(['volume', 'size', 'storage', 'deleted at', 'identity'], rows)
}

/**
 * Makes a Volume that takes over a disk in the trash. The Volume comes first, then the identity: without one it has no
 * disk and makes none. Throws where the disk is not in the trash or the name is taken.
 */
export async function takeBack(
  client: Pick<Client, 'create' | 'get' | 'list'>,
  identity: string,
  as: string | undefined,
  environment: Pick<Environment, 'clock'>,
): Promise<Resource> {
  const disk = (await findTrash(client)).find(each => each.identity === identity)
  if (disk === undefined) throw new UserError(`Cannot take back ${identity}: no disk of that identity is in the trash`)
  const volume = await makeVolume(client, disk, as ?? disk.name)
  const ownClaim = await client.get(Allocation, volumeClaimName(volume.metadata.uid))
  if (ownClaim !== undefined) {
    throw new UserError(
      `Cannot take back ${identity}: Volume ${qualifiedName(volume.metadata)} has a disk of its own already; give another name with --as`,
    )
  }
  await rebind(client, { object: volume, identity }, environment)
  return volume
}

async function makeVolume(
  client: Pick<Client, 'create' | 'get'>,
  { namespace, poolName, sizeBytes }: TrashedDisk,
  name: string,
): Promise<Resource> {
  const existing = await client.get(Volume, name, namespace)
  if (existing !== undefined) return existing as Resource
  const manifest = {
    apiVersion: Volume.apiVersion,
    kind: Volume.kind,
    metadata: { name, namespace },
    spec: { zoneName: await zoneOf(client, poolName), size: formatQuantity(sizeBytes, 'Bytes') },
  }
  try {
    return (await client.create(Volume, manifest, { fieldManager: 'skystead-cli' })) as Resource
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'NotFound') throw error
    throw new UserError(`Cannot take back into namespace "${namespace}": there is none of that name`, { cause: error })
  }
}

/** The zone of a pool: its own, or that of its host's or its own cluster. */
async function zoneOf(client: Pick<Client, 'get'>, poolName: string): Promise<string> {
  const pool = (await client.get(PrimaryStorage, poolName))?.spec
  if (pool?.zoneName !== undefined) return pool.zoneName
  const host = pool?.hostName === undefined ? undefined : await client.get(Host, pool.hostName)
  const clusterName = pool?.clusterName ?? host?.spec.clusterName ?? ''
  const podName = (await client.get(HostCluster, clusterName))?.spec.podName ?? ''
  const zoneName = (await client.get(HostPod, podName))?.spec.zoneName
  if (zoneName !== undefined) return zoneName
  throw new UserError(`Cannot take back a disk of primary storage "${poolName}": its zone is not described`)
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`)
}
