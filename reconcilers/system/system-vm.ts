import { SystemVM } from '../../crds/infrastructure/system-vm.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { parseBytes } from '../../crds/invariants/quantity.ts'
import type { MachineNIC } from '../../drivers/contract/facts.ts'
import { machineClaim } from '../claims.ts'
import { defineReconciler, type Phase } from '../define-reconciler.ts'
import { defineFields } from '../fields.ts'
import { macAddressOf } from '../identity.ts'
import { trafficOn } from '../network/network-plan.ts'
import { publicAddressOf } from '../network/public-addresses.ts'
import { satisfied, waiting } from '../verdict.ts'
import type { Wish, World } from '../world.ts'
import {
  type Appliance,
  applianceDefinition,
  applianceFields,
  appliancePhases,
  applianceTeardown,
  decideAppliance,
  judgeDefined,
  runningAppliance,
  seenAtHome,
} from './appliance.ts'
import { judgeSystemAddresses, managementAddressOf } from './system-addresses.ts'

type System = Wish<typeof SystemVM>

/** A system VM as an appliance, with one NIC in the management and one in the public network. */
const appliance: Appliance<typeof SystemVM> = {
  role: ({ spec }) => spec.role,
  capability: 'SystemVM',
  size: ({ spec }) => ({ cores: spec.cores, clockMHz: spec.clockMHz, memoryBytes: parseBytes(spec.memory) }),
  nics: (self, world) => {
    const management = nicOf(self, 'Management', managementAddressOf(self, world), world)
    const open = nicOf(self, 'Public', publicAddressOf(self.metadata.uid, world), world)
    return management === undefined || open === undefined ? undefined : [management, open]
  },
}

function nicOf(
  self: System,
  traffic: 'Management' | 'Public',
  address: string | undefined,
  world: World,
): MachineNIC | undefined {
  const identity = world.identity(self)
  const hostName = machineClaim(identity, world)?.spec.machine?.hostName
  const segment = trafficOn(self.spec.zoneName, hostName, traffic, world)
  if (segment === undefined || address === undefined) return undefined
  const name = traffic.toLowerCase()
  return { name, macAddress: macAddressOf(identity, name), segment, addresses: [address] }
}

const fields = defineFields(SystemVM, {
  fields: applianceFields,
  wished: (self, world) => {
    const definition = applianceDefinition(self, appliance, world)
    return definition === undefined ? undefined : { definition }
  },
  found: runningAppliance,
  decide: decideAppliance,
})

const addressed: Phase<typeof SystemVM> = { condition: 'AddressesAllocated', judge: judgeSystemAddresses }

const configured: Phase<typeof SystemVM> = {
  condition: 'Configured',
  needs: ['PowerApplied'],
  judge: (self, world) => {
    const here = seenAtHome(world.identity(self), world)
    if (here === undefined || here.facts.powerState !== 'Running') return waiting('NotRunning', 'It does not run')
    if (!here.current) return waiting('HostSilent', 'Its host does not answer')
    return judgeDefined(self, appliance, fields, world) ?? satisfied('AsDescribed')
  },
}

const [scheduled, settled, powerApplied] = appliancePhases(appliance)

/** The reconciler of system VMs: always up, moved when their host is proven off. */
export const systemVMReconciler = defineReconciler(SystemVM, {
  references: ({ spec }) => [{ kind: Zone, name: spec.zoneName, field: 'spec.zoneName' }],
  fields,
  phases: [scheduled, settled, addressed, powerApplied, configured],
  teardown: applianceTeardown(),
  report: (status, self, world) => {
    const identity = world.identity(self)
    const here = seenAtHome(identity, world)
    assign(status, 'hostName', machineClaim(identity, world)?.spec.machine?.hostName)
    assign(status, 'powerState', here === undefined ? 'Off' : here.current ? here.facts.powerState : 'Unknown')
    assign(status, 'managementAddress', managementAddressOf(self, world))
    assign(status, 'publicAddress', publicAddressOf(self.metadata.uid, world))
  },
})

function assign<T extends object, Key extends keyof T>(target: T, key: Key, value: T[Key] | undefined): void {
  if (value === undefined) delete target[key]
  else target[key] = value
}
