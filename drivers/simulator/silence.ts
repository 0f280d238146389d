import { afterStep, type Simulation } from './guests.ts'
import type { Place, SimulatedHost } from './places.ts'

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
  if (wasSilent) return
  host.silenceTimer = afterStep(simulation, 'KeepAlive', () => {
    if (host.state !== 'Frozen') return
    state.tell(host, '', { event: 'Disconnected', message: `host ${host.name} gives no sign of life` })
  })
}
