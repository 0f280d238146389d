import type { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { machineClaim, volumeClaim } from '../claims.ts'
import type { Wish, World } from '../world.ts'
import { planDisks } from './disk-plan.ts'
import { isOff, whereSeen } from './whereabouts.ts'

/** Whether a primary storage is in maintenance: nothing is put there, and no machine runs with a disk there. */
export function isStorageClosed(poolName: string, world: World): boolean {
  return world.desired.get(PrimaryStorage, poolName)?.spec.lifecycle === 'Maintenance'
}

/**
 * Name of a primary storage in maintenance that keeps the machine off. One that runs goes by the disks it has, so that a
 * disk which it merely wishes for never stops it; one that is off by those it would start with.
 */
export function closedStorage(machine: Wish<typeof VirtualMachine>, world: World): string | undefined {
  const identity = world.identity(machine)
  const here = whereSeen(identity, machineClaim(identity, world), world)
  const disks = here !== undefined && !isOff(here.facts) ? here.facts.definition.disks : planDisks(machine, world)
  for (const disk of disks) {
    const pool = disk.identity === undefined ? undefined : volumeClaim(disk.identity, world)?.spec.volume?.poolName
    if (pool !== undefined && isStorageClosed(pool, world)) return pool
  }
  return undefined
}
