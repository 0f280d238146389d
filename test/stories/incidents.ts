/** What the stories of safety share: who runs where, and how a cloud is found to be whole again. */
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { kindOf } from '../../crds/kinds.ts'
import type { WorldListing } from '../../drivers/simulator/world-listing.ts'
import { type Cloud, notReady } from './cloud.ts'

/** A machine of the simulated world. */
export type ListedMachine = WorldListing['machines'][number]

/** Everything that bears the name of a machine of namespace `shop`, on any host. */
export function placesOf(cloud: Cloud, name: string): readonly ListedMachine[] {
  return cloud.simulator.world.list().machines.filter(({ facts }) => facts.mark?.name === name)
}

/** Names of the hosts on which a machine runs. */
export function runsOn(cloud: Cloud, name: string): readonly string[] {
  return placesOf(cloud, name).flatMap(({ host, facts }) => (facts.powerState === 'Running' ? [host] : []))
}

/** The host that a machine of namespace `shop` has its place on. */
export async function hostOf(cloud: Cloud, name: string): Promise<string> {
  const claims = await cloud.list(Allocation)
  const claim = claims.find(({ spec }) => spec.type === 'Machine' && spec.holder.name === name)
  return claim?.spec.machine?.hostName ?? ''
}

/** The other one of the quickstart's two hosts. */
export function otherThan(host: string): string {
  return host === 'host-1' ? 'host-2' : 'host-1'
}

/**
 * Deletes every object but the Settings, and waits until they are gone and the collector has looked once more. Answers
 * with what is left outside.
 */
export async function deleteEverything(cloud: Cloud, limit = 900_000) {
  for (const object of await cloud.everything()) {
    const kind = kindOf(object.apiVersion, object.kind)
    if (kind === undefined || object.kind === 'Settings') continue
    await cloud.delete(kind, object.metadata.name, object.metadata.namespace)
  }
  await cloud.until(
    async () => (await cloud.everything()).every(({ kind }) => kind === 'Settings'),
    limit,
    async () => notReady(await cloud.everything()).join('\n'),
  )
  await cloud.until(async () => (await leftovers(cloud)).claims.length === 0, 120_000).catch(() => undefined)
  return leftovers(cloud)
}

/** What there is outside, and what is still claimed. */
export async function leftovers(cloud: Cloud) {
  const { machines, volumes, images } = cloud.simulator.world.list()
  const claims = await cloud.list(Allocation)
  return { machines, volumes, images, claims: claims.map(({ metadata }) => metadata.name) }
}

/** What `leftovers` answers where nothing is left. */
export const nothingLeft = { machines: [], volumes: [], images: [], claims: [] }
