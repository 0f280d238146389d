import type { LifeQuery, SignOfLife } from '../contract/driver.ts'
import { afterStep, type Simulation, stopMachine } from './guests.ts'
import type { Place, SimulatedHost } from './places.ts'
import type { State } from './state.ts'

/** A host that is well writes a heartbeat to its pools so often, in ms. Nothing runs for it: it is worked out when asked. */
const heartbeat = 10_000
/** A lease that is not renewed expires after so many ms: well after the watchdog has fired, whatever the jitter. */
const leaseDuration = 45_000

/** How a host falls silent. */
export interface SilenceOptions {
  /** What becomes of requests that reach it meanwhile. */
  readonly requests: Place['frozenRequests']
  /** Whether it is only cut off from the control plane: its heartbeats go on, and its neighbours see it. */
  readonly cutOff: boolean
}

/**
 * Lets a host answer no more while it has power. No connection breaks: whoever listens is told when a keep-alive would
 * have noticed. Throws `RangeError` where it is down.
 */
export function fallSilent(simulation: Simulation, host: SimulatedHost, { requests, cutOff }: SilenceOptions): void {
  const { state } = simulation
  if (host.state === 'Down') throw new RangeError(`Cannot freeze host ${host.name}: current state is Down`)
  const wasSilent = host.state === 'Frozen'
  host.state = 'Frozen'
  host.frozenRequests = requests
  host.cutOff = cutOff
  if (cutOff) host.lastSignOfLife = undefined
  else host.lastSignOfLife ??= state.clock.now()
  state.keepHost(host)
  armWatchdog(simulation, host)
  if (wasSilent) return
  host.silenceTimer = afterStep(simulation, 'KeepAlive', () => {
    if (host.state !== 'Frozen') return
    state.tell(host, '', { event: 'Disconnected', message: `host ${host.name} gives no sign of life` })
  })
}

/** Lets a storage answer no more. Whoever listens is told when a keep-alive would have noticed. Throws `RangeError` where it is down. */
export function stall(simulation: Simulation, storage: Place, requests: Place['frozenRequests']): void {
  if (storage.state === 'Down') throw new RangeError(`Cannot freeze ${storage.key}: current state is Down`)
  const wasSilent = storage.state === 'Frozen'
  storage.state = 'Frozen'
  storage.frozenRequests = requests
  storage.missedEvents = true
  if (wasSilent) return
  afterStep(simulation, 'KeepAlive', () => {
    if (storage.state !== 'Frozen') return
    simulation.state.tell(storage, '', { event: 'Disconnected', message: `${storage.key} gives no sign of life` })
  })
}

/** What a pool, or a host as a neighbour, knows of a host's life. */
export function signOfLife(state: State, witness: Place, { host: key }: LifeQuery): SignOfLife {
  const host = state.hosts.get(state.aliases.get(key)?.place ?? '')
  if (host === undefined) return {}
  const lives = host.lastSignOfLife === undefined
  if (witness.type === 'Host') return lives ? { age: 0 } : {}
  const now = state.clock.now()
  const ends = [host.lastSignOfLife, host.lostStorages.get(witness.key)].filter(end => end !== undefined)
  const age = ends.length === 0 ? now % heartbeat : now - Math.min(...ends)
  if (!host.capabilities.includes('StorageLease')) return { age }
  return { age, lease: host.leaseLapsed && age > leaseDuration ? 'Expired' : 'Held' }
}

/** Takes up what was going on when a stored world was left: watchdogs of hosts that cannot renew their lease. */
export function resumeWatchdogs(simulation: Simulation): void {
  for (const host of simulation.state.hosts.values()) armWatchdog(simulation, host)
}

/** A host that holds a lease and cannot renew it is stopped by its watchdog before anybody takes it for expired. */
function armWatchdog(simulation: Simulation, host: SimulatedHost): void {
  const { state } = simulation
  host.watchdogTimer?.cancel()
  if (host.state !== 'Frozen' || host.cutOff || !host.capabilities.includes('StorageLease')) return
  host.watchdogTimer = afterStep(simulation, 'Watchdog', () => {
    for (const machine of [...host.machines.values()]) stopMachine(state, machine, 'Unknown')
    host.leaseLapsed = true
    state.keep()
  })
}
