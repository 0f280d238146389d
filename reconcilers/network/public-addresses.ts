import { Allocation, type Holder } from '../../crds/infrastructure/allocation.ts'
import type { PublicIPRange } from '../../crds/infrastructure/public-ip-range.ts'
import {
  addressFromNumber,
  addressKey,
  addressToNumber,
  hostRangeOf,
  parseRange,
  rangeOf,
} from '../../crds/invariants/addresses.ts'
import { contains } from '../../crds/invariants/number-range.ts'
import { PublicIP } from '../../crds/network/public-ip.ts'
import { allocate, allocationName, allocationsByHolder } from '../claims.ts'
import { publicRangesByZone } from '../infrastructure/topology.ts'
import { acting, blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import { defineIndex, type Wish, type World } from '../world.ts'
import { freeValue, seekerOf } from './free-value.ts'

type PublicAddress = Wish<typeof PublicIP>

/** Public addresses by network, `namespace/name`. */
export const publicIPsByNetwork = defineIndex(PublicIP, 'publicIPsByNetwork', ({ spec, metadata }) => [
  `${metadata.namespace}/${spec.networkName}`,
])

/** Public addresses by the name of their zone. */
export const publicIPsByZone = defineIndex(PublicIP, 'publicIPsByZone', ({ spec }) => [spec.zoneName])

/** The address that a PublicIP holds; undefined while it holds none. */
export function addressHeld(publicIP: PublicAddress, world: World): string | undefined {
  return publicAddressOf(publicIP.metadata.uid, world)
}

/** The public address that an object holds, by its uid. */
export function publicAddressOf(holderUID: string, world: World): string | undefined {
  return world.desired.list(allocationsByHolder, holderUID).find(({ spec }) => spec.type === 'PublicIP')?.spec.value
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

/** Somebody who needs a public address: a PublicIP, or a machine of the control plane's own. */
export interface PublicAddressWish {
  readonly holder: Holder
  readonly zoneName: string
  /** The zone's uid: an address is unique in its zone. */
  readonly zoneUID: string
  readonly wished?: string | undefined
}

/** Whether a public address is held; else which one is taken. */
export function judgePublicAddress(wish: PublicAddressWish, world: World): Verdict {
  const { holder, wished, zoneName, zoneUID } = wish
  const held = publicAddressOf(holder.uid, world)
  if (held !== undefined) return satisfied('Allocated', held)
  if (wished !== undefined) return judgeWished({ ...wish, wished }, world)
  const open = world.desired.list(publicRangesByZone, zoneName).filter(({ spec }) => spec.allocationState === 'Enabled')
  const pool = open.flatMap(({ spec }) => spec.addresses.map(parseRange))
  const free = freeValue(pool, seekerOf(holder), value => {
    const address = addressFromNumber(value)
    return (
      open.some(range => isKept(address, range)) ||
      world.desired.exists(Allocation, allocationName('PublicIP', addressKey(address), zoneUID))
    )
  })
  if (free !== undefined) return take(addressFromNumber(free), zoneUID, holder, world)
  return waiting('AddressesExhausted', `Zone "${zoneName}" has no free public address: add a PublicIPRange`, {
    recheck: 60_000,
  })
}

function judgeWished(wish: PublicAddressWish & { readonly wished: string }, world: World): Verdict {
  const { holder, wished, zoneName, zoneUID } = wish
  const range = rangeOfAddress(zoneName, wished, world)
  if (range === undefined) {
    return blocked(
      'AddressOutsideRanges',
      `spec.address: ${wished} is in no PublicIPRange of zone "${zoneName}": choose an address of one`,
    )
  }
  if (isKept(wished, range)) {
    return blocked(
      'AddressKept',
      `spec.address: ${wished} is the gateway or an end of ${range.spec.cidr}: choose another`,
    )
  }
  const claim = world.desired.get(Allocation, allocationName('PublicIP', addressKey(wished), zoneUID))
  if (claim !== undefined) {
    const { kind, name } = claim.spec.holder
    return waiting('AddressTaken', `spec.address: ${wished} is held by ${kind} "${name}": choose another`)
  }
  if (range.spec.allocationState === 'Disabled') {
    return waiting('RangeDisabled', `spec.address: PublicIPRange "${range.metadata.name}" has allocationState Disabled`)
  }
  return take(wished, zoneUID, holder, world)
}

/** Addresses of a subnet that nobody may be given: its own, its broadcast address and its gateway. */
function isKept(address: string, { spec }: Wish<typeof PublicIPRange>): boolean {
  const value = addressToNumber(address)
  if (address === spec.gateway) return true
  return contains(rangeOf(spec.cidr), value) && !contains(hostRangeOf(spec.cidr), value)
}

function take(address: string, realm: string, holder: Holder, world: World): Verdict {
  const claim = allocate({ type: 'PublicIP', realm, value: addressKey(address), holder }, world)
  return acting('Allocating', `Taking ${address}`, claim)
}
