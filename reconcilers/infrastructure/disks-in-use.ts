/** A host that is deleted is seen no more: nothing may run there that writes to a disk which others could be given. */
import type { Host } from '../../crds/infrastructure/host.ts'
import { attachmentClaim, machineClaimsByHost, volumeClaimsByPool } from '../claims.ts'
import { isFenced } from '../compute/whereabouts.ts'
import type { Phase } from '../define-reconciler.ts'
import { namesOf } from '../names.ts'
import { satisfied, waiting } from '../verdict.ts'
import { hostKey } from './host-endpoint.ts'
import { poolsByReach, reachesOf } from './topology.ts'

/** Waits while a machine that has no right to a volume's disk is seen with it on the host. */
export const disksFreed: Phase<typeof Host> = {
  condition: 'Evacuated',
  needs: ['Unclaimed'],
  judge: (self, world) => {
    const key = hostKey(self, world)
    // Its claims are waited for first; and what is not there uses nothing.
    const isHeld = world.desired.list(machineClaimsByHost, self.metadata.name).length > 0
    if (isHeld || world.observed.counts(key).things === 0) return satisfied('DisksFree')
    const pools = reachesOf(self, world).flatMap(reach => world.desired.list(poolsByReach, reach))
    const claims = pools.flatMap(({ metadata }) => world.desired.list(volumeClaimsByPool, metadata.name))
    const used = claims.filter(({ spec: { value } }) => {
      const holder = attachmentClaim(value, world)?.spec.attachment?.machineIdentity
      return world.observed.diskUsers(value).some(user => user.endpoint === key && user.identity !== holder)
    })
    if (used.length === 0 || isFenced(key, world)) return satisfied('DisksFree')
    const names = used.map(({ spec: { holder } }) => `"${holder.namespace}/${holder.name}"`)
    return waiting(
      'DisksInUse',
      `Machines that have no right to them are there with the disks of volumes ${namesOf(names)}: stop or remove those machines on the host. If it is off for good, switch it off and set its spec.lifecycle to Lost`,
    )
  },
}
