/** How many hosts of a zone are silent: whether that many can be dead at once. */
import { Host } from '../../crds/infrastructure/host.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import { defineDerived, type World } from '../world.ts'
import { settingsOf } from './settings.ts'
import { clustersOfZone, groupKey, hostGroups, hostsOfGroup } from './topology.ts'

interface Counts {
  readonly hosts: number
  readonly silent: number
}

/** Hosts of a group that are meant to answer, and how many of them do not, by `groupKey`. */
const groupSilence = defineDerived('groupSilence', (key, world): Counts => {
  let [hosts, silent] = [0, 0]
  for (const hostName of hostsOfGroup(key, world).hosts) {
    const host = world.desired.get(Host, hostName)
    if (host === undefined || host.spec.lifecycle === 'Lost') continue
    const { answers } = world.observed.endpoint(endpointKey('Host', world.identity(host)))
    if (answers !== 'Unknown') hosts += 1
    if (answers === 'No') silent += 1
  }
  return { hosts, silent }
})

/**
 * Whether more of a zone's hosts are silent at once than may be switched off, by the zone's name. Only that: how many
 * they are moves all the time in a storm, and would wake every one of them.
 */
export const zoneStorm = defineDerived('zoneStorm', (zoneName, world): boolean => {
  const { silentShareLimit } = settingsOf(world).hostFailure
  const counts = world.derived(clustersOfZone, zoneName).map(clusterName => clusterSilence(clusterName, world))
  const hosts = counts.reduce((sum, each) => sum + each.hosts, 0)
  const silent = counts.reduce((sum, each) => sum + each.silent, 0)
  return silent > Math.max(1, Math.floor(hosts * Number(silentShareLimit)))
})

function clusterSilence(clusterName: string, world: World): Counts {
  const groups = world.derived(hostGroups, clusterName)
  const counts = groups.map((_, index) => world.derived(groupSilence, groupKey(clusterName, index)))
  return {
    hosts: counts.reduce((sum, each) => sum + each.hosts, 0),
    silent: counts.reduce((sum, each) => sum + each.silent, 0),
  }
}
