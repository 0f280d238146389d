import type { NetworkSegment } from './facts.ts'

/** A VLAN or VXLAN by its number, of whatever physical network, as in `VLAN/100`; undefined where there is no isolation. */
export function segmentKey({ isolation, id }: Pick<NetworkSegment, 'isolation' | 'id'>): string | undefined {
  return id === undefined ? undefined : `${isolation}/${id}`
}
