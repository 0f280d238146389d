/** A cloud whose API has lost its store, and an operator who applies and rebinds. */
import { findRebindings, rebind } from '../../cli/rebinding.ts'
import { type Cloud, withoutTrash } from './cloud.ts'

/** Loses the API's store, and applies everything again. */
export async function loseStore(cloud: Cloud, ...manifests: readonly string[]): Promise<void> {
  await cloud.loseStore()
  await cloud.apply(withoutTrash, ...manifests)
  await cloud.advance(60_000)
}

/** Rebinds whatever tells a conflict, round by round, as `skystead adopt --rebind` does. */
export async function rebindAll(cloud: Cloud): Promise<void> {
  for (let round = 0; round < 5; round++) {
    const { rebindings } = await complete(cloud, findRebindings(cloud.client))
    if (rebindings.length === 0) return
    for (const rebinding of rebindings) await complete(cloud, rebind(cloud.client, rebinding, cloud.environment))
    await cloud.advance(30_000)
  }
}

/** Lets time run until the promise settles. */
export async function complete<T>(cloud: Cloud, promise: Promise<T>): Promise<T> {
  return (await cloud.environment.until(promise)) as T
}

/** What must be the same after a rebinding: who is there, with which disks, addresses and segments. */
export function essence(cloud: Cloud) {
  const { machines, volumes, images } = cloud.simulator.world.list()
  return {
    machines: machines
      .map(({ identity, host, facts: { mark, powerState, definition } }) => ({
        identity,
        host,
        name: mark?.name,
        powerState,
        disks: definition.disks.map(disk => disk.identity),
        nics: definition.nics.map(({ macAddress, addresses, segment }) => ({ macAddress, addresses, id: segment.id })),
      }))
      .toSorted(byIdentity),
    volumes: volumes.map(({ identity, machines }) => ({ identity, machines })).toSorted(byIdentity),
    images: images.map(({ identity, url }) => ({ identity, url })).toSorted(byIdentity),
  }
}

function byIdentity(left: { readonly identity: string }, right: { readonly identity: string }): number {
  return left.identity < right.identity ? -1 : 1
}
