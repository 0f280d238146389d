import { createHash } from 'node:crypto'
import equal from 'fast-deep-equal'
import { DriverError } from '../contract/errors.ts'
import type { Capability, MachineDefinition, MachineFacts, MachineNIC } from '../contract/facts.ts'
import { requireEpoch, requireOurs, requireWhole } from '../contract/guards.ts'
import type { Verbs } from '../contract/operation.ts'
import { type Caller, sameMark } from './caller.ts'
import { type Simulation, shutDownGuest, startMachine, stopMachine } from './guests.ts'
import type { SimulatedHost, SimulatedMachine } from './places.ts'

type Arguments<V extends keyof Verbs> = Verbs[V]['arguments']

/** Where a verb on machines is carried out, and for whom. */
export interface HostCall extends Caller {
  readonly simulation: Simulation
  readonly host: SimulatedHost
}

const macAddressPattern = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/

/** Defines a machine or changes its definition. */
export function defineMachine(call: HostCall, args: Arguments<'DefineMachine'>): MachineFacts {
  const { host, simulation } = call
  const { state } = simulation
  requireDefinable(host, args.definition)
  if (args.userData !== undefined) requireCapability(host, 'UserData')
  const found = host.machines.get(args.identity)
  const machine = found ?? state.addMachine(host, newFacts(args))
  if (found !== undefined) redefine(call, found, args)
  if (args.userData !== undefined) {
    const userDataHash = createHash('sha256').update(args.userData).digest('hex')
    if (userDataHash !== machine.userDataHash) {
      machine.userDataHash = userDataHash
      state.keepMachine(machine)
    }
  }
  if (args.power === 'Running') startMachine(simulation, machine)
  return machine.facts
}

function newFacts(args: Arguments<'DefineMachine'>): MachineFacts {
  const { identity, mark, epoch, definition } = args
  return { identity, mark, epoch, powerState: 'Off', definition }
}

function redefine(call: HostCall, machine: SimulatedMachine, args: Arguments<'DefineMachine'>): void {
  const { facts } = machine
  requireOurs(facts, 'machine', args.mark.installation)
  requireSettled(machine, 'define')
  if (facts.mark?.kind !== args.mark.kind || facts.definition.role !== args.definition.role) {
    throw new DriverError(
      'AlreadyExists',
      `Cannot define machine ${machine.identity} as ${args.mark.kind} of role ${args.definition.role}: ` +
        `it is ${facts.mark?.kind} of role ${facts.definition.role}`,
    )
  }
  requireEpoch(facts, 'machine', args.epoch)
  const sameDefinition = facts.definition === args.definition || equal(facts.definition, args.definition)
  if (sameDefinition && facts.epoch === args.epoch && sameMark(facts.mark, args.mark)) return
  const definition = sameDefinition ? facts.definition : args.definition
  call.simulation.state.setMachine(machine, { ...facts, mark: args.mark, epoch: args.epoch, definition })
}

/** Starts a machine. */
export function start(call: HostCall, args: Arguments<'StartMachine'>): MachineFacts {
  const machine = requireMachine(call, args.identity, 'start')
  requireNotIncoming(machine, 'start')
  claim(call, machine, args.epoch)
  startMachine(call.simulation, machine)
  return machine.facts
}

/** Asks a guest to shut down, or takes its power. */
export function stop(call: HostCall, args: Arguments<'StopMachine'>): MachineFacts | undefined {
  const machine = call.host.machines.get(args.identity)
  if (machine === undefined) return undefined
  if (args.mode === 'Graceful') requireCapability(call.host, 'GracefulStop')
  requireNotIncoming(machine, 'stop')
  claim(call, machine, args.epoch)
  if (args.mode === 'Forced') stopMachine(call.simulation.state, machine, 'Forced')
  else if (!machine.ignoresACPI) shutDownGuest(call.simulation, machine, 'Request')
  return machine.facts
}

/** Removes the definition of a machine that is off. */
export function removeMachine(call: HostCall, args: Arguments<'RemoveMachine'>): undefined {
  const machine = call.host.machines.get(args.identity)
  if (machine === undefined) return undefined
  requireOurs(machine.facts, 'machine', call.installation)
  requireEpoch(machine.facts, 'machine', args.epoch)
  if (machine.facts.powerState !== 'Off') {
    throw new DriverError(
      'FailedPrecondition',
      `Cannot remove machine ${machine.identity}: current state is ${machine.facts.powerState}`,
    )
  }
  call.simulation.state.removeMachine(machine)
  return undefined
}

/** Gives a router its configuration. */
export function configureRouter(call: HostCall, args: Arguments<'ConfigureRouter'>): MachineFacts {
  requireCapability(call.host, 'VirtualRouter')
  const machine = requireMachine(call, args.identity, 'configure')
  const { role } = machine.facts.definition
  if (role !== 'VirtualRouter') {
    throw new DriverError('InvalidArgument', `Cannot configure machine ${machine.identity}: its role is ${role}`)
  }
  claim(call, machine, args.epoch)
  if (machine.facts.powerState !== 'Running') {
    throw new DriverError(
      'FailedPrecondition',
      `Cannot configure machine ${machine.identity}: current state is ${machine.facts.powerState}`,
    )
  }
  const router = { hash: args.hash, document: args.document }
  if (!equal(machine.facts.router, router)) {
    call.simulation.state.setMachine(machine, { ...machine.facts, router })
  }
  return machine.facts
}

/** The machine of that identity; throws `NotFound`. */
export function requireMachine(call: HostCall, identity: string, what: string): SimulatedMachine {
  const machine = call.host.machines.get(identity)
  if (machine !== undefined) return machine
  throw new DriverError('NotFound', `Cannot ${what} machine ${identity}: it is not defined on host ${call.host.name}`)
}

/** The paused side of a migration is its source's: nobody starts, stops or changes it. */
function requireNotIncoming(machine: SimulatedMachine, what: string): void {
  if (machine.facts.powerState !== 'Incoming') return
  throw new DriverError(
    'FailedPrecondition',
    `Cannot ${what} machine ${machine.identity} on host ${machine.host.name}: current state is Incoming`,
  )
}

function requireSettled(machine: SimulatedMachine, what: string): void {
  requireNotIncoming(machine, what)
  if (machine.migration === undefined) return
  throw new DriverError(
    'FailedPrecondition',
    `Cannot ${what} machine ${machine.identity}: it is being migrated to ${machine.facts.migratingTo}`,
  )
}

/** Lets only the newest claim act, and remembers it so that an older one comes too late. */
export function claim(call: HostCall, machine: SimulatedMachine, epoch: number): void {
  requireOurs(machine.facts, 'machine', call.installation)
  requireEpoch(machine.facts, 'machine', epoch)
  if (epoch > machine.facts.epoch) call.simulation.state.setMachine(machine, { ...machine.facts, epoch })
}

/** Refuses what the host cannot do. */
export function requireCapability(host: SimulatedHost, capability: Capability): void {
  if (host.capabilities.includes(capability)) return
  throw new DriverError('Unsupported', `Cannot do this on host ${host.name}: it lacks ${capability}`)
}

/** Refuses a definition that the host cannot take. */
export function requireDefinable(host: SimulatedHost, definition: MachineDefinition): void {
  requireCapability(host, 'MachineDefine')
  if (definition.role === 'VirtualRouter') requireCapability(host, 'VirtualRouter')
  if (definition.role === 'ConsoleProxy' || definition.role === 'SecondaryStorage') requireCapability(host, 'SystemVM')
  requireWhole(definition.cores, 1, 'cores')
  requireWhole(definition.clockMHz, 0, 'clockMHz')
  requireWhole(definition.memoryBytes, 1, 'memoryBytes')
  if (definition.cores > host.size.cores) {
    throw new DriverError(
      'InvalidArgument',
      `Cannot define a machine of ${definition.cores} cores: host ${host.name} has ${host.size.cores}`,
    )
  }
  for (const [index, nic] of definition.nics.entries()) {
    requirePluggable(host, nic)
    const twin = definition.nics.findIndex(each => each.name === nic.name || each.macAddress === nic.macAddress)
    if (twin !== index) {
      throw new DriverError('InvalidArgument', `Cannot define NIC ${nic.name}: another has its name or MAC address`)
    }
  }
  for (const [index, disk] of definition.disks.entries()) {
    if (definition.disks.findIndex(each => each.name === disk.name || each.identity === disk.identity) === index)
      continue
    throw new DriverError('InvalidArgument', `Cannot define disk ${disk.name}: another has its name or volume`)
  }
}

function requirePluggable(host: SimulatedHost, nic: MachineNIC): void {
  if (!macAddressPattern.test(nic.macAddress)) {
    throw new DriverError('InvalidArgument', `Cannot define NIC ${nic.name}: ${nic.macAddress} is no MAC address`)
  }
  const { isolation, id } = nic.segment
  if (isolation === 'None') return
  requireCapability(host, isolation === 'VLAN' ? 'SegmentVLAN' : 'SegmentVXLAN')
  requireWhole(id ?? -1, 1, `${isolation} id`)
}
