/** How far hosts in maintenance are empty: what runs there still, what of it cannot leave, and why. */

import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import type { Holder } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { SystemVM } from '../../crds/infrastructure/system-vm.ts'
import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import type { CommonStatus } from '../../crds/meta.ts'
import { type Claim, machineClaimsByHost } from '../claims.ts'
import type { Phase } from '../define-reconciler.ts'
import { heldOfHost } from '../holdings.ts'
import { managementModeOf } from '../management.ts'
import { namesOf } from '../names.ts'
import { satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
import { defineDerived, type World } from '../world.ts'
import { hostKey } from './host-endpoint.ts'
import { hostLifecycle } from './lifecycle.ts'
import { hostsByCluster } from './topology.ts'

/** What a host in maintenance still has. */
export interface Evacuation {
  /** Whether what the host says can be relied on. */
  readonly known: boolean
  /** How many machines run there, or may. */
  readonly left: number
  /** Those of them that cannot be moved: `shop/web-1 (LocalDisk)`. */
  readonly stuck: readonly string[]
  /** How many are defined there and off. */
  readonly off: number
  /** How many things there are not ours. */
  readonly foreign: number
  /** How many machines there bear our mark and have no place there: whether they run nobody here knows. */
  readonly leftovers: number
}

/** Reasons of the condition Settled that pass by themselves. */
const passing: ReadonlySet<string | undefined> = new Set([
  undefined,
  'NotYetObserved',
  'Settled',
  'Migrating',
  'MigrationEnding',
  'ProvingAbsence',
  'RemovingStray',
  'Stopping',
  'WaitsForSlot',
])

/** What a host still has, by its name. Undefined while it is not in maintenance. */
export const hostEvacuation = defineDerived('hostEvacuation', (hostName, world): Evacuation | undefined => {
  const host = world.desired.get(Host, hostName)
  if (host === undefined || world.derived(hostLifecycle, hostName).lifecycle !== 'Maintenance') return undefined
  const key = hostKey(host, world)
  const claims = world.desired.list(machineClaimsByHost, hostName)
  const left = claims.filter(claim => mayRun(claim, key, world))
  const stuck = left.flatMap(({ spec: { holder } }) => {
    const reason = reasonOf(holder, world)
    return passing.has(reason) ? [] : [`${nameOf(holder)} (${reason})`]
  })
  const { answers, listed } = world.observed.endpoint(key)
  const { foreign } = world.observed.counts(key)
  const { leftovers } = heldOfHost(world.identity(host), world)
  const off = claims.length - left.length
  return { known: answers === 'Yes' && listed, left: left.length, stuck, off, foreign, leftovers }
})

/** Whether the machine of a claim runs at the host, comes in there, or is being worked on. */
function mayRun({ spec: { value: identity } }: Claim, key: string, world: World): boolean {
  const here = seenAt(identity, key, world)
  if (here !== undefined && here.facts.powerState !== 'Off') return true
  return world.operations(identity).some(({ endpoint, state }) => endpoint === key && state === 'Running')
}

function seenAt(identity: string, key: string, world: World) {
  return world.observed.machines(identity).find(({ endpoint }) => endpoint === key)
}

const machineKinds = [VirtualMachine, VirtualRouter, SystemVM] as const

function reasonOf({ kind, namespace, name }: Holder, world: World): string | undefined {
  const pick = ({ conditions }: CommonStatus) => conditions?.find(({ type }) => type === 'Settled')?.reason
  const machineKind = machineKinds.find(each => each.kind === kind) ?? VirtualMachine
  const machine = world.desired.get(machineKind, name, namespace)
  if (machine !== undefined && managementModeOf(machine, world) === 'Pause') return 'Paused'
  return world.desired.status(machineKind, name, namespace, pick)
}

function nameOf({ kind, namespace, name }: Holder): string {
  if (namespace !== undefined) return `${namespace}/${name}`
  return `${kind} ${name}`
}

/** Whether the host is in maintenance and empty. */
export const evacuated: Phase<typeof Host> = {
  condition: 'Evacuated',
  informational: true,
  judge: (self, world) => {
    const { name } = self.metadata
    const found = world.derived(hostEvacuation, name)
    if (found === undefined) return notInMaintenance('host')
    const { by } = world.derived(hostLifecycle, name)
    if (!found.known) return unknown('HostSilent', `${by} is in maintenance; what runs on the host is not known`)
    return judgeLeft(found, by)
  },
}

function judgeLeft({ left, stuck, off, foreign, leftovers }: Evacuation, by: string): Verdict {
  const named = stuck.length === 0 ? '' : `; cannot be moved: ${namesOf(stuck)}`
  if (left > stuck.length) return waiting('Evacuating', `${by} is in maintenance. Machines left: ${left}${named}`)
  if (left > 0) return waiting('CannotEvacuate', `${by} is in maintenance. Machines left: ${left}${named}`)
  if (foreign > 0) {
    return waiting('ForeignMachines', `Machines that are not ours are there: ${foreign}. Move or remove them by hand`)
  }
  if (leftovers > 0) {
    return waiting(
      'LeftoversThere',
      `Machines that bear our mark and have no place here are there: ${leftovers}. Apply their manifests again (skystead adopt --rebind), or remove them by hand`,
    )
  }
  const resting = off === 0 ? '' : `; machines that are off keep their place there: ${off}`
  return satisfied('Evacuated', `Nothing of ours runs there: safe to switch off${resting}`)
}

function notInMaintenance(what: string): Verdict {
  return waiting('NotInMaintenance', `The ${what} is in use: spec.lifecycle "Maintenance" empties it`)
}

/** Names of the hosts of clusters. */
export function hostsOf(clusterNames: readonly string[], world: World): readonly string[] {
  return clusterNames.flatMap(clusterName =>
    world.desired.list(hostsByCluster, clusterName).map(({ metadata }) => metadata.name),
  )
}

/** Whether every host of a larger place in maintenance is empty. */
export function judgeHostsEmpty(
  what: string,
  isInMaintenance: boolean,
  hosts: readonly string[],
  world: World,
): Verdict {
  if (!isInMaintenance) return notInMaintenance(what)
  const occupied = hosts.filter(name => {
    const found = world.derived(hostEvacuation, name)
    return found !== undefined && (!found.known || found.left + found.foreign + found.leftovers > 0)
  })
  if (occupied.length === 0) return satisfied('Evacuated', 'Nothing of ours runs there: safe to switch off')
  const count = `${occupied.length} of ${hosts.length}`
  return waiting('Evacuating', `Hosts that are not empty, or do not answer: ${count}: ${namesOf(occupied)}`)
}
