import deepEqual from 'fast-deep-equal'
import { PublicTemplate } from '../../crds/compute/public-template.ts'
import { ServiceOffering } from '../../crds/compute/service-offering.ts'
import { type Drift, VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { formatQuantity, parseBytes } from '../../crds/invariants/quantity.ts'
import type { MachineDefinition, MachineNIC, Mark } from '../../drivers/contract/facts.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { machineClaim } from '../claims.ts'
import { operate } from '../effect.ts'
import { planNIC } from '../network/machine-nics.ts'
import { once } from '../once.ts'
import { acting, satisfied, type Verdict, waiting } from '../verdict.ts'
import type { Wish, World } from '../world.ts'
import { planDisks } from './disk-plan.ts'
import { definedDisks } from './machine-disks.ts'
import { claimedHost, isOff } from './machine-power.ts'

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

/** How a field of a machine is changed, and where it comes from in the spec. */
interface Field {
  readonly path: string
  readonly of: (definition: MachineDefinition) => unknown
  readonly change: Drift['change']
}

/** The fields of a machine. Drift, what waits for a restart, and what is changed live are all this list. */
const fields: readonly Field[] = [
  { path: 'spec.serviceOfferingName.cores', of: ({ cores }) => cores, change: 'Restart' },
  { path: 'spec.serviceOfferingName.clockMHz', of: ({ clockMHz }) => clockMHz, change: 'Restart' },
  {
    path: 'spec.serviceOfferingName.memory',
    of: ({ memoryBytes }) => formatQuantity(memoryBytes, 'Bytes'),
    change: 'Restart',
  },
  { path: 'spec.guestHostName', of: ({ guestHostName }) => guestHostName, change: 'Restart' },
  { path: 'spec.volumes', of: ({ disks }) => byName(disks), change: 'Live' },
  { path: 'spec.nics', of: ({ nics }) => byName(nics), change: 'Live' },
]

/** Where what is on the host differs from what is described, field by field. */
export function driftOf(wished: MachineDefinition, found: MachineDefinition): readonly Drift[] {
  return fields
    .filter(({ of }) => !deepEqual(of(wished), of(found)))
    .map(({ path, of, change }) => ({ path, desired: brief(of(wished)), observed: brief(of(found)), change }))
}

/** Whether the machine on its host is as described; what can be changed live is, the rest waits for the next stop. */
export function judgeConfigured(machine: Machine, world: World): Verdict {
  const identity = world.identity(machine)
  const claim = machineClaim(identity, world)
  const host = claim === undefined ? undefined : claimedHost(claim)
  const here = world.observed.machines(identity).find(seen => seen.endpoint === host)
  if (claim === undefined || here === undefined) return satisfied('NotDefined', 'The machine is not on a host')
  const wished = definitionOf(machine, world)
  if (wished === undefined) return waiting('DefinitionIncomplete', 'A part of the definition is not known yet')
  const drift = driftOf(wished, here.facts.definition)
  if (drift.length === 0) return satisfied('AsDescribed')
  if (!here.current) return waiting('HostSilent', 'The host does not answer')
  const live = drift.filter(({ change }) => change === 'Live')
  if (live.length === 0 && !isOff(here.facts)) {
    const names = drift.map(({ path, observed, desired }) => `${path} (now ${observed}, wished ${desired})`).join(', ')
    return waiting('WaitsForRestart', `Takes effect when the machine is next off: ${names}`)
  }
  const definition = isOff(here.facts) ? wished : { ...here.facts.definition, disks: wished.disks, nics: wished.nics }
  const args = { identity, epoch: claim.spec.epoch, mark: markOf(machine, world), definition }
  const change = operation('DefineMachine', { endpoint: here.endpoint, identity }, args)
  const paths = (isOff(here.facts) ? drift : live).map(({ path }) => path).join(', ')
  return acting('Changing', `Being changed on the host: ${paths}`, operate(change, [claim.metadata.name]))
}

/** The least memory that the machine's template needs, in bytes; undefined where it says none. */
export function minimumMemory(machine: Machine, world: World): number | undefined {
  const minimum = world.desired.get(PublicTemplate, machine.spec.templateRef.name)?.spec.minimumMemory
  return minimum === undefined ? undefined : parseBytes(minimum)
}

function byName<T extends { readonly name: string }>(items: readonly T[]): readonly T[] {
  return items.toSorted((left, right) => (left.name < right.name ? -1 : 1))
}

function brief(value: unknown): string {
  if (!Array.isArray(value)) return String(value)
  return value.map(item => String(item.name)).join(' ') || 'none'
}
