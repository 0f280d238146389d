import { PublicTemplate } from '../../crds/compute/public-template.ts'
import { ServiceOffering } from '../../crds/compute/service-offering.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { formatQuantity, parseBytes } from '../../crds/invariants/quantity.ts'
import type { MachineDefinition, MachineFacts, MachineNIC, Mark } from '../../drivers/contract/facts.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { definitionClaims, machineClaim } from '../claims.ts'
import { operate } from '../effect.ts'
import { byName, decideByChange, defineFields, type Field } from '../fields.ts'
import { planNIC } from '../network/machine-nics.ts'
import { once } from '../once.ts'
import { isOurs } from '../ownership.ts'
import { acting, satisfied, type Verdict, waiting } from '../verdict.ts'
import type { Seen, Wish, World } from '../world.ts'
import { planDisks } from './disk-plan.ts'
import { definedDisks } from './machine-disks.ts'
import { isRestarting, restartWindowOf } from './restart-window.ts'
import { isMigrating, isOff, whereSeen } from './whereabouts.ts'

type Machine = Wish<typeof VirtualMachine>

/** The mark that everything made for a machine bears. */
export function markOf(machine: Machine, world: World): Mark {
  const { name, namespace } = machine.metadata
  return {
    installation: world.installation,
    kind: VirtualMachine.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
  }
}

/** The machine as it should be defined on its host; undefined while a part of it is not known yet. */
export function definitionOf(machine: Machine, world: World): MachineDefinition | undefined {
  return once(world, `definition/${machine.metadata.uid}`, () => describe(machine, world))
}

function describe(machine: Machine, world: World): MachineDefinition | undefined {
  const offering = world.desired.get(ServiceOffering, machine.spec.serviceOfferingName)?.spec
  if (offering === undefined) return undefined
  const disks = planDisks(machine, world)
  const nics: MachineNIC[] = []
  for (const nic of machine.spec.nics) {
    const { name, macAddress, segment, addresses } = planNIC(machine, nic, world)
    if (segment === undefined) return undefined
    nics.push({ name, macAddress, segment, addresses })
  }
  return {
    role: 'Instance',
    cores: offering.cores,
    clockMHz: offering.clockMHz,
    memoryBytes: parseBytes(offering.memory),
    guestHostName: machine.spec.guestHostName ?? machine.metadata.name,
    disks: definedDisks(machine, disks, world),
    nics,
  }
}

/** The fields of a definition that every machine has, whatever it is for. */
export const definitionFields: readonly Field<MachineDefinition>[] = [
  sized('spec.serviceOfferingName.cores', ({ cores }) => cores),
  sized('spec.serviceOfferingName.clockMHz', ({ clockMHz }) => clockMHz),
  sized('spec.serviceOfferingName.memory', ({ memoryBytes }) => formatQuantity(memoryBytes, 'Bytes')),
  sized('spec.guestHostName', ({ guestHostName }) => guestHostName),
  listed('spec.volumes', ({ disks }) => byName(disks)),
  listed('spec.nics', ({ nics }) => byName(nics)),
]

function sized(path: string, of: (definition: MachineDefinition) => unknown): Field<MachineDefinition> {
  return { path, desired: of, observed: of, change: 'Restart' }
}

/** Entries are told by name; where the names are the same, it is an entry's content that differs. */
function listed(
  path: string,
  of: (definition: MachineDefinition) => readonly { readonly name: string }[],
): Field<MachineDefinition> {
  return { path, desired: of, observed: of, change: 'Live' }
}

/** The fields of virtual machines. */
export const machineFields = defineFields(VirtualMachine, {
  fields: definitionFields,
  wished: definitionOf,
  found: (machine, world) => {
    const facts = seenAtHome(machine, world)?.facts
    return facts === undefined || !isOurs(facts, world) ? undefined : facts.definition
  },
  decide: (difference, machine, world) => {
    const here = seenAtHome(machine, world)
    if (here?.current === false) return 'WaitsForHost'
    if (difference.change !== 'Restart' || here === undefined || isOff(here.facts)) return decideByChange(difference)
    if (isRestarting(machine, world)) return 'Enforcing'
    return restartWindowOf(machine) === undefined ? 'WaitsForRestart' : 'WaitsForWindow'
  },
})

function seenAtHome(machine: Machine, world: World): Seen<MachineFacts> | undefined {
  const identity = world.identity(machine)
  return whereSeen(identity, machineClaim(identity, world), world)
}

/** Whether the machine on its host is as described; what can be changed live is, the rest waits for the next stop. */
export function judgeConfigured(machine: Machine, world: World): Verdict {
  const identity = world.identity(machine)
  const claim = machineClaim(identity, world)
  const here = seenAtHome(machine, world)
  if (claim === undefined || here === undefined) return satisfied('NotDefined', 'The machine is not on a host')
  if (!isOurs(here.facts, world)) return waiting('NotAdopted', 'The machine on the host does not bear our mark')
  const wished = definitionOf(machine, world)
  const drift = machineFields(machine, world)?.differences
  if (wished === undefined || drift === undefined) {
    return waiting('DefinitionIncomplete', 'A part of the definition is not known yet')
  }
  if (drift.length === 0) return satisfied('AsDescribed')
  if (!here.current) return waiting('HostSilent', 'The host does not answer')
  if (isMigrating(claim)) return waiting('Migrating', 'It is changed when its migration is over')
  const live = drift.filter(({ change }) => change === 'Live')
  if (live.length === 0 && !isOff(here.facts)) {
    const names = drift.map(({ path, observed, desired }) => `${path} (now ${observed}, wished ${desired})`).join(', ')
    if (restartWindowOf(machine) === undefined) {
      return waiting('WaitsForRestart', `Takes effect when the machine is next off: ${names}`)
    }
    return waiting('WaitsForWindow', `Takes effect when the machine is next off, or in its restart window: ${names}`)
  }
  const definition = isOff(here.facts) ? wished : { ...here.facts.definition, disks: wished.disks, nics: wished.nics }
  const args = { identity, epoch: claim.spec.epoch, mark: markOf(machine, world), definition }
  const change = operation('DefineMachine', { endpoint: here.endpoint, identity }, args)
  const paths = (isOff(here.facts) ? drift : live).map(({ path }) => path).join(', ')
  return acting('Changing', `Being changed on the host: ${paths}`, operate(change, definitionClaims(claim, world)))
}

/** The least memory that the machine's template needs, in bytes; undefined where it says none. */
export function minimumMemory(machine: Machine, world: World): number | undefined {
  const { templateRef } = machine.spec
  if (templateRef === undefined) return undefined
  const minimum = world.desired.get(PublicTemplate, templateRef.name)?.spec.minimumMemory
  return minimum === undefined ? undefined : parseBytes(minimum)
}
