import type { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Volume } from '../../crds/storage/volume.ts'
import { awaitedIdentity } from '../claims.ts'
import { once } from '../once.ts'
import { type Verdict, waiting } from '../verdict.ts'
import { isStored, type Wish, type World } from '../world.ts'

type Machine = Wish<typeof VirtualMachine>

/** The name under which a machine has its root disk. */
export const rootDiskName = 'root'

/** A disk that a machine wishes for. */
export interface DiskPlan {
  /** `root`, or the name in `spec.volumes`. */
  readonly name: string
  readonly volumeName: string
  readonly volume: Wish<typeof Volume> | undefined
  /** Identity of the volume; undefined until the API has stored it, or until it was given the one that it is to have. */
  readonly identity: string | undefined
  /** The identity that the volume waits for; left out where it waits for none. */
  readonly awaited?: string
}

/** The name of a machine's root volume. */
export function rootVolumeName(machine: Machine): string {
  return machine.spec.rootVolume?.volumeName ?? `${machine.metadata.name}-root`
}

/** The disks that a machine wishes for, its root disk first. */
export function planDisks(machine: Machine, world: World): readonly DiskPlan[] {
  return once(world, `disks/${machine.metadata.uid}`, () => planWishedDisks(machine, world))
}

function planWishedDisks(machine: Machine, world: World): readonly DiskPlan[] {
  const wished = [{ name: rootDiskName, volumeName: rootVolumeName(machine) }, ...machine.spec.volumes]
  return wished.map(({ name, volumeName }) => {
    const volume = world.desired.get(Volume, volumeName, machine.metadata.namespace)
    const awaited = volume && awaitedIdentity(volume, world)
    if (awaited !== undefined) return { name, volumeName, volume, identity: undefined, awaited }
    const identity = volume !== undefined && isStored(volume) ? world.identity(volume) : undefined
    return { name, volumeName, volume, identity }
  })
}

/** Why a disk cannot be told yet; undefined where it can. */
export function judgeKnown({ name, volumeName, volume, identity, awaited }: DiskPlan): Verdict | undefined {
  if (awaited !== undefined) {
    return waiting('IdentityNotGiven', `Volume "${volumeName}" (disk "${name}") waits for the identity ${awaited}`)
  }
  if (volume !== undefined && identity !== undefined) return undefined
  return waiting('VolumeNotFound', `Volume "${volumeName}" (disk "${name}") does not exist yet`)
}
