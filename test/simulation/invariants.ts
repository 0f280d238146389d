/** What must hold at every instant, checked from outside: over the simulated world and what the API has stored. */

import type { ResourceOf } from '../../crds/define-kind.ts'
import type { Allocation } from '../../crds/infrastructure/allocation.ts'
import type { Host } from '../../crds/infrastructure/host.ts'
import type { Resource } from '../../crds/meta.ts'
import type { JournalEntry } from '../../drivers/simulator/journal.ts'
import type { ListedMachine, WorldListing } from '../../drivers/simulator/world-listing.ts'
import { Broken } from './broken.ts'
import { type Manifest, type ObjectReference, zoneOfPlace } from './scenario.ts'
import type { SimulatedCloud } from './simulated-cloud.ts'

const adoptions: ReadonlySet<string> = new Set(['AdoptMachine', 'AdoptVolume'])

/** Watches a cloud. */
export class Watchman {
  readonly #cloud: () => SimulatedCloud
  #seen = 0
  /** Identities of what is not ours. */
  readonly foreign = new Set<string>()
  /** Identities of what somebody wished to take over. */
  readonly #wanted = new Set<string>()
  /** Where what was given back was then. */
  readonly #releasedAt = new Map<string, string>()
  /** What was done by operations, by verb. */
  readonly done: Record<string, number> = {}
  /** Machines that are given back, by namespace and name: on a host that is lost they stay as they lie, with our mark. */
  readonly givenBack = new Set<string>()
  /** After the API's store was lost, what is outside has no claims until it is rebound. */
  storeWasLost = false

  constructor(cloud: () => SimulatedCloud) {
    this.#cloud = cloud
  }

  /** An operator is about to describe something: an Allocation of an identity is the wish to take it over. */
  described({ kind, spec: { value } }: Manifest): void {
    if (kind === 'Allocation' && typeof value === 'string') this.#wanted.add(value)
  }

  /** An operator is about to delete something. */
  deleted({ kind, namespace, name }: ObjectReference): void {
    if (kind !== 'VirtualMachine') return
    const object = this.#cloud()
      .stored.all('virtualmachines.compute')
      .find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
    const { management } = (object?.spec ?? {}) as { readonly management?: { readonly deletionPolicy?: string } }
    if (management?.deletionPolicy === 'Orphan') this.givenBack.add(`${namespace}/${name}`)
  }

  /** Checks everything that the last changes may have broken. Throws `Broken`. */
  check(): void {
    const { simulator } = this.#cloud()
    const { journal } = simulator.world
    if (journal.sequence === this.#seen) return
    const entries = journal.since(this.#seen)
    this.#seen = journal.sequence
    this.#checkSimulator()
    if (!entries.some(({ changed }) => changed)) return
    const listing = simulator.world.list()
    for (const entry of entries) this.#checkEntry(entry)
    this.#checkMachines(listing)
    this.#checkVolumes(listing)
  }

  #checkSimulator(): void {
    const [violation] = this.#cloud().simulator.world.invariants()
    if (violation !== undefined) throw new Broken(violation.rule, violation.message)
  }

  #checkEntry(entry: JournalEntry): void {
    const { source, action, identity, changed } = entry
    if (source !== 'Operation') return
    this.#cloud().note(`${entry.at} ${action} ${entry.place} ${identity} ${entry.outcome}`)
    if (!changed) return
    this.done[action] = (this.done[action] ?? 0) + 1
    if (action === 'ReleaseMachine' || action === 'ReleaseVolume') {
      this.foreign.add(identity)
      this.#releasedAt.set(identity, entry.place)
      return
    }
    // What it had left on another host before, with our mark, is not given back.
    if (action === 'RemoveMachine' && (this.#releasedAt.get(identity) ?? entry.place) !== entry.place) return
    if (this.foreign.has(identity) && adoptions.has(action) && this.#wanted.has(identity)) {
      this.foreign.delete(identity)
      return
    }
    if (this.foreign.has(identity))
      throw new Broken('ForeignChanged', `${action} changed ${identity}, which is not ours`)
    if (action !== 'DeleteVolume' && action !== 'TrashVolume') return
    const owner = this.#volumeOf(identity)
    if ((owner?.spec as { readonly protected?: string } | undefined)?.protected === 'Enabled')
      throw new Broken(
        'ProtectedDestroyed',
        `${action} of ${identity}, whose Volume ${owner?.metadata.name} is protected`,
      )
    if (owner !== undefined && owner.metadata.deletionTimestamp === undefined) {
      const { namespace, name } = owner.metadata
      throw new Broken('DiskDestroyed', `${action} of ${identity}, which Volume ${namespace}/${name} still wishes for`)
    }
  }

  #volumeOf(identity: string): Resource | undefined {
    const { stored } = this.#cloud()
    const given = stored
      .all<ResourceOf<typeof Allocation>>('allocations.infrastructure')
      .find(({ spec }) => spec.type === 'Identity' && spec.value === identity)
    const { uid = identity, name, namespace } = given?.spec.holder ?? {}
    const volumes = stored.all('volumes.storage')
    if (uid !== '') return volumes.find(({ metadata }) => metadata.uid === uid)
    return volumes.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
  }

  #checkMachines({ machines, hosts }: WorldListing): void {
    const running = new Map<string, ListedMachine>()
    const segments = new Map<string, string>()
    const memory = new Map<string, number>()
    const cycles = new Map<string, number>()
    for (const machine of machines) {
      const { identity, host, facts, active } = machine
      if (active === undefined || facts.mark === undefined) continue
      // What is taken over runs already, whatever room there is.
      if (!this.#wanted.has(identity)) {
        memory.set(host, (memory.get(host) ?? 0) + active.memoryBytes)
        cycles.set(host, (cycles.get(host) ?? 0) + active.cores * active.clockMHz)
      }
      if (facts.powerState !== 'Running') continue
      const other = running.get(identity)
      if (other !== undefined) throw new Broken('RunsTwice', `${identity} runs on ${host} and ${other.host}`)
      running.set(identity, machine)
      for (const { segment } of active.nics) {
        if (segment.id === undefined) continue
        const key = `${zoneOfPlace(host)} ${segment.label} ${segment.isolation} ${segment.id}`
        const network = segments.get(key)
        // A network that was made again after the loss of the store has another identity, and the same segment.
        if (network !== undefined && network !== segment.network && !this.storeWasLost)
          throw new Broken('SegmentTwice', `networks ${network} and ${segment.network} share ${key}`)
        segments.set(key, segment.network)
      }
      this.#checkClaims(machine)
    }
    for (const { name, size } of hosts) {
      const ratios = this.#ratios(name)
      if ((memory.get(name) ?? 0) > size.memoryBytes * ratios.memory)
        throw new Broken(
          'MemoryOvercommitted',
          `host ${name} has promised ${memory.get(name)} of ${size.memoryBytes} bytes`,
        )
      if ((cycles.get(name) ?? 0) > size.cores * size.clockMHz * ratios.cpu)
        throw new Broken('CPUOvercommitted', `host ${name} has promised ${cycles.get(name)} MHz`)
    }
  }

  /** What runs and is ours has its claims: else the next one would take its place or its address. */
  #checkClaims({ identity, host, active, facts }: ListedMachine): void {
    if (this.storeWasLost) return
    const { stored } = this.#cloud()
    const who = `${identity} (${facts.mark?.namespace}/${facts.mark?.name})`
    const claim = stored.get<ResourceOf<typeof Allocation>>('allocations.infrastructure', `machine-${identity}`)
    if (claim === undefined) throw new Broken('UnclaimedMachine', `${who} runs on ${host} without a claim`)
    const { hostName, targetHostName } = claim.spec.machine ?? {}
    if (hostName !== host && targetHostName !== host)
      throw new Broken('ClaimedElsewhere', `${who} runs on ${host}, and its claim names ${hostName}`)
    // A router's own address inside its network is the network's gateway, which is given to nobody.
    if (facts.definition.role !== 'Instance') return
    for (const nic of active?.nics ?? []) {
      for (const address of nic.addresses) {
        const claims = ['ip', 'publicip', 'systemip', 'storageip'].map(
          type => `${type}-${nic.segment.network}-${address}`,
        )
        if (nic.segment.id !== undefined && !claims.some(name => stored.has('allocations.infrastructure', name)))
          throw new Broken('UnclaimedAddress', `${who} has ${address} in ${nic.segment.network} without a claim`)
      }
    }
  }

  #checkVolumes({ volumes }: WorldListing): void {
    const pools = new Map<string, string>()
    for (const { identity, pool } of volumes) {
      const other = pools.get(identity)
      if (other !== undefined) throw new Broken('DiskTwice', `volume ${identity} is in ${pool} and in ${other}`)
      pools.set(identity, pool)
    }
  }

  #ratios(hostName: string): { readonly memory: number; readonly cpu: number } {
    const { stored, wished } = this.#cloud()
    const clusterName = stored.get<ResourceOf<typeof Host>>('hosts.infrastructure', hostName)?.spec.clusterName
    const cluster = wished.get(`HostCluster//${clusterName}`)
    const ratio = (field: string) => Number(cluster?.spec[field] ?? 99)
    return { memory: ratio('memoryOvercommitRatio'), cpu: ratio('cpuOvercommitRatio') }
  }
}
