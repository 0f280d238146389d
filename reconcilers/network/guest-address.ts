import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import type { World } from '../world.ts'
import { dhcpEntries } from './machine-nics.ts'
import type { NetworkKey } from './network-plan.ts'

/** The address of a machine in a network: of the NIC named, or of the one it has there. */
export function guestAddress(
  key: NetworkKey,
  namespace: string | undefined,
  machineName: string,
  nicName: string | undefined,
  world: World,
): string | undefined {
  const machine = world.desired.get(VirtualMachine, machineName, namespace)
  if (machine === undefined || machine.metadata.deletionTimestamp !== undefined) return undefined
  return world
    .derived(dhcpEntries, `${namespace}/${machineName}`)
    .find(({ network, nic }) => network === key && (nicName === undefined || nic === nicName))?.address
}
