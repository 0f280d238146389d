/** Who uses what, where no other reconciler has the index already; and the wait for claims to be given back. */

import type { AnyKind } from '../../crds/define-kind.ts'
import type { Allocation } from '../../crds/infrastructure/allocation.ts'
import { SystemVM } from '../../crds/infrastructure/system-vm.ts'
import { SharedNetwork } from '../../crds/network/shared-network.ts'
import type { Phase } from '../define-reconciler.ts'
import { namesOf } from '../names.ts'
import { satisfied, type Verdict, waiting } from '../verdict.ts'
import { defineIndex, type Wish, type World } from '../world.ts'

/** Shared networks by the name of their zone. */
export const sharedNetworksInZone = defineIndex(SharedNetwork, 'sharedNetworksInZone', ({ spec }) => [spec.zoneName])

/** Shared networks by the name of their physical network. */
export const sharedNetworksOnPhysical = defineIndex(SharedNetwork, 'sharedNetworksOnPhysical', ({ spec }) => [
  spec.physicalNetworkName,
])

/** Shared networks by the name of their offering. */
export const sharedNetworksOffered = defineIndex(SharedNetwork, 'sharedNetworksOffered', ({ spec }) => [
  spec.networkOfferingName,
])

/** System VMs by the name of their zone. */
export const systemVMsInZone = defineIndex(SystemVM, 'systemVMsInZone', ({ spec }) => [spec.zoneName])

/** A teardown phase that waits until no Allocation holds a place in the object, and names those whose they are. */
export function unclaimed<K extends AnyKind>(
  claims: (self: Wish<K>, world: World) => readonly Wish<typeof Allocation>[],
): Phase<K> {
  return {
    condition: 'Unclaimed',
    judge: (self, world): Verdict => {
      const holders = new Set(claims(self, world).map(({ spec }) => holderName(spec.holder)))
      if (holders.size === 0) return satisfied('Unclaimed')
      return waiting('InUse', `Cannot be deleted: used by ${namesOf([...holders])}`)
    },
  }
}

function holderName({ kind, namespace, name }: Wish<typeof Allocation>['spec']['holder']): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
}
