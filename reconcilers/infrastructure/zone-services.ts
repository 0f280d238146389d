/** Who carries a zone's consoles and images. Informational: a zone is Ready without them. */
import { SystemVM } from '../../crds/infrastructure/system-vm.ts'
import type { Zone } from '../../crds/infrastructure/zone.ts'
import { isTrue } from '../../crds/meta.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import type { Phase } from '../define-reconciler.ts'
import { blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import type { World } from '../world.ts'
import { storesByZone } from './topology.ts'
import { namesOf, systemVMsInZone } from './users.ts'

/** Whether consoles of machines can be reached, or are not wished for. */
export const consoleAvailable: Phase<typeof Zone> = {
  condition: 'ConsoleAvailable',
  informational: true,
  judge: ({ metadata, spec }, world) => {
    if (spec.consoleProxy === 'Disabled') return satisfied('Disabled')
    if (spec.consoleProxy === 'SystemVM') return judgeSystemVM('ConsoleProxy', metadata.name, world)
    return blocked('NotSupportedYet', 'spec.consoleProxy: no driver carries consoles on its hosts yet')
  },
}

/** Whether images can be carried to and from the zone's image stores. */
export const transfersAvailable: Phase<typeof Zone> = {
  condition: 'TransfersAvailable',
  informational: true,
  judge: ({ metadata: { name } }, world) => {
    const stores = world.desired.list(storesByZone, name)
    if (stores.length === 0) return satisfied('NoStores', 'The zone has no image store: disks are made from the source')
    const silent = stores.filter(store => {
      const { answers, listed } = world.observed.endpoint(endpointKey('SecondaryStorage', world.identity(store)))
      return answers !== 'Yes' || !listed
    })
    if (silent.length > 0) {
      return waiting('StorageNotConnected', `Not connected: ${namesOf(silent.map(({ metadata }) => metadata.name))}`)
    }
    const bySystemVM = stores.some(({ spec }) => spec.transfer === 'SystemVM')
    return bySystemVM ? judgeSystemVM('SecondaryStorage', name, world) : satisfied('CarriedByHosts')
  },
}

function judgeSystemVM(role: 'ConsoleProxy' | 'SecondaryStorage', zoneName: string, world: World): Verdict {
  const machines = world.desired.list(systemVMsInZone, zoneName).filter(({ spec }) => spec.role === role)
  if (machines.length === 0) return waiting('NoSystemVM', `Zone "${zoneName}" has no SystemVM of role ${role}`)
  const ready = machines.find(({ metadata }) =>
    world.desired.status(SystemVM, metadata.name, undefined, status => isTrue({ status }, 'Ready')),
  )
  if (ready !== undefined) return satisfied('CarriedBySystemVM', `SystemVM "${ready.metadata.name}"`)
  return waiting('SystemVMNotReady', `Not Ready: ${namesOf(machines.map(({ metadata }) => metadata.name))}`)
}
