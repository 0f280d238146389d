/** Offerings: what tenants choose from. Nothing is to be done for them; they stay while something is made from them. */
import { ServiceOffering } from '../../crds/compute/service-offering.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { NetworkOffering } from '../../crds/network/network-offering.ts'
import { DiskOffering } from '../../crds/storage/disk-offering.ts'
import { machinesByServiceOffering } from '../compute/virtual-machine.ts'
import { defineReconciler } from '../define-reconciler.ts'
import { sharedNetworksOffered } from '../infrastructure/users.ts'
import { networksByOffering } from '../network/network.ts'
import { volumesByDiskOffering } from '../storage/volume.ts'
import { defineIndex } from '../world.ts'

/** Machines by the disk offering of their root disk. */
const machinesByRootOffering = defineIndex(VirtualMachine, 'machinesByRootOffering', ({ spec: { rootVolume } }) =>
  rootVolume?.diskOfferingName === undefined ? [] : [rootVolume.diskOfferingName],
)

/** A service offering stays until the last machine made from it is gone. */
export const serviceOfferingReconciler = defineReconciler(ServiceOffering, {
  phases: [],
  usedBy: [{ index: machinesByServiceOffering, value: ({ metadata }) => metadata.name }],
})

/** A disk offering stays until the last volume made from it is gone. */
export const diskOfferingReconciler = defineReconciler(DiskOffering, {
  phases: [],
  usedBy: [
    { index: volumesByDiskOffering, value: ({ metadata }) => metadata.name },
    { index: machinesByRootOffering, value: ({ metadata }) => metadata.name },
  ],
})

/** A network offering stays until the last network made from it is gone. */
export const networkOfferingReconciler = defineReconciler(NetworkOffering, {
  phases: [],
  usedBy: [
    { index: networksByOffering, value: ({ metadata }) => metadata.name },
    { index: sharedNetworksOffered, value: ({ metadata }) => metadata.name },
  ],
})
