import { PublicTemplate } from '../../crds/compute/public-template.ts'
import { ServiceOffering } from '../../crds/compute/service-offering.ts'
import type { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { parseBytes } from '../../crds/invariants/quantity.ts'
import { DiskOffering } from '../../crds/storage/disk-offering.ts'
import { endpointIdentity } from '../../drivers/contract/endpoint.ts'
import { isGiven, volumeClaim } from '../claims.ts'
import type { PlacementRequest, PlacementVolume } from '../placement/request.ts'
import { volumeSize } from '../storage/volume-place.ts'
import type { Wish, World } from '../world.ts'
import { type DiskPlan, rootDiskName } from './disk-plan.ts'
import { neededCapabilities } from './machine-support.ts'

/** What a machine asks of the planner; undefined while its offering or template is missing. */
export function machineRequest(
  machine: Wish<typeof VirtualMachine>,
  disks: readonly DiskPlan[],
  world: World,
): PlacementRequest | undefined {
  const { zoneName, serviceOfferingName, templateRef, placement } = machine.spec
  const offering = world.desired.get(ServiceOffering, serviceOfferingName)?.spec
  const template = templateRef === undefined ? undefined : world.desired.get(PublicTemplate, templateRef.name)?.spec
  if (offering === undefined || (templateRef !== undefined && template === undefined)) return undefined
  return {
    zoneName,
    cores: offering.cores,
    clockMHz: offering.clockMHz,
    memoryBytes: parseBytes(offering.memory),
    ...(template === undefined ? {} : { hypervisors: template.images.map(({ hypervisor }) => hypervisor) }),
    capabilities: neededCapabilities(machine, world).map(({ capability }) => capability),
    hostTags: offering.hostTags,
    planner: offering.planner,
    volumes: disks.flatMap(disk => volumeRequest(disk, offering.storageTags, offering.storageType, world)),
    ...(placement === undefined ? {} : { placement }),
  }
}

function volumeRequest(
  { name, volume, identity }: DiskPlan,
  rootTags: readonly string[],
  rootType: 'Shared' | 'Local',
  world: World,
): readonly PlacementVolume[] {
  if (volume === undefined || identity === undefined) return []
  const sizeBytes = volumeSize(volume, world)
  if (sizeBytes === undefined) return []
  const offeringName = volume.spec.diskOfferingName
  const offering = offeringName === undefined ? undefined : world.desired.get(DiskOffering, offeringName)?.spec
  const ofMachine = name === rootDiskName && offering === undefined
  const scope = ofMachine ? rootType : (offering?.storageType ?? 'Shared')
  const tags = ofMachine ? rootTags : (offering?.tags ?? [])
  const pool = volumeClaim(identity, world)?.spec.volume?.poolIdentity ?? poolSeen(identity, world)
  return [{ identity, sizeBytes, tags, scope, ...(pool === undefined ? {} : { poolIdentity: pool }) }]
}

/** Where a volume lies already, though nothing claims it: after a loss of the API's store. */
function poolSeen(identity: string, world: World): string | undefined {
  const [seen] = world.observed.volumes(identity)
  return seen && endpointIdentity(seen.endpoint)
}

/** Whether it is a disk there was before, and nobody has seen where it lies: none is made for it. */
export function isDiskMissing({ identity, poolIdentity }: PlacementVolume, world: World): boolean {
  return poolIdentity === undefined && isGiven(identity, world)
}
