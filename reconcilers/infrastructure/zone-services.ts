/** Who carries a zone's consoles and images. Informational: a zone is Ready without them. */

import type { Zone } from '../../crds/infrastructure/zone.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import type { Phase } from '../define-reconciler.ts'
import { namesOf } from '../names.ts'
import { judgeSystemVM, retireSystemVM } from '../system/zone-system-vms.ts'
import { blocked, satisfied, waiting } from '../verdict.ts'
import { storesByZone } from './topology.ts'

/** Whether consoles of machines can be reached, or are not wished for. */
export const consoleAvailable: Phase<typeof Zone> = {
  condition: 'ConsoleAvailable',
  informational: true,
  judge: (self, world) => {
    const { spec } = self
    if (spec.consoleProxy === 'SystemVM') return judgeSystemVM(self, 'ConsoleProxy', world)
    const leaving = retireSystemVM(self, 'ConsoleProxy', world)
    if (leaving !== undefined) return leaving
    if (spec.consoleProxy === 'Disabled') return satisfied('Disabled')
    return blocked('NotSupportedYet', 'spec.consoleProxy: no driver carries consoles on its hosts yet')
  },
}

/** Whether images can be carried to and from the zone's image stores. */
export const transfersAvailable: Phase<typeof Zone> = {
  condition: 'TransfersAvailable',
  informational: true,
  judge: (self, world) => {
    const stores = world.desired.list(storesByZone, self.metadata.name)
    const bySystemVM = stores.some(({ spec }) => spec.transfer === 'SystemVM')
    const carrier = bySystemVM
      ? judgeSystemVM(self, 'SecondaryStorage', world)
      : retireSystemVM(self, 'SecondaryStorage', world)
    if (carrier?.is === 'acting') return carrier
    if (stores.length === 0) return satisfied('NoStores', 'The zone has no image store: disks are made from the source')
    const silent = stores.filter(store => {
      const { answers, listed } = world.observed.endpoint(endpointKey('SecondaryStorage', world.identity(store)))
      return answers !== 'Yes' || !listed
    })
    if (silent.length > 0) {
      return waiting('StorageNotConnected', `Not connected: ${namesOf(silent.map(({ metadata }) => metadata.name))}`)
    }
    return carrier ?? satisfied('CarriedByHosts')
  },
}
