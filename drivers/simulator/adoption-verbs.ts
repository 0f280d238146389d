import equal from 'fast-deep-equal'
import { adoptionObstacle } from '../contract/adoption.ts'
import { DriverError } from '../contract/errors.ts'
import type { MachineDefinition, MachineFacts, VolumeFacts } from '../contract/facts.ts'
import { requireEpoch, requireOurs } from '../contract/guards.ts'
import type { Verbs } from '../contract/operation.ts'
import { sameMark } from './caller.ts'
import { type HostCall, requireDefinable, requireMachine } from './machine-verbs.ts'
import { type PoolCall, requireVolume } from './storage-verbs.ts'

type Arguments<V extends keyof Verbs> = Verbs[V]['arguments']

/** Puts a mark on a machine that bears none. */
export function adoptMachine(call: HostCall, args: Arguments<'AdoptMachine'>): MachineFacts {
  const { host, simulation } = call
  const { identity, epoch, mark, definition } = args
  requireDefinable(host, definition)
  const machine = requireMachine(call, identity, 'adopt')
  const { facts } = machine
  if (facts.mark !== undefined) requireOurs(facts, 'machine', mark.installation)
  requireEpoch(facts, 'machine', epoch)
  if (facts.powerState === 'Incoming' || machine.migration !== undefined) {
    throw new DriverError('FailedPrecondition', `Cannot adopt machine ${identity}: it is being migrated`)
  }
  const obstacle = adoptionObstacle(definition, facts.definition)
  if (obstacle !== undefined) throw new DriverError('InvalidArgument', `Cannot adopt machine ${identity}: ${obstacle}`)
  if (facts.epoch === epoch && sameMark(facts.mark, mark) && equal(facts.definition, definition)) return facts
  simulation.state.setMachine(machine, { ...facts, mark, epoch, definition })
  return machine.facts
}

/** Takes our mark off a machine. */
export function releaseMachine(call: HostCall, args: Arguments<'ReleaseMachine'>): MachineFacts | undefined {
  const machine = call.host.machines.get(args.identity)
  if (machine === undefined) return undefined
  const { mark, ...facts } = machine.facts
  if (mark === undefined) return machine.facts
  requireOurs(machine.facts, 'machine', call.installation)
  requireEpoch(facts, 'machine', args.epoch)
  if (facts.powerState === 'Incoming' || machine.migration !== undefined) {
    throw new DriverError('FailedPrecondition', `Cannot release machine ${args.identity}: it is being migrated`)
  }
  call.simulation.state.setMachine(machine, { ...facts, epoch: 0, definition: asToldByHost(facts.definition) })
  return machine.facts
}

/** What a host tells of a machine by itself: which network and addresses its NICs were given went with our mark. */
function asToldByHost(definition: MachineDefinition): MachineDefinition {
  const nics = definition.nics.map(nic => ({ ...nic, segment: { ...nic.segment, network: '' }, addresses: [] }))
  return { ...definition, nics }
}

/** Puts a mark on a volume that bears none. */
export function adoptVolume(call: PoolCall, args: Arguments<'AdoptVolume'>): VolumeFacts {
  const volume = requireVolume(call, args.identity, 'adopt')
  const { facts } = volume
  if (facts.mark !== undefined) requireOurs(facts, 'volume', args.mark.installation)
  requireEpoch(facts, 'volume', args.epoch)
  if (facts.epoch === args.epoch && sameMark(facts.mark, args.mark)) return facts
  const adopted = { ...facts, mark: args.mark, epoch: args.epoch }
  call.state.setVolume(call.pool, { ...volume, facts: adopted })
  return adopted
}

/** Takes our mark off a volume. */
export function releaseVolume(call: PoolCall, args: Arguments<'ReleaseVolume'>): VolumeFacts | undefined {
  const volume = call.pool.volumes.get(args.identity)
  if (volume === undefined) return undefined
  const { mark, ...facts } = volume.facts
  if (mark === undefined) return volume.facts
  requireOurs(volume.facts, 'volume', call.installation)
  requireEpoch(facts, 'volume', args.epoch)
  if (facts.trashedAt !== undefined) {
    throw new DriverError('FailedPrecondition', `Cannot release volume ${args.identity}: it is in the trash`)
  }
  const released = { ...facts, epoch: 0 }
  call.state.setVolume(call.pool, { ...volume, facts: released })
  return released
}
