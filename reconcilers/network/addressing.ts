import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { addressFromNumber, addressKey, addressToNumber, hostRangeOf } from '../../crds/invariants/addresses.ts'
import { contains, type NumberRange } from '../../crds/invariants/number-range.ts'
import { allocationName } from '../claims.ts'
import type { World } from '../world.ts'
import { freeValue } from './free-value.ts'

/** Where addresses of a layer-2 segment come from: the realm is where an address must be unique. */
export interface AddressPool {
  /** uid of the network. */
  readonly uid: string
  readonly cidr: string
  readonly gateway: string
  readonly ranges: readonly NumberRange[]
}

/** Whether a host may be given the address: it is in a range, and neither the subnet's own, nor its broadcast, nor its gateway. */
export function isUsable(address: string, { cidr, gateway, ranges }: AddressPool): boolean {
  const value = addressToNumber(address)
  return address !== gateway && contains(hostRangeOf(cidr), value) && ranges.some(range => contains(range, value))
}

/**
 * An address for somebody: one that it was seen with, so that a fresh control plane takes the same again, else the
 * first free one from where its search starts. Undefined: none is free.
 */
export function chooseAddress(
  pool: AddressPool,
  identity: string,
  seen: readonly string[],
  world: World,
): string | undefined {
  const isFree = (address: string) =>
    isUsable(address, pool) && !world.desired.exists(Allocation, allocationName('IP', addressKey(address), pool.uid))
  const known = seen.find(isFree)
  if (known !== undefined) return known
  const value = freeValue(pool.ranges, identity, number => !isFree(addressFromNumber(number)))
  return value === undefined ? undefined : addressFromNumber(value)
}
