import { Allocation } from '../../crds/infrastructure/allocation.ts'
import type { PublicIPRange } from '../../crds/infrastructure/public-ip-range.ts'
import { addressFromNumber, addressKey, addressToNumber, parseRange } from '../../crds/invariants/addresses.ts'
import { contains } from '../../crds/invariants/number-range.ts'
import { PublicIP } from '../../crds/network/public-ip.ts'
import { allocate, allocationName, allocationsByHolder, holderOf } from '../claims.ts'
import { publicRangesByZone } from '../infrastructure/topology.ts'
import { acting, blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import { defineIndex, type Wish, type World } from '../world.ts'
import { freeValue } from './free-value.ts'

type PublicAddress = Wish<typeof PublicIP>

/** Public addresses by network, `namespace/name`. */
export const publicIPsByNetwork = defineIndex(PublicIP, 'publicIPsByNetwork', ({ spec, metadata }) => [
  `${metadata.namespace}/${spec.networkName}`,
])

/** Public addresses by the name of their zone. */
export const publicIPsByZone = defineIndex(PublicIP, 'publicIPsByZone', ({ spec }) => [spec.zoneName])

/** The address that a PublicIP holds; undefined while it holds none. */
export function addressHeld(publicIP: PublicAddress, world: World): string | undefined {
  return world.desired.list(allocationsByHolder, publicIP.metadata.uid).find(({ spec }) => spec.type === 'PublicIP')
    ?.spec.value
}

/** The range that an address of a zone belongs to. */
export function rangeOfAddress(
  zoneName: string,
  address: string,
  world: World,
): Wish<typeof PublicIPRange> | undefined {
  const value = addressToNumber(address)
  return world.desired
    .list(publicRangesByZone, zoneName)
    .find(({ spec }) => spec.addresses.some(range => contains(parseRange(range), value)))
}

/** Whether a PublicIP holds its address. The realm is the zone's public segment: an address is unique in its zone. */
export function judgeAddress(self: PublicAddress, zoneUID: string, world: World): Verdict {
  const held = addressHeld(self, world)
  const { address: wished, zoneName } = self.spec
  if (held !== undefined) return satisfied('Allocated', held)
  const isTaken = (address: string) =>
    world.desired.exists(Allocation, allocationName('PublicIP', addressKey(address), zoneUID))
  if (wished !== undefined) {
    if (rangeOfAddress(zoneName, wished, world) === undefined) {
      return blocked('AddressOutsideRanges', `spec.address: ${wished} is in no PublicIPRange of zone "${zoneName}"`)
    }
    const claim = world.desired.get(Allocation, allocationName('PublicIP', addressKey(wished), zoneUID))
    if (claim === undefined) return take(self, wished, zoneUID, world)
    return waiting(
      'AddressTaken',
      `spec.address: ${wished} is held by ${claim.spec.holder.kind} "${claim.spec.holder.name}"`,
    )
  }
  const open = world.desired.list(publicRangesByZone, zoneName).filter(({ spec }) => spec.allocationState === 'Enabled')
  const gateways = new Set(open.map(({ spec }) => spec.gateway))
  const pool = open.flatMap(({ spec }) => spec.addresses.map(parseRange))
  const free = freeValue(pool, world.identity(self), value => {
    const address = addressFromNumber(value)
    return gateways.has(address) || isTaken(address)
  })
  if (free === undefined) {
    return waiting('AddressesExhausted', `Zone "${zoneName}" has no free public address: add a PublicIPRange`, {
      recheck: 60_000,
    })
  }
  return take(self, addressFromNumber(free), zoneUID, world)
}

function take(self: PublicAddress, address: string, realm: string, world: World): Verdict {
  const claim = allocate({ type: 'PublicIP', realm, value: addressKey(address), holder: holderOf(self) }, world)
  return acting('Allocating', `Taking ${address}`, claim)
}
