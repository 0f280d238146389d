/** The end of every run: the faults stop, and everything must come to rest, stay at rest, and go without a trace. */
import { findRebindings, rebind } from '../../cli/rebinding.ts'
import type { AllocationSpec } from '../../crds/infrastructure/allocation.ts'
import { conditionOf, type Resource } from '../../crds/meta.ts'
import type { MachineFacts } from '../../drivers/contract/facts.ts'
import { Broken } from './broken.ts'
import type { Stage } from './perform.ts'
import { keyOf, type Manifest } from './scenario.ts'
import type { SimulatedCloud } from './simulated-cloud.ts'

const minute = 60_000
/** With nothing written and done for so long, everything is at rest: longer than any relist, listing or pause. */
const restTime = 13 * minute
/** How long everything may take to come to rest, in ms. */
const patience = 120 * minute

/** Ends a run. Throws `Broken`. */
export async function close(stage: Stage): Promise<void> {
  const { cloud, watchman, places } = stage
  cloud.wire.clear()
  places.endAll()
  await enforceAll(cloud)
  await describeAll(cloud)
  await rest(stage, 'NotAtRest')
  if (watchman.storeWasLost) await rebindAll(stage)
  expectReady(cloud)
  await unmoved(cloud, 'ReappliedWrites', () => describeAll(cloud))
  await unmoved(cloud, 'RestartMoves', () => cloud.restartControllers())
  await wipe(stage)
  await deleteAll(stage)
}

/** Fields by which a person keeps the control plane from something, for a while. */
const holds = [
  'management',
  'protected',
  'placement',
  'lifecycle',
  'allocationState',
  'restartWindow',
  'managementDefaults',
] as const

/** What was only observed, protected or to be left is enforced again; places are opened, and machines may be where they fit. */
async function enforceAll(cloud: SimulatedCloud): Promise<void> {
  for (const object of [...cloud.wished.values()]) {
    const spec = withoutHolds(object.spec)
    if (spec !== undefined) cloud.wished.set(keyOf(object), { ...object, spec })
  }
  // What is being deleted is described no more, and held all the same.
  for (const object of cloud.stored.everything()) {
    if (object.metadata.deletionTimestamp === undefined) continue
    const spec = withoutHolds((object.spec ?? {}) as Manifest['spec'])
    if (spec !== undefined) await cloud.amend(object, spec)
  }
}

function withoutHolds(spec: Manifest['spec']): Manifest['spec'] | undefined {
  if (holds.every(field => spec[field] === undefined)) return undefined
  return Object.fromEntries(Object.entries(spec).filter(([field]) => !holds.some(hold => hold === field)))
}

/** Everything that is described is applied once more, as a GitOps loop does. */
async function describeAll(cloud: SimulatedCloud): Promise<void> {
  for (const object of [...cloud.wished.values()]) await cloud.apply(object)
}

/** Lets time pass until nothing has been written or done for a while. */
async function rest({ cloud, places }: Stage, invariant: string): Promise<void> {
  const { clock } = cloud.environment
  const began = clock.monotonic()
  let since = began
  let before = activity(cloud)
  while (clock.monotonic() - since < restTime) {
    await cloud.environment.advance(minute)
    places.powerOnAll()
    await cloud.retry()
    const now = activity(cloud)
    if (now !== before) since = clock.monotonic()
    before = now
    if (clock.monotonic() - began > patience)
      throw new Broken(
        invariant,
        `after ${patience / minute} minutes without faults there is still work: ${cloud.stored.latest.slice(-8).join(', ')}\n${unready(cloud).join('\n')}`,
      )
  }
}

function activity({ stored, simulator }: SimulatedCloud): string {
  return `${stored.writes} ${simulator.world.counters().changingOperations}`
}

/** Something after which nothing may be written or done. */
async function unmoved(cloud: SimulatedCloud, invariant: string, act: () => Promise<void>): Promise<void> {
  const writes = cloud.stored.writes
  const sequence = cloud.simulator.world.journal.sequence
  await act()
  await cloud.environment.advance(restTime)
  const changes = changesSince(cloud, sequence)
  if (changes.length > 0) throw new Broken(invariant, `operations followed: ${changes.slice(0, 5).join(', ')}`)
  const written = cloud.stored.writes - writes
  if (written > 0)
    throw new Broken(
      invariant,
      `${written} writes followed: ${cloud.stored.latest.slice(-Math.min(written, 8)).join(', ')}`,
    )
}

function changesSince({ simulator }: SimulatedCloud, sequence: number): readonly string[] {
  return simulator.world.journal
    .since(sequence)
    .filter(({ source, changed }) => source === 'Operation' && changed)
    .map(({ action, identity }) => `${action} ${identity}`)
}

/** The loss of every status causes no operation, and every status comes back. */
async function wipe(stage: Stage): Promise<void> {
  const { cloud } = stage
  const before = unready(cloud).map(line => line.split(':')[0])
  const sequence = cloud.simulator.world.journal.sequence
  await cloud.wipeStatuses()
  await rest(stage, 'NotAtRestAfterWipe')
  const changes = changesSince(cloud, sequence)
  if (changes.length > 0) throw new Broken('WipeMoves', `operations followed: ${changes.slice(0, 5).join(', ')}`)
  const after = unready(cloud).filter(line => !before.includes(line.split(':')[0]))
  if (after.length > 0) throw new Broken('WipeLoses', after.slice(0, 8).join('\n'))
}

/** Deletes everything, namespaces excepted, in an order of chance. */
async function deleteAll(stage: Stage): Promise<void> {
  const { cloud, watchman } = stage
  const { random } = cloud.environment
  // An identity that was given goes with its object.
  const staying = ['Namespace', 'Settings', 'Allocation']
  const objects = [...cloud.wished.values()].filter(({ kind }) => !staying.includes(kind))
  removeForeignUsers(cloud)
  removeLetGo(stage)
  const ranked = objects.map(object => ({ object, rank: random.next() })).sort((left, right) => left.rank - right.rank)
  for (const { object } of ranked) {
    const { apiVersion, kind, metadata } = object
    await cloud.delete({ apiVersion, kind, ...metadata })
  }
  await rest(stage, 'NotGone')
  if (watchman.storeWasLost) {
    removeLeftovers(cloud)
    await rest(stage, 'NotGone')
  }
  await deleteUnheardIdentities(cloud)
  const left = objectsOf(cloud).filter(({ kind }) => kind !== 'Settings')
  if (left.length > 0) throw new Broken('NotGone', left.map(describe).sort(causesFirst).slice(0, 12).join('\n'))
  const claims = cloud.stored
    .all('allocations.infrastructure')
    .map(({ metadata }) => metadata.name)
    .filter(name => name !== 'inventory-installation-1')
  if (claims.length > 0) throw new Broken('ClaimsLeft', claims.slice(0, 12).join('\n'))
  // What was being taken down when the store was lost has no owner any more: it is told, and left to the operator.
  if (watchman.storeWasLost) return
  const { machines, volumes, images } = cloud.simulator.world.list()
  const isGivenBack = ({ mark }: (typeof machines)[number]['facts']) =>
    watchman.givenBack.has(`${mark?.namespace}/${mark?.name}`)
  const ours = machines.filter(({ facts }) => !isGivenBack(facts))
  const remains = [
    ...ours.map(({ identity, facts, host }) => ({
      identity,
      what: `machine ${facts.mark?.namespace}/${facts.mark?.name} on ${host}`,
    })),
    ...volumes.map(({ identity, facts, pool }) => ({
      identity,
      what: `volume ${facts.mark?.namespace}/${facts.mark?.name} in ${pool}`,
    })),
    ...images.map(({ identity, url }) => ({ identity, what: `image ${url}` })),
  ].filter(({ identity }) => !watchman.foreign.has(identity))
  if (remains.length > 0)
    throw new Broken(
      'Leftovers',
      remains
        .map(({ what, identity }) => `${what} ${identity}`)
        .slice(0, 12)
        .join('\n'),
    )
}

/**
 * Machines whose objects were gone, or going, when the store was lost: nothing destroys them, and what they use waits. The
 * operator removes them where they are.
 */
function removeLeftovers(cloud: SimulatedCloud): void {
  const described = new Set(objectsOf(cloud).map(keyOf))
  removeMachines(cloud, ({ mark }) => mark !== undefined && !described.has(keyOf(mark)))
}

/**
 * An object may be deleted before the control plane has heard of it, or, where events are lost, of the identity that was
 * given to its name, and nothing gives that back: it might be for an object to come. Whoever gave it deletes it.
 */
async function deleteUnheardIdentities(cloud: SimulatedCloud): Promise<void> {
  for (const { apiVersion, kind, metadata, spec } of cloud.stored.all('allocations.infrastructure')) {
    const { type, holder } = spec as AllocationSpec
    const isUnheard = cloud.wire.met.DropEvent !== undefined || cloud.unheard.has(keyOf(holder))
    if (type === 'Identity' && holder.uid === '' && isUnheard && !exists(cloud, keyOf(holder)))
      await cloud.delete({ apiVersion, kind, ...metadata })
  }
}

/** Machines that were not taken over, with disks that were: whoever wants the disks removed removes the machines first. */
function removeForeignUsers(cloud: SimulatedCloud): void {
  const { volumes } = cloud.simulator.world.list()
  const ours = new Set(volumes.flatMap(({ identity, facts }) => (facts.mark === undefined ? [] : [identity])))
  removeMachines(
    cloud,
    ({ mark, definition }) => mark === undefined && definition.disks.some(disk => ours.has(disk.identity)),
  )
}

/** Machines that were given back on a host that was lost bear our mark still: whoever deletes the host removes them there. */
function removeLetGo({ cloud, watchman }: Stage): void {
  const isHeld = (identity: string) => cloud.stored.has('allocations.infrastructure', `machine-${identity}`)
  removeMachines(
    cloud,
    ({ identity, mark }) => !isHeld(identity) && watchman.givenBack.has(`${mark?.namespace}/${mark?.name}`),
  )
}

/** Somebody removes machines where they are. */
function removeMachines({ simulator: { world } }: SimulatedCloud, isMeant: (facts: MachineFacts) => boolean): void {
  for (const { identity, host, facts } of world.list().machines) {
    if (isMeant(facts)) world.removeMachine({ identity, host })
  }
}

/** What waits for others says less than what others wait for. */
function causesFirst(left: string, right: string): number {
  return Number(left.includes(' InUse ')) - Number(right.includes(' InUse '))
}

/** Rebinds whatever tells a conflict, round by round, as `skystead adopt --rebind` does. */
async function rebindAll(stage: Stage): Promise<void> {
  const { cloud } = stage
  for (let round = 0; round < 8; round++) {
    const { rebindings, obstacles } = await cloud.complete(findRebindings(cloud.client))
    const removed = obstacles.map(({ message }) => removeNamesakes(cloud, message)).includes(true)
    if (rebindings.length === 0 && !removed) return
    for (const rebinding of rebindings) await cloud.complete(rebind(cloud.client, rebinding, cloud.environment))
    await rest(stage, 'NotAtRestAfterRebinding')
  }
}

/** Of several namesakes a person keeps one, which runs if any does. Answers whether others were removed. */
function removeNamesakes({ simulator: { world } }: SimulatedCloud, message: string): boolean {
  const named = /namesakes outside \((?<identities>[^)]+)\)/.exec(message)?.groups?.identities?.split(', ') ?? []
  const machines = world.list().machines.filter(({ identity }) => named.includes(identity))
  const isOff = ({ facts }: (typeof machines)[number]) => Number(facts.powerState !== 'Running')
  const [kept, ...others] = machines.toSorted((left, right) => isOff(left) - isOff(right))
  const surplus = others.filter(({ identity }) => identity !== kept?.identity)
  for (const { identity, host } of surplus) world.removeMachine({ identity, host })
  return surplus.length > 0
}

/** Everything is Ready, or blocked with a reason that somebody can act on. */
function expectReady(cloud: SimulatedCloud): void {
  const stuck = objectsOf(cloud).filter(object => !isReady(object) && !isExcused(cloud, object))
  if (stuck.length > 0) throw new Broken('NotReady', stuck.map(describe).slice(0, 12).join('\n'))
  const missing = [...cloud.wished.values()].filter(
    object => object.kind !== 'Namespace' && object.kind !== 'Allocation' && !exists(cloud, keyOf(object)),
  )
  if (missing.length > 0) throw new Broken('NotThere', missing.map(keyOf).join(', '))
}

function exists(cloud: SimulatedCloud, key: string): boolean {
  return objectsOf(cloud).some(({ kind, metadata }) => `${kind}/${metadata.namespace ?? ''}/${metadata.name}` === key)
}

/** What waits for a person, or for room that others hold. */
const excuses: ReadonlySet<string> = new Set([
  'WaitsForRestart',
  'InUse',
  'VolumeDeleting',
  'MachineHasNoAddress',
  'NoHostFits',
  'VolumeNotPlaced',
  'NoHosts',
  'VolumesApart',
  'DiskUsedElsewhere',
  'LeftoversThere',
  'NetworkDeleting',
])

function isExcused(cloud: SimulatedCloud, object: Resource): boolean {
  if (conditionOf(object, 'Stalled')?.status === 'True' || usesDeletedAddress(cloud, object)) return true
  const { reason = '', message = '' } = conditionOf(object, 'Ready') ?? {}
  if (reason === 'VolumeInUse') return waitsForExcused(cloud, object, message)
  if (reason === 'RouterNotReady' || reason === 'RouterNotConfigured') return waitsForRouter(cloud, object)
  return excuses.has(reason) || reason.endsWith('NotFound')
}

/** It wants the disk of a machine that keeps it for a reason of its own. */
function waitsForExcused(cloud: SimulatedCloud, { metadata: { namespace } }: Resource, message: string): boolean {
  const name = /machine "(?<name>[^"]+)"/.exec(message)?.groups?.name
  const machines = cloud.stored.all('virtualmachines.compute')
  const holder = machines.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
  if (holder === undefined || isReady(holder) || conditionOf(holder, 'Ready')?.reason === 'VolumeInUse') return false
  return isExcused(cloud, holder)
}

/** It wants the router of a network that has no place. */
function waitsForRouter(cloud: SimulatedCloud, { kind, metadata, spec }: Resource): boolean {
  const { nics = [], networkName, publicIPName } = (spec ?? {}) as NetworkUser
  const address = publicIPOf(cloud, metadata.namespace, publicIPName)
  const own = kind === 'Network' || kind === 'SharedNetwork' ? [metadata.name] : []
  const names = [
    ...own,
    networkName,
    (address?.spec as NetworkUser | undefined)?.networkName,
    ...nics.flatMap(nic => [nic.networkName, nic.sharedNetworkName]),
  ]
  return cloud.stored.all('virtualrouters.infrastructure').some(router => {
    const { networkRef } = router.spec as {
      readonly networkRef: { readonly namespace?: string; readonly name: string }
    }
    const isItsOwn =
      names.includes(networkRef.name) && (networkRef.namespace ?? metadata.namespace) === metadata.namespace
    return isItsOwn && conditionOf(router, 'Ready')?.reason === 'NoHostFits'
  })
}

interface NetworkUser {
  readonly networkName?: string
  readonly publicIPName?: string
  readonly nics?: readonly { readonly networkName?: string; readonly sharedNetworkName?: string }[]
}

/** A rule of an address that somebody deleted: the address waits for the rule, and no router serves it any more. */
function usesDeletedAddress(cloud: SimulatedCloud, { metadata: { namespace }, spec }: Resource): boolean {
  const { publicIPName } = (spec ?? {}) as NetworkUser
  return publicIPOf(cloud, namespace, publicIPName)?.metadata.deletionTimestamp !== undefined
}

function publicIPOf(cloud: SimulatedCloud, namespace: string | undefined, name: string | undefined) {
  return cloud.stored
    .all('publicips.network')
    .find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
}

function isReady(object: Resource): boolean {
  const ready = conditionOf(object, 'Ready')
  return ready?.status === 'True' && ready.observedGeneration === object.metadata.generation
}

function unready(cloud: SimulatedCloud): readonly string[] {
  return objectsOf(cloud)
    .filter(object => !isReady(object))
    .map(describe)
}

function describe(object: Resource): string {
  const { kind, metadata } = object
  const ready = conditionOf(object, 'Ready')
  const deleting = metadata.deletionTimestamp === undefined ? '' : ' (deleting)'
  return `${kind} ${metadata.namespace ?? ''}/${metadata.name}${deleting}: ${ready?.status} ${ready?.reason} ${ready?.message}`
}

function objectsOf(cloud: SimulatedCloud): readonly Resource[] {
  return cloud.stored.everything().filter(({ kind }) => kind !== 'Allocation')
}
