/** How far primary storage in maintenance is left alone: which machines still run with a disk there. */

import type { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { attachmentClaim, volumeClaimsByPool } from '../claims.ts'
import { isFenced } from '../compute/whereabouts.ts'
import type { Phase } from '../define-reconciler.ts'
import { namesOf } from '../names.ts'
import { satisfied, waiting } from '../verdict.ts'
import { defineDerived, type World } from '../world.ts'

/** Names of the machines that run, or may, with a disk in a pool, by the pool's name. Only while it is in maintenance. */
const poolUsers = defineDerived('poolUsers', (poolName, world): readonly string[] => {
  const users = new Set<string>()
  for (const { spec } of world.desired.list(volumeClaimsByPool, poolName)) {
    const attachment = attachmentClaim(spec.value, world)?.spec
    if (attachment?.attachment === undefined) continue
    if (!runsWith(attachment.attachment.machineIdentity, spec.value, world)) continue
    const { namespace, name } = attachment.holder
    users.add(namespace === undefined ? name : `${namespace}/${name}`)
  }
  return [...users]
})

/** A machine on a host that is proven off runs nothing, whatever was last seen of it. */
function runsWith(machineIdentity: string, volumeIdentity: string, world: World): boolean {
  return world.observed
    .machines(machineIdentity)
    .some(
      ({ endpoint, facts, current }) =>
        facts.powerState !== 'Off' &&
        facts.definition.disks.some(({ identity }) => identity === volumeIdentity) &&
        (current || !isFenced(endpoint, world)),
    )
}

/** Whether the pool is in maintenance and no machine runs with a disk there. */
export const quiesced: Phase<typeof PrimaryStorage> = {
  condition: 'Quiesced',
  informational: true,
  judge: ({ metadata: { name }, spec: { lifecycle } }, world) => {
    if (lifecycle !== 'Maintenance') {
      return waiting(
        'NotInMaintenance',
        'The pool is in use: spec.lifecycle "Maintenance" stops the machines with disks there',
      )
    }
    const users = world.derived(poolUsers, name)
    if (users.length === 0) return satisfied('Quiesced', 'No machine runs with a disk there')
    return waiting('Quiescing', `Machines that still run with a disk there: ${users.length}: ${namesOf(users)}`)
  },
}
