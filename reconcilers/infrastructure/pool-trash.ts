import { Allocation } from '../../crds/infrastructure/allocation.ts'
import type { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { parseDuration } from '../../crds/invariants/duration.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { type Claim, identityAllocation } from '../claims.ts'
import type { Phase } from '../define-reconciler.ts'
import { type Effect, observe, operate, remove } from '../effect.ts'
import { isOurs } from '../ownership.ts'
import { claimedPool, volumeOnPool } from '../storage/volume-place.ts'
import { acting, satisfied, type Verdict, waiting } from '../verdict.ts'
import { defineDerived, defineIndex, type Wish, type World } from '../world.ts'
import { settingsOf } from './settings.ts'

/**
 * The trash of a pool. A volume's object goes when its disk is there; its claim stays, with the note `deletedAt`, and
 * holds space and epoch. The pool destroys the disk when its time is over, under that claim and on no other evidence.
 */

/** In how many parts a pool's trash is looked at: what one change makes anybody compute again. */
const parts = [...'0123456789abcdef']
/** How many disks are destroyed at the same time. */
const atOnce = 16

/** Claims of volumes that were deleted, by part of the trash: `<pool name>/<first digit of the identity>`. */
const trashedClaims = defineIndex(Allocation, 'trashedClaims', ({ spec: { notes, value, volume } }) =>
  volume === undefined || notes?.deletedAt === undefined ? [] : [`${volume.poolName}/${value.slice(0, 1)}`],
)

/** When the oldest disk of a part of the trash went there. */
const oldestOfPart = defineDerived('oldestOfTrashPart', (part, world): string | undefined =>
  earliest(world.desired.list(trashedClaims, part).map(deletedAt)),
)

/** When the oldest disk in the trash of a pool went there, by its name. */
const oldestInTrash = defineDerived('oldestInTrash', (poolName, world): string | undefined =>
  earliest(parts.map(part => world.derived(oldestOfPart, `${poolName}/${part}`))),
)

/** Disks that have been in the trash for `Settings.expungeDelay` are destroyed. Never one without its claim. */
export const trashEmptied: Phase<typeof PrimaryStorage> = {
  condition: 'TrashEmptied',
  informational: true,
  judge: judgeTrash,
}

/** A pool that is being deleted goes with the last disk in its trash. */
export const trashGone: Phase<typeof PrimaryStorage> = {
  condition: 'TrashEmptied',
  judge: (self, world) => {
    const verdict = judgeTrash(self, world)
    if (verdict.is !== 'satisfied' || world.derived(oldestInTrash, self.metadata.name) === undefined) return verdict
    return waiting(
      'TrashNotEmpty',
      'Disks of deleted volumes are in its trash until Settings.expungeDelay is over: set that to 0s to have them destroyed now. They can be while a host reaches the pool',
    )
  },
}

function judgeTrash(self: Wish<typeof PrimaryStorage>, world: World): Verdict {
  const { name } = self.metadata
  const { answers, listed } = world.observed.endpoint(endpointKey('PrimaryStorage', world.identity(self)))
  if (answers !== 'Yes' || !listed) return satisfied('Kept')
  const delay = parseDuration(settingsOf(world).expungeDelay)
  const oldest = world.derived(oldestInTrash, name)
  if (oldest === undefined || !world.elapsed(oldest, delay)) return satisfied('Kept')
  // Those that could not be destroyed lately are tried again, but keep nobody waiting.
  const [first, again]: [Effect[], Effect[]] = [[], []]
  for (const part of parts.map(part => `${name}/${part}`)) {
    const oldestThere = world.derived(oldestOfPart, part)
    if (first.length >= atOnce || oldestThere === undefined || !world.elapsed(oldestThere, delay)) continue
    for (const claim of world.desired.list(trashedClaims, part)) {
      if (first.length >= atOnce) break
      const effects = hasFailed(claim, world) ? again : first
      if (effects.length < atOnce) effects.push(...expunge(claim, delay, world))
    }
  }
  const effects = [...first, ...again]
  if (effects.length === 0) return satisfied('Kept')
  return acting('Expunging', 'Disks whose time in the trash is over are destroyed', ...effects)
}

function hasFailed({ spec: { value: identity } }: Claim, world: World): boolean {
  return world.operations(identity).some(({ verb, state }) => verb === 'DeleteVolume' && state === 'Failed')
}

/** What is to be done for one disk. One that is being taken back, or that was not seen in the trash, is left alone. */
function expunge(claim: Claim, delay: number, world: World): readonly Effect[] {
  const { value: identity, epoch } = claim.spec
  const pool = claimedPool(claim)
  if (pool === undefined || !world.elapsed(claim.spec.notes?.deletedAt ?? '', delay)) return []
  if (identityAllocation(identity, world) !== undefined) return []
  const seen = volumeOnPool(identity, claim, world)
  if (seen === undefined) {
    return world.observed.provenAbsent(identity, pool) ? [remove(claim)] : [observe(pool)]
  }
  const { trashedAt } = seen.facts
  if (!isOurs(seen.facts, world) || trashedAt === undefined || !world.elapsed(trashedAt, delay)) return []
  return [operate(operation('DeleteVolume', { endpoint: pool, identity }, { identity, epoch }), [claim.metadata.name])]
}

function deletedAt({ spec }: Claim): string | undefined {
  return spec.notes?.deletedAt
}

function earliest(times: readonly (string | undefined)[]): string | undefined {
  return times.reduce(
    (least, time) => (least === undefined || (time !== undefined && time < least) ? time : least),
    undefined,
  )
}
