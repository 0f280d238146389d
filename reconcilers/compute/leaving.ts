import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { volumeClaimName } from '../claims.ts'
import { hostLifecycle } from '../infrastructure/lifecycle.ts'
import type { PlacementRequest } from '../placement/request.ts'
import type { World } from '../world.ts'

/** Why a machine is to leave its host. */
export interface ReasonToLeave {
  readonly why: string
  /** Whether the host is being emptied; else it is only another one that is wished for. */
  readonly empties: boolean
}

/** Why a machine is to leave its host: what the host is in is in maintenance, or another one is wished for. */
export function reasonToLeave(
  hostName: string,
  wishedHostName: string | undefined,
  world: World,
): ReasonToLeave | undefined {
  const { lifecycle, by } = world.derived(hostLifecycle, hostName)
  if (lifecycle === 'Maintenance') return { why: `${by} is in maintenance`, empties: true }
  if (wishedHostName === undefined || wishedHostName === hostName) return undefined
  return { why: `spec.placement wishes it on host "${wishedHostName}"`, empties: false }
}

/** Whether a disk of the machine is to be, or is, on its host's own storage: then it can run nowhere else. */
export function hasLocalDisk({ volumes }: Pick<PlacementRequest, 'volumes'>, world: World): boolean {
  return volumes.some(({ identity, scope }) => {
    if (scope === 'Local') return true
    const pool = world.desired.get(Allocation, volumeClaimName(identity))?.spec.volume?.poolName
    return pool !== undefined && world.desired.get(PrimaryStorage, pool)?.spec.scope === 'Host'
  })
}
