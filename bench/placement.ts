/** Chooses places in a large, nearly full zone, each claimed before the next, as the controllers do. */
import { Derivations } from '../controllers/engine/derivations.ts'
import { DesiredCache } from '../controllers/engine/desired-cache.ts'
import { HoldingSums } from '../controllers/engine/holdings.ts'
import { Reads, type Recording } from '../controllers/engine/reads.ts'
import { createWorld, type WorldSources } from '../controllers/engine/world.ts'
import { createObservedCache } from '../controllers/observation/observed-cache.ts'
import type { AnyKind } from '../crds/define-kind.ts'
import { Allocation } from '../crds/infrastructure/allocation.ts'
import { defaultSettings } from '../crds/infrastructure/settings.ts'
import { kindOf, kinds } from '../crds/kinds.ts'
import type { Resource } from '../crds/meta.ts'
import { endpointKey } from '../drivers/contract/endpoint.ts'
import { seededRandom } from '../drivers/simulator/seeded-random.ts'
import { virtualEnvironment } from '../drivers/simulator/virtual-clock.ts'
import { heldOfHost } from '../reconcilers/holdings.ts'
import { place } from '../reconcilers/placement/place.ts'
import type { Placement, PlacementRequest } from '../reconcilers/placement/request.ts'
import type { World } from '../reconcilers/world.ts'
import { machineClaim } from '../test/reconcilers/claim-builders.ts'
import { hostFacts, machineFacts } from '../test/reconcilers/fact-builders.ts'
import { cluster, host, pod, pool, settings, zone } from '../test/reconcilers/infrastructure-builders.ts'
import { uidOf } from '../test/reconcilers/resource-builder.ts'
import { machine } from '../test/reconcilers/tenant-builders.ts'
import { benchRequest, percentile, sizeOf, tellFinding } from './measurement.ts'

const bench = benchRequest()
const size = { hosts: sizeOf(bench, 'hosts'), decisions: sizeOf(bench, 'decisions') }
/** How many hosts share a cluster. */
const hostsPerCluster = 50
/** One host in so many has room for what is asked for; the others have room for its memory or its CPU, not for both. */
const openHosts = 20
const gib = 2 ** 30
const facts = hostFacts({ cores: 32, clockMHz: 2500, memoryBytes: 256 * gib })
const hostCPU = facts.cores * facts.clockMHz
const request: Omit<PlacementRequest, 'planner'> = {
  zoneName: 'zone-a',
  cores: 4,
  clockMHz: 1000,
  memoryBytes: 8 * gib,
  hostTags: [],
  volumes: [{ identity: 'volume', sizeBytes: 20 * gib, tags: [], scope: 'Shared' }],
}
const limits = { notification: '0.9', disable: '1' }

/** The caches and derivations of an engine, with nothing else around them. */
function createRig() {
  const environment = virtualEnvironment()
  const reads = new Reads()
  const notify = (topic: string) => reads.notify(topic)
  const desired = new DesiredCache({ kinds, notify, changed: change => holdings.claimChanged(change) })
  const observed = createObservedCache({
    installation: 'bench',
    environment,
    notify,
    sighted: sighting => holdings.sightingChanged(sighting),
  })
  const holdings = new HoldingSums({ installation: 'bench', desired, observed, notify })
  const derivations: Derivations = new Derivations({
    reads,
    compute: (definition, key, recording) => definition.compute(key, worldOf(recording)),
    stale: () => undefined,
  })
  const executor = { operations: () => [] }
  const { clock } = environment
  const sources: WorldSources = {
    installation: 'bench',
    clock,
    desired,
    observed,
    holdings,
    executor,
    derivations: () => derivations,
  }
  function worldOf(recording: Recording): World {
    return createWorld(sources, { recording, queued: () => recording, wakeAfter: () => undefined })
  }
  /** Decides as a pass does: its reads are noted, and kept only for one that has to wait. */
  function decide(planner: PlacementRequest['planner'], changes: Partial<PlacementRequest> = {}): Placement {
    return place({ ...request, ...changes, planner }, worldOf(reads.collect()))
  }
  /** Takes a place, and computes again what follows from that and is read by anybody, as the engine does soon after. */
  function claim(claimed: ReturnType<typeof machineClaim>): void {
    desired.assumeCreated(Allocation, claimed, '2026-01-01T00:00:00Z')
    derivations.flush()
  }
  /** What the host of an identity has promised. */
  function held(hostIdentity: string): ReturnType<typeof heldOfHost> {
    return heldOfHost(hostIdentity, worldOf(reads.collect()))
  }
  return { desired, observed, decide, claim, held }
}

/** A zone of so many hosts, filled by chance but the same every time. Answers with how many more machines it holds. */
function fill({ desired, observed }: ReturnType<typeof createRig>, hosts: number): number {
  const random = seededRandom(1)
  const clusters = Math.ceil(hosts / hostsPerCluster)
  const thresholds = { ...defaultSettings.capacityThresholds, cpu: limits, memory: limits, storageAllocated: limits }
  const store = pool({
    name: 'pool-zone',
    scope: 'Zone',
    clusterName: undefined,
    zoneName: 'zone-a',
    capacity: '9000Ti',
  })
  const objects: Resource[] = [
    settings({ capacityThresholds: thresholds }),
    zone(),
    pod({ cidr: '172.16.0.0/12' }),
    ...Array.from({ length: clusters }, (_, index) => cluster({ name: `cluster-${index}`, cpuOvercommitRatio: '1' })),
    store,
  ]
  let room = 0
  for (let index = 0; index < hosts; index++) {
    const name = `host-${index}`
    const address = `172.${16 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`
    const each = host({ name, address, clusterName: `cluster-${Math.floor(index / hostsPerCluster)}` })
    const isOpen = index % openHosts === openHosts - 1
    const lacksCPU = !isOpen && random.next() < 0.5
    const places = 1 + Math.floor(random.next() * 3)
    const cpuLeft = lacksCPU ? Math.floor(random.next() * 4000) : places * 4000
    const memoryLeft = isOpen || lacksCPU ? places * 8 * gib : Math.floor(random.next() * 8) * gib
    if (isOpen) room += places
    const tenant = machine({ name: `tenant-${index}` })
    const tenantSize = { cores: 1, clockMHz: hostCPU - cpuLeft, memoryBytes: facts.memoryBytes - memoryLeft }
    const { definition, ...seen } = machineFacts(tenant)
    const machines = index % 3 === 0 ? [] : [{ ...seen, definition: { ...definition, ...tenantSize } }]
    objects.push(each)
    // A third is claimed, a third is seen, a third is both: all count the same.
    if (index % 3 !== 1) objects.push(machineClaim(tenant, name, tenantSize))
    const key = endpointKey('Host', each.metadata.uid)
    observed.declare({ key, driver: 'Simulator', name, configuration: { type: 'Host', address } })
    const moment = { moment: observed.moment(), monotonic: 0 }
    observed.takeListing(key, moment, { type: 'Host', host: facts, machines, jobs: [] })
  }
  const key = endpointKey('PrimaryStorage', store.metadata.uid)
  const configuration = { type: 'PrimaryStorage', url: 'sim://pool', hosts: [] } as const
  observed.declare({ key, driver: 'Simulator', name: 'pool-zone', configuration })
  const space = { totalBytes: 9000 * 1024 * gib, usedBytes: 0 }
  observed.takeListing(
    key,
    { moment: observed.moment(), monotonic: 0 },
    { type: 'PrimaryStorage', ...space, volumes: [], jobs: [] },
  )
  for (const object of objects) desired.upsert(known(object), object)
  return room
}

function known({ apiVersion, kind }: Resource): AnyKind {
  const found = kindOf(apiVersion, kind)
  if (found === undefined) throw new Error(`Cannot describe ${kind}: there is no such kind`)
  return found
}

function timed<T>(work: () => T, samples: number[]): T {
  const began = performance.now()
  const result = work()
  samples.push(performance.now() - began)
  return result
}

/** Places machines one after the other. Answers with the times, and how many were refused though there was room. */
function measure(planner: PlacementRequest['planner'], { hosts, decisions } = size) {
  const rig = createRig()
  const room = fill(rig, hosts)
  // The first decision computes everything, as a controller does once after its start.
  rig.decide(planner)
  const times: number[] = []
  const refusals: number[] = []
  let refusedThoughRoom = 0
  for (let index = 0; index < decisions; index++) {
    const placed = timed(() => rig.decide(planner), times)
    if (!placed.ok) {
      if (index < room) refusedThoughRoom++
      continue
    }
    const { hostName, hostIdentity } = placed
    const { cores, clockMHz, memoryBytes } = request
    const claimed = machineClaim(machine({ name: `new-${index}` }), hostName, {
      hostIdentity,
      cores,
      clockMHz,
      memoryBytes,
    })
    rig.claim(claimed)
  }
  for (let index = 0; index < decisions / 10; index++) {
    timed(() => rig.decide(planner, { memoryBytes: 200 * gib }), refusals)
  }
  let overcommitted = 0
  for (let index = 0; index < hosts; index++) {
    const { cpuMHz, memoryBytes } = rig.held(uidOf('Host', `host-${index}`))
    if (cpuMHz > hostCPU || memoryBytes > facts.memoryBytes) overcommitted++
  }
  return { times, refusals, refusedThoughRoom, overcommitted }
}

// Compiled code: what is asked for thousands of times a day.
measure('FirstFit', { hosts: 200, decisions: 200 })
measure('Dispersing', { hosts: 200, decisions: 200 })
const firstFit = measure('FirstFit')
const dispersing = measure('Dispersing')
tellFinding({
  name: 'placement',
  size,
  figures: {
    firstFitP50Ms: percentile(firstFit.times, 50),
    firstFitP99Ms: percentile(firstFit.times, 99),
    dispersingP50Ms: percentile(dispersing.times, 50),
    dispersingP99Ms: percentile(dispersing.times, 99),
    refusedP50Ms: percentile([...firstFit.refusals, ...dispersing.refusals], 50),
    refusedP99Ms: percentile([...firstFit.refusals, ...dispersing.refusals], 99),
    overcommitted: firstFit.overcommitted + dispersing.overcommitted,
    refusedThoughRoom: firstFit.refusedThoughRoom + dispersing.refusedThoughRoom,
  },
})
