/** The story of a cloud that is described while its control plane is killed again and again. */

import { setTimeout as pause } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { ApiError } from '../../controllers/api/api-error.ts'
import { Namespace } from '../../controllers/api/built-in-kinds.ts'
import type { Client, Writable } from '../../controllers/api/client.ts'
import type { AnyApiKind } from '../../controllers/api/paths.ts'
import type { AnyKind, ResourceOf } from '../../crds/define-kind.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { Settings } from '../../crds/infrastructure/settings.ts'
import { kindOf, kinds } from '../../crds/kinds.ts'
import type { Resource } from '../../crds/meta.ts'
import { seededRandom } from '../../drivers/simulator/seeded-random.ts'
import type { WorldListing } from '../../drivers/simulator/world-listing.ts'
import { notReady } from '../stories/cloud.ts'
import { SkysteadProcess, until } from './skystead-process.ts'
import { cloudOf, deployment, networks } from './workload.ts'

/** How hard it is. */
export interface SurvivalOptions {
  readonly seed: number
  readonly hosts: number
  readonly machines: number
  readonly networks: number
  /** How often the process is killed while machines are described. */
  readonly kills: number
  /** How often it is killed while everything is deleted. */
  readonly killsWhileDeleting: number
  /** How long a process lives before it is killed, in ms: up to this. */
  readonly longestLife: number
  /** How long it may take in the end until all is Ready, and until all is gone, in ms. */
  readonly patience: number
}

/** Deploys, kills, compares the world before and after each kill, deletes everything, and leaves nothing. */
export async function survives(t: ExecutionContext, options: SurvivalOptions): Promise<void> {
  const random = seededRandom(options.seed)
  const life = () => pause(random.next() * options.longestLife)
  await using skystead = await SkysteadProcess.make()
  await skystead.start()
  await applyAll(skystead.client, [...cloudOf(options.hosts), ...networks(options.networks)])
  const wishes = Array.from({ length: options.machines }, (_, index) => deployment(index, options.networks))
  let described = 0
  for (let kill = 1; kill <= options.kills; kill++) {
    const upTo = Math.round((options.machines * kill) / options.kills)
    const { client } = skystead
    const applying = applyAll(client, wishes.slice(described, upTo).flat()).then(() => true, wasKilled)
    await life()
    const seen = await skystead.world()
    await skystead.kill()
    // What was not answered may not have arrived: it is described again, as one does.
    if (await applying) described = upTo
    const stored = await skystead.storedWorld()
    t.deepEqual(lost(seen, stored), [], `kill ${kill}: effects that were seen are gone`)
    await skystead.start()
    const now = await skystead.world()
    t.deepEqual(lost(stored, now), [], `kill ${kill}: effects are gone after the start`)
    t.deepEqual(doubles(now), [], `kill ${kill}`)
  }
  await applyAll(skystead.client, wishes.slice(described).flat())
  await until(async () => firstOf(notReady(await everything(skystead.client))), options.patience)
  const world = await skystead.world()
  t.deepEqual(doubles(world), [])
  t.is(world.machines.filter(({ facts }) => facts.definition.role === 'Instance').length, options.machines)
  t.is(world.machines.length, options.machines + options.networks)
  t.is(world.volumes.length, 2 * options.machines)
  t.deepEqual(await skystead.violations(), [])
  await deleteEverything(t, skystead, { ...options, life })
  t.is(skystead.complaints, '')
}

async function deleteEverything(
  t: ExecutionContext,
  skystead: SkysteadProcess,
  options: SurvivalOptions & { readonly life: () => Promise<void> },
): Promise<void> {
  for (let kill = 0; kill < options.killsWhileDeleting; kill++) {
    const deleting = removeAll(skystead.client).catch(wasKilled)
    await options.life()
    await skystead.kill()
    await deleting
    await skystead.start()
    t.deepEqual(doubles(await skystead.world()), [], `kill ${kill} while deleting`)
  }
  await leavesNothing(t, skystead, options.patience)
}

/** Deletes everything; the API and the simulated world are empty within so many ms. */
export async function leavesNothing(t: ExecutionContext, skystead: SkysteadProcess, patience: number): Promise<void> {
  await removeAll(skystead.client)
  await until(async () => firstOf(notReadyOrThere(await everything(skystead.client))), patience)
  await until(async () => firstOf(allocations(await skystead.client.list(Allocation))), patience)
  const { machines, volumes, images } = await skystead.world()
  t.deepEqual({ machines, volumes, images }, { machines: [], volumes: [], images: [] })
  t.deepEqual(await skystead.violations(), [])
}

/** Applies objects one after the other, as `kubectl apply --server-side` does. */
export async function applyAll(client: Client, objects: readonly Writable[]): Promise<void> {
  for (const object of objects) {
    await client.apply(kindFor(object), object, { fieldManager: 'story', force: true })
  }
}

/** All objects that people see, Settings apart. */
export async function everything(client: Client): Promise<readonly Resource[]> {
  const shown = kinds.filter(kind => kind !== Allocation && kind !== Settings)
  const lists = await Promise.all(shown.map(kind => client.list(kind)))
  return lists.flatMap(({ items }) => items as unknown as readonly Resource[])
}

async function removeAll(client: Client): Promise<void> {
  for (const object of await everything(client)) {
    const kind = kindOf(object.apiVersion, object.kind)
    if (kind === undefined || object.metadata.deletionTimestamp !== undefined) continue
    await removeOne(client, kind, object)
  }
}

async function removeOne(client: Client, kind: AnyKind, { metadata }: Resource): Promise<void> {
  try {
    await client.remove(kind, metadata)
  } catch (error) {
    // Children go with their parents.
    if (!(error instanceof ApiError) || (error.reason !== 'NotFound' && error.reason !== 'Conflict')) throw error
  }
}

/** A request that was not answered because the process was killed is no failure. */
function wasKilled(error: unknown): false {
  if (error instanceof ApiError && error.status === 0) return false
  throw error
}

/** What the first listing has and the second has not. */
function lost(before: WorldListing, after: WorldListing): readonly string[] {
  const there = new Set(identities(after))
  return identities(before).filter(identity => !there.has(identity))
}

function identities({ machines, volumes, images }: WorldListing): readonly string[] {
  return [...machines, ...volumes, ...images].map(({ identity }) => identity)
}

/** What there is twice that may be only once: identities, names, disks of machines, addresses and MACs in a network. */
export function doubles({ machines, volumes }: WorldListing): readonly string[] {
  const all = [...machines, ...volumes]
  const nics = machines.flatMap(({ facts }) => facts.definition.nics)
  return [
    ...repeated(all.map(({ identity }) => identity)),
    ...repeated(all.map(({ facts: { mark } }) => `${mark?.kind} ${mark?.namespace}/${mark?.name}`)),
    ...repeated(machines.flatMap(({ facts }) => facts.definition.disks.map(disk => `disk ${disk.identity}`))),
    ...repeated(nics.flatMap(nic => nic.addresses.map(address => `${nic.segment.network} ${address}`))),
    ...repeated(nics.map(nic => nic.macAddress)),
  ]
}

function repeated(values: readonly string[]): readonly string[] {
  const seen = new Set<string>()
  return values.filter(value => seen.size === seen.add(value).size)
}

function notReadyOrThere(objects: readonly Resource[]): readonly string[] {
  const waiting = notReady(objects)
  return waiting.length > 0 ? waiting : objects.map(({ kind, metadata }) => `${kind} ${metadata.name} is there`)
}

/** What is left but for the note that the installation began with this store. */
function allocations({ items }: { readonly items: readonly ResourceOf<typeof Allocation>[] }) {
  const left = items.filter(({ spec }) => spec.holder.kind !== 'Installation')
  return left.map(({ metadata }) => `Allocation ${metadata.name} is left`)
}

/** Undefined where there is none; the first lines where there are many. */
export function firstOf(lines: readonly string[]): string | undefined {
  return lines.length === 0 ? undefined : `${lines.length}:\n${lines.slice(0, 20).join('\n')}`
}

function kindFor({ apiVersion, kind }: Writable): AnyApiKind {
  if (kind === 'Namespace') return Namespace
  const known = kindOf(apiVersion, kind)
  if (known === undefined) throw new Error(`Cannot apply ${apiVersion} ${kind}: there is no such kind`)
  return known
}
