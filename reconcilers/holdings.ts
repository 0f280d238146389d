/** What hosts and pools have promised: by claims, and by what is seen there. The only way in which capacity is counted. */
import { Allocation, type MachineClaim } from '../crds/infrastructure/allocation.ts'
import { endpointKey } from '../drivers/contract/endpoint.ts'
import { machineClaimName, volumeClaimName } from './claims.ts'
import { defineHoldings, type World } from './world.ts'

/** What machines hold of a host. CPU in MHz. */
export interface HostHoldings {
  readonly cpuMHz: number
  readonly memoryBytes: number
  /** Machines that have a claim there. */
  readonly claims: number
  /** Machines of ours that are seen there and have none. */
  readonly leftovers: number
  /** What those that run there hold. */
  readonly runningCPUMHz: number
  readonly runningMemoryBytes: number
}

/**
 * A machine of ours holds what it is defined with, also while it is off: it may be started where it is. One that is not
 * ours holds something only while it is not off. What a silent host had says nothing of what it will have: nothing is
 * placed there before it was listed anew.
 */
const hostHoldings = defineHoldings(Allocation, 'host', {
  claimName: machineClaimName,
  claimed: ({ spec: { machine, value: identity } }) => {
    if (machine === undefined) return []
    const { hostIdentity, targetHostIdentity = hostIdentity } = machine
    const amounts = { ...amountsOf(machine), claims: 1, machines: 1 }
    return [...new Set([hostIdentity, targetHostIdentity])].map(host => {
      return { place: endpointKey('Host', host), identity, amounts }
    })
  },
  ofMachine: ({ facts, current }, isOurs) => {
    const held = amountsOf(facts.definition)
    return {
      ...(current && (isOurs || facts.powerState !== 'Off') ? held : {}),
      ...(isOurs ? { machines: 1 } : {}),
      ...(facts.powerState === 'Running' ? { runningCPUMHz: held.cpuMHz, runningMemoryBytes: held.memoryBytes } : {}),
    }
  },
})

/** What machines hold of the host of an identity. */
export function heldOfHost(hostIdentity: string, world: World): HostHoldings {
  const held = world.held(hostHoldings, endpointKey('Host', hostIdentity))
  const { cpuMHz = 0, memoryBytes = 0, claims = 0, machines = 0, runningCPUMHz = 0, runningMemoryBytes = 0 } = held
  return { cpuMHz, memoryBytes, claims, leftovers: machines - claims, runningCPUMHz, runningMemoryBytes }
}

/** What one machine holds of the host that its claim names. */
export function heldByMachine(identity: string, claimed: MachineClaim, world: World) {
  const place = endpointKey('Host', claimed.hostIdentity)
  const seen = world.observed.machines(identity).find(({ endpoint }) => endpoint === place)
  return amountsOf(largerSize(claimed, seen?.facts.definition ?? claimed))
}

/**
 * The size that a machine counts with: the larger of claim and definition. One that came up again as it was defined, and
 * not as it is wished by now, is larger than its claim until it is next off.
 */
export function largerSize(claimed: MachineSize, defined: MachineSize): MachineSize {
  const { cores, clockMHz } = amountsOf(defined).cpuMHz > amountsOf(claimed).cpuMHz ? defined : claimed
  return { cores, clockMHz, memoryBytes: Math.max(claimed.memoryBytes, defined.memoryBytes) }
}

/** What volumes hold of a pool. */
export interface PoolHoldings {
  readonly bytes: number
  /** Volumes that have a claim there. */
  readonly claims: number
  /** Volumes of ours that are seen there and have none. */
  readonly leftovers: number
  /** Those of them that bear a name: one in the trash has given its own away. */
  readonly namesakes: number
}

/** A disk holds what it may grow to, whosever it is; in the trash as well, from where it may be taken back. */
const poolHoldings = defineHoldings(Allocation, 'pool', {
  claimName: volumeClaimName,
  claimed: ({ spec: { volume, value: identity } }) => {
    if (volume === undefined) return []
    const amounts = { bytes: volume.sizeBytes, claims: 1, volumes: 1, named: 1 }
    return [{ place: endpointKey('PrimaryStorage', volume.poolIdentity), identity, amounts }]
  },
  ofVolume: ({ facts, current }, isOurs) => ({
    ...(current ? { bytes: facts.sizeBytes } : {}),
    ...(isOurs ? { volumes: 1 } : {}),
    ...(isOurs && facts.trashedAt === undefined ? { named: 1 } : {}),
  }),
})

/** What volumes hold of the pool of an identity. */
export function heldOfPool(poolIdentity: string, world: World): PoolHoldings {
  const held = world.held(poolHoldings, endpointKey('PrimaryStorage', poolIdentity))
  const { bytes = 0, claims = 0, volumes = 0, named = 0 } = held
  return { bytes, claims, leftovers: volumes - claims, namesakes: named - claims }
}

interface MachineSize {
  readonly cores: number
  readonly clockMHz: number
  readonly memoryBytes: number
}

function amountsOf({ cores, clockMHz, memoryBytes }: MachineSize) {
  return { cpuMHz: cores * clockMHz, memoryBytes }
}
