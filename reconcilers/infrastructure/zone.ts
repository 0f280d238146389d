import { Zone } from '../../crds/infrastructure/zone.ts'
import { machinesByZone } from '../compute/virtual-machine.ts'
import { defineReconciler, type Usage } from '../define-reconciler.ts'
import { networksByZone } from '../network/network.ts'
import { publicIPsByZone } from '../network/public-addresses.ts'
import { routersByZone } from '../network/virtual-router.ts'
import { volumesByZone } from '../storage/volume.ts'
import { systemVMsRetired } from '../system/zone-system-vms.ts'
import type { Index } from '../world.ts'
import { capacityList, judgeCapacity } from './capacity.ts'
import { hostsOf, judgeHostsEmpty } from './evacuation.ts'
import { zoneCapacity } from './roll-ups.ts'
import {
  clustersOfZone,
  physicalNetworksByZone,
  podsByZone,
  poolsByReach,
  publicRangesByZone,
  storesByZone,
} from './topology.ts'
import { sharedNetworksInZone, systemVMsInZone } from './users.ts'
import { consoleAvailable, transfersAvailable } from './zone-services.ts'

const usersByName: readonly Index[] = [
  podsByZone,
  physicalNetworksByZone,
  storesByZone,
  publicRangesByZone,
  machinesByZone,
  volumesByZone,
  networksByZone,
  sharedNetworksInZone,
  publicIPsByZone,
  routersByZone,
  systemVMsInZone,
]

const usedBy: readonly Usage<typeof Zone>[] = [
  ...usersByName.map((index): Usage<typeof Zone> => ({ index, value: ({ metadata }) => metadata.name })),
  { index: poolsByReach, value: ({ metadata }) => `Zone/${metadata.name}` },
]

/** Zones sum up what is in them, and say who carries consoles and images. They go when they are empty. */
export const zoneReconciler = defineReconciler(Zone, {
  phases: [
    {
      condition: 'CapacityAvailable',
      informational: true,
      judge: (self, world) => judgeCapacity(world.derived(zoneCapacity, self.metadata.name), world),
    },
    {
      condition: 'Evacuated',
      informational: true,
      judge: ({ metadata: { name }, spec: { lifecycle } }, world) => {
        const isInMaintenance = lifecycle === 'Maintenance'
        const hosts = isInMaintenance ? hostsOf(world.derived(clustersOfZone, name), world) : []
        return judgeHostsEmpty('zone', isInMaintenance, hosts, world)
      },
    },
    consoleAvailable,
    transfersAvailable,
  ],
  usedBy,
  teardown: [systemVMsRetired],
  report: (status, self, world) => {
    status.capacity = capacityList(world.derived(zoneCapacity, self.metadata.name))
  },
})
