import type { Random } from '../../crds/environment.ts'
import { DriverError } from '../contract/errors.ts'
import type { MachineDefinition, MachineFacts, PowerState, StopCause } from '../contract/facts.ts'
import { endMigration } from './migrations.ts'
import type { SimulatedHost, SimulatedMachine } from './places.ts'
import type { State } from './state.ts'
import { duration, type TimedStep, type Timing } from './timing.ts'

/** The world with what makes time pass in it. */
export interface Simulation {
  readonly state: State
  readonly timing: Timing
  readonly random: Random
}

/** A host takes machines up to this many times its memory: accounting for it is the control plane's part. */
const memoryFactor = 16

/** Does something in the world after the time a step takes; cancelled by the answer's `cancel`. */
export function afterStep(simulation: Simulation, step: TimedStep, action: () => void): { cancel(): void } {
  const { state, timing, random } = simulation
  const milliseconds = duration(timing, step, random)
  if (milliseconds > 0) return state.clock.after(milliseconds, action)
  let cancelled = false
  queueMicrotask(() => {
    if (!cancelled) action()
  })
  return {
    cancel: () => {
      cancelled = true
    },
  }
}

/** The facts of a machine with another power state; what lives only while it runs is lost with it. */
export function withPower(facts: MachineFacts, powerState: PowerState, stopCause?: StopCause): MachineFacts {
  const { stopCause: _stopCause, router, ...rest } = facts
  if (powerState === 'Off') return { ...rest, powerState, ...(stopCause === undefined ? {} : { stopCause }) }
  return { ...rest, powerState, ...(router === undefined ? {} : { router }) }
}

/** Starts a machine whatever its definition asks of the host; throws `DriverError` where the host cannot. */
export function startMachine(simulation: Simulation, machine: SimulatedMachine): void {
  const { state } = simulation
  const { powerState, definition } = machine.facts
  if (powerState === 'Running') return
  if (powerState === 'Incoming') {
    throw new DriverError('FailedPrecondition', `Cannot start machine ${machine.identity}: current state is Incoming`)
  }
  if (machine.host.power === 'Off') {
    throw new DriverError(
      'FailedPrecondition',
      `Cannot start machine ${machine.identity}: host ${machine.host.name} has no power`,
    )
  }
  const [lost] = disksOutOfReach(state, machine.host, definition)
  if (lost !== undefined) {
    throw new DriverError(
      'FailedPrecondition',
      `Cannot start machine ${machine.identity}: host ${machine.host.name} cannot reach ${lost.pool} with disk ${lost.name}`,
    )
  }
  for (const disk of definition.disks) {
    const pool = state.pools.get(state.aliases.get(disk.pool)?.place ?? '')
    const volume = pool?.volumes.get(disk.identity)
    if (volume === undefined || volume.facts.trashedAt !== undefined) {
      const why = volume === undefined ? `is not in ${disk.pool}` : 'is in the trash'
      throw new DriverError(
        'FailedPrecondition',
        `Cannot start machine ${machine.identity}: disk ${disk.name} (volume ${disk.identity}) ${why}`,
      )
    }
  }
  requireMemory(machine.host, machine.identity, definition.memoryBytes - (machine.active?.memoryBytes ?? 0))
  state.setMachine(machine, withPower(machine.facts, 'Running'))
}

/** The disks of a machine that lie in pools which a host cannot reach. */
export function disksOutOfReach(
  state: State,
  host: SimulatedHost,
  { disks }: MachineDefinition,
): MachineDefinition['disks'] {
  return disks.filter(({ pool }) => host.lostStorages.has(state.aliases.get(pool)?.place ?? ''))
}

/** Refuses a machine for which the host has no memory left. */
export function requireMemory(host: SimulatedHost, identity: string, bytes: number): void {
  if (host.usedMemoryBytes + bytes <= host.size.memoryBytes * memoryFactor) return
  throw new DriverError('ResourceExhausted', `Cannot run machine ${identity}: host ${host.name} has no memory left`)
}

/** Takes a machine's power, for that reason. One that is off stays as it is. */
export function stopMachine(state: State, machine: SimulatedMachine, cause: StopCause): void {
  machine.timer?.cancel()
  machine.timer = undefined
  machine.goingDown = undefined
  if (machine.facts.powerState === 'Off') return
  const { incomingFrom } = machine
  endMigration(state, incomingFrom ?? machine)
  if (incomingFrom !== undefined) return
  state.setMachine(machine, withPower(machine.facts, 'Off', cause))
}

/** Lets a guest go down in its own time, by its own wish or because it was asked. */
export function shutDownGuest(simulation: Simulation, machine: SimulatedMachine, cause: 'Guest' | 'Request'): void {
  if (machine.facts.powerState !== 'Running' || machine.goingDown !== undefined) return
  machine.goingDown = cause
  simulation.state.keepMachine(machine)
  continueShutdown(simulation, machine)
}

/** Takes up what was going on when a stored world was left: guests on their way down, hosts that boot. */
export function resume(simulation: Simulation): void {
  for (const host of simulation.state.hosts.values()) {
    if (host.booting) bootHost(simulation, host)
    for (const machine of host.machines.values()) {
      if (machine.goingDown !== undefined) continueShutdown(simulation, machine)
    }
  }
}

function continueShutdown(simulation: Simulation, machine: SimulatedMachine): void {
  const { state } = simulation
  machine.timer = afterStep(simulation, 'GuestShutdown', () => {
    const cause = machine.goingDown
    if (cause === undefined) return
    stopMachine(state, machine, cause)
    state.journal.record({
      source: 'Guest',
      action: 'shutDown',
      place: machine.host.key,
      identity: machine.identity,
      outcome: 'Done',
      changed: true,
    })
    state.keep()
  })
}

/** Takes a host's power: its machines are off at once, and it no longer answers. */
export function cutHostPower(state: State, host: SimulatedHost): void {
  host.bootTimer?.cancel()
  host.bootTimer = undefined
  host.booting = false
  if (host.power === 'Off') return
  host.power = 'Off'
  host.lastSignOfLife ??= state.clock.now()
  host.silenceTimer?.cancel()
  host.watchdogTimer?.cancel()
  host.state = 'Down'
  state.keepHost(host)
  for (const machine of host.machines.values()) stopMachine(state, machine, 'Unknown')
  host.jobs.clear()
  host.powerLosses++
  host.missedEvents = true
  state.disconnect(host, `host ${host.name} lost its power`)
}

/** Gives a host its power back; it answers once it has booted. Its machines stay off. */
export function bootHost(simulation: Simulation, host: SimulatedHost): void {
  if (host.power === 'On' && !host.booting) return
  const { state } = simulation
  host.bootTimer?.cancel()
  host.power = 'On'
  host.booting = true
  state.keepHost(host)
  host.bootTimer = afterStep(simulation, 'HostBoot', () => {
    host.booting = false
    host.bootTimer = undefined
    beHeard(state, host)
    state.keepHost(host)
    state.keep()
  })
}

/** Lets a silent host answer again. */
export function beHeard(state: State, host: SimulatedHost): void {
  host.silenceTimer?.cancel()
  host.watchdogTimer?.cancel()
  host.cutOff = false
  host.leaseLapsed = false
  host.lastSignOfLife = undefined
  state.revive(host)
}
