import { hostNameAt } from '../infrastructure/topology.ts'
import type { MachineUser, World } from '../world.ts'
import { isFenced } from './whereabouts.ts'

/**
 * A machine that is seen with a disk and has no right to it, on a host that is not proven off: one that has lost its claim
 * with the API's store and is not rebound yet, a leftover, or somebody else's. While there is one, nobody else may write
 * to the disk, and it is not destroyed. `machineIdentity` is that of the machine that may.
 */
export function otherUserOf(
  volumeIdentity: string,
  machineIdentity: string | undefined,
  world: World,
): MachineUser | undefined {
  return world.observed
    .diskUsers(volumeIdentity)
    .find(({ identity, endpoint }) => identity !== machineIdentity && !isFenced(endpoint, world))
}

/** Such a machine in words, with its host: `Machine 6f1c… of the name "web-1" on host "host-1"`. */
export function describeUser({ endpoint, identity }: MachineUser, world: World): string {
  const seen = world.observed.machines(identity).find(each => each.endpoint === endpoint)
  const mark = seen?.facts.mark
  const name = mark === undefined ? '' : ` of the name "${mark.name}"`
  return `Machine ${identity}${name} on host "${hostNameAt(endpoint, world)}"`
}
