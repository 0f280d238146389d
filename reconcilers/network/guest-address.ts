import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { blocked, type Verdict } from '../verdict.ts'
import type { World } from '../world.ts'
import { defaultNIC, dhcpEntries, networkOf } from './machine-nics.ts'
import type { NetworkKey } from './network-plan.ts'

/** Where a rule leads: a machine of the rule's namespace, and optionally one of its NICs. */
export interface GuestTarget {
  readonly network: NetworkKey
  readonly namespace: string | undefined
  readonly virtualMachineName: string
  readonly nicName?: string | undefined
}

/** The address of a machine in a network: of the NIC named, or of the one it has there. */
export function guestAddress(target: GuestTarget, world: World): string | undefined {
  const { network, namespace, virtualMachineName, nicName } = target
  const machine = world.desired.get(VirtualMachine, virtualMachineName, namespace)
  if (machine === undefined || machine.metadata.deletionTimestamp !== undefined) return undefined
  return world
    .derived(dhcpEntries, `${namespace}/${virtualMachineName}`)
    .find(entry => entry.network === network && entry.defaultRoute && (nicName === undefined || entry.nic === nicName))
    ?.address
}

/**
 * Why a machine can never be the target as both are described; undefined while it can. Answers leave a guest by its
 * default route: only there can translated traffic come in (NET-142, NET-163).
 */
export function targetRefusal(target: GuestTarget, field: string, world: World): Verdict | undefined {
  const { network, namespace, virtualMachineName, nicName } = target
  const machine = world.desired.get(VirtualMachine, virtualMachineName, namespace)
  if (machine === undefined) return undefined
  const nics = machine.spec.nics.filter(nic => networkOf(machine, nic) === network)
  const nic = nicName === undefined ? nics[0] : nics.find(({ name }) => name === nicName)
  if (nic === undefined) {
    const which = nicName === undefined ? 'no NIC' : `no NIC "${nicName}"`
    return blocked(
      'MachineNotInNetwork',
      `${field}: machine "${virtualMachineName}" has ${which} in the network of the address: add one, or choose another machine`,
    )
  }
  if (nic.name === defaultNIC(machine)) return undefined
  return blocked(
    'NotDefaultNetwork',
    `${field}: NIC "${nic.name}" of machine "${virtualMachineName}" does not hold its default route: set the machine's spec.defaultNICName`,
  )
}
