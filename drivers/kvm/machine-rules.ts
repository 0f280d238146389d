import { DriverError } from '../contract/errors.ts'
import type { MachineDefinition, MachineNIC } from '../contract/facts.ts'
import { requireWhole } from '../contract/guards.ts'

const macAddressPattern = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/
/** What fits on the guest's one PCI bus besides what every machine has. */
const mostDevices = 24
const mostDisks = 20
/** Linux allows names of network devices up to this long. */
const longestBridge = 15

/** Refuses a definition that this driver cannot make (`Unsupported`, naming the field) or nobody can (`InvalidArgument`). */
export function requireDefinable(args: { readonly definition: MachineDefinition; readonly userData?: string }): void {
  const { definition, userData } = args
  if (userData !== undefined) throw unsupported('userData', 'the KVM driver has no way to hand it to the guest')
  if (definition.role !== 'Instance') throw unsupported('role', `the KVM driver has no machines of ${definition.role}`)
  requireWhole(definition.cores, 1, 'cores')
  requireWhole(definition.clockMHz, 0, 'clockMHz')
  requireWhole(definition.memoryBytes, 1, 'memoryBytes')
  if (definition.disks.length > mostDisks || definition.disks.length + definition.nics.length > mostDevices) {
    throw new DriverError(
      'InvalidArgument',
      `Cannot define ${definition.disks.length} disks and ${definition.nics.length} NICs: ` +
        `at most ${mostDisks} disks and ${mostDevices} of both fit a machine`,
    )
  }
  requireDistinct(definition.disks, 'disk', disk => [disk.name, disk.identity])
  requireDistinct(definition.nics, 'NIC', nic => [nic.name, nic.macAddress])
  for (const nic of definition.nics) requirePluggable(nic)
}

function requirePluggable(nic: MachineNIC): void {
  const { isolation, label } = nic.segment
  if (isolation !== 'None') throw unsupported('nics[].segment.isolation', `the KVM driver has no ${isolation} segments`)
  if (!macAddressPattern.test(nic.macAddress)) {
    throw new DriverError('InvalidArgument', `Cannot define NIC ${nic.name}: ${nic.macAddress} is no MAC address`)
  }
  if (label === '' || label.length > longestBridge || /[\s/]/.test(label)) {
    throw new DriverError('InvalidArgument', `Cannot define NIC ${nic.name}: "${label}" is no name of a bridge`)
  }
}

function requireDistinct<T extends { readonly name: string }>(
  items: readonly T[],
  what: string,
  keys: (item: T) => readonly string[],
): void {
  for (const [index, item] of items.entries()) {
    const others = items.slice(0, index)
    if (!others.some(other => keys(other).some((key, at) => key === keys(item)[at]))) continue
    throw new DriverError('InvalidArgument', `Cannot define ${what} ${item.name}: another has its name or identity`)
  }
}

function unsupported(field: string, why: string): DriverError {
  return new DriverError('Unsupported', `Cannot define a machine with this ${field}: ${why} yet`)
}
