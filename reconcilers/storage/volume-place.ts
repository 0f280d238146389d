import { PublicTemplate, type TemplateImage } from '../../crds/compute/public-template.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { parseBytes } from '../../crds/invariants/quantity.ts'
import { DiskOffering } from '../../crds/storage/disk-offering.ts'
import type { Volume } from '../../crds/storage/volume.ts'
import { type EndpointKey, endpointKey } from '../../drivers/contract/endpoint.ts'
import type { VolumeFacts } from '../../drivers/contract/facts.ts'
import type { Claim } from '../claims.ts'
import { clustersOfZone, hostsByCluster, poolsByReach } from '../infrastructure/topology.ts'
import { quotedNamesOf } from '../names.ts'
import { blocked, unknown, type Verdict } from '../verdict.ts'
import { defineDerived, type Seen, type Wish, type World } from '../world.ts'

/** The pool that a volume's claim names, as an endpoint. */
export function claimedPool(claim: Claim | undefined): EndpointKey | undefined {
  const pool = claim?.spec.volume?.poolIdentity
  return pool === undefined ? undefined : endpointKey('PrimaryStorage', pool)
}

/** A volume as its own pool reports it; undefined while it is not there. */
export function volumeOnPool(identity: string, claim: Claim | undefined, world: World): Seen<VolumeFacts> | undefined {
  const pool = claimedPool(claim)
  return world.observed.volumes(identity).find(({ endpoint }) => endpoint === pool)
}

/** The size a volume wishes for, in bytes: its own, else its offering's, else its template's. Undefined: nothing says. */
export function volumeSize(volume: Pick<Wish<typeof Volume>, 'spec'>, world: World): number | undefined {
  const { size, diskOfferingName, templateRef } = volume.spec
  if (size !== undefined) return parseBytes(size)
  const offered =
    diskOfferingName === undefined ? undefined : world.desired.get(DiskOffering, diskOfferingName)?.spec.size
  if (offered !== undefined) return parseBytes(offered)
  const template = templateRef === undefined ? undefined : world.desired.get(PublicTemplate, templateRef.name)
  return template === undefined ? undefined : parseBytes(template.spec.size)
}

/** The image of a template for a hypervisor. */
export function imageFor(templateName: string, hypervisor: string, world: World): TemplateImage | undefined {
  return world.desired.get(PublicTemplate, templateName)?.spec.images.find(image => image.hypervisor === hypervisor)
}

/** The hypervisor whose images a pool holds: its cluster's, or for a pool of a whole zone what its URL implies. */
export function hypervisorOfPool(poolName: string, world: World): string | undefined {
  const pool = world.desired.get(PrimaryStorage, poolName)?.spec
  if (pool === undefined) return undefined
  const host = pool.hostName === undefined ? undefined : world.desired.get(Host, pool.hostName)
  const clusterName = pool.clusterName ?? host?.spec.clusterName
  if (clusterName !== undefined) return world.desired.get(HostCluster, clusterName)?.spec.hypervisor
  return pool.url.startsWith('sim:') ? 'Simulator' : 'KVM'
}

/** A volume was given the identity of a disk there was before, and nothing claims it: it lies where it is seen. */
export function diskNotSeen(identity: string, zoneName: string, world: World): Verdict {
  const unread = world.derived(unreadPools, zoneName)
  if (unread.length > 0) {
    const names = quotedNamesOf(unread)
    return unknown(
      'DiskNotSeen',
      `The disk ${identity}, which was there before its Volume, is not seen; primary storages that were not read yet: ${names}`,
    )
  }
  return blocked(
    'DiskNotSeen',
    `The disk ${identity}, which was there before its Volume, is seen in no primary storage: apply the one that has it, or bring it back. If the disk is gone, delete the Volume`,
  )
}

/** Names of the pools of a zone that this process has not read, by the zone's name. */
const unreadPools = defineDerived('unreadPools', (zoneName, world): readonly string[] => {
  const reaches = world.derived(clustersOfZone, zoneName).flatMap(clusterName => {
    const hosts = world.desired.list(hostsByCluster, clusterName).map(({ metadata }) => `Host/${metadata.name}`)
    return [`Cluster/${clusterName}`, ...hosts]
  })
  return [`Zone/${zoneName}`, ...reaches]
    .flatMap(reach => world.desired.list(poolsByReach, reach))
    .filter(pool => !world.observed.endpoint(endpointKey('PrimaryStorage', world.identity(pool))).listed)
    .map(({ metadata }) => metadata.name)
})
