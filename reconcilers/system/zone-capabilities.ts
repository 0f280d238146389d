import type { Capability } from '../../drivers/contract/facts.ts'
import { clustersOfZone, groupKey, hostGroups, hostsOfGroup } from '../infrastructure/topology.ts'
import { candidateOf } from '../placement/candidates.ts'
import { defineDerived, type World } from '../world.ts'

/** Whether any host of a zone can do a thing. `Unknown` while a host has not been read, or there is none. */
export type Ability = 'Offered' | 'Lacking' | 'Unknown'

/** What the hosts of a group can do, and whether all of them were read. By `groupKey`. */
const groupAbilities = defineDerived(
  'groupAbilities',
  (key, world): { readonly hosts: number; readonly unread: boolean; readonly offered: readonly string[] } => {
    const candidates = hostsOfGroup(key, world).hosts.flatMap(name => world.derived(candidateOf, name) ?? [])
    return {
      hosts: candidates.length,
      unread: candidates.some(({ cores, unread }) => unread || cores === 0),
      offered: [...new Set(candidates.flatMap(({ capabilities }) => capabilities))].sort(),
    }
  },
)

const zoneAbility = defineDerived('zoneAbility', (key, world): Ability => {
  const separator = key.lastIndexOf('#')
  const capability = key.slice(separator + 1)
  const groups = world
    .derived(clustersOfZone, key.slice(0, separator))
    .flatMap(cluster => world.derived(hostGroups, cluster).map((_, index) => groupKey(cluster, index)))
    .map(group => world.derived(groupAbilities, group))
  if (groups.some(({ offered }) => offered.includes(capability))) return 'Offered'
  if (groups.some(({ unread }) => unread) || !groups.some(({ hosts }) => hosts > 0)) return 'Unknown'
  return 'Lacking'
})

/** Whether any host of a zone has a capability. Only a zone whose every host was read is `Lacking`. */
export function abilityOf(zoneName: string, capability: Capability, world: World): Ability {
  return world.derived(zoneAbility, `${zoneName}#${capability}`)
}
