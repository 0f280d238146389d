/** What is held of a place in a test world: counted anew each time, thing by thing. */
import type { AnyKind } from '../../crds/define-kind.ts'
import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import type { MachineFacts, VolumeFacts } from '../../drivers/contract/facts.ts'
import type { Amounts, Held, Holdings, Seen, Wish } from '../../reconcilers/world.ts'

/** What there is to count. */
export interface Countable<K extends AnyKind> {
  readonly installation: string
  readonly claims: readonly Wish<K>[]
  readonly machines: readonly Seen<MachineFacts>[]
  readonly volumes: readonly Seen<VolumeFacts>[]
}

/** The sums of a place. */
export function heldOf<K extends AnyKind>(holdings: Holdings<K>, place: EndpointKey, world: Countable<K>): Amounts {
  const things = new Map<string, Amounts[]>()
  const add = ({ identity, place: at, amounts }: Held) => {
    if (at === place) things.set(identity, [...(things.get(identity) ?? []), amounts])
  }
  const isOurs = ({ mark }: MachineFacts | VolumeFacts) => mark?.installation === world.installation
  for (const claim of world.claims) for (const held of holdings.claimed(claim)) add(held)
  for (const seen of world.machines) {
    const amounts = holdings.ofMachine?.(seen, isOurs(seen.facts)) ?? {}
    add({ identity: seen.facts.identity, place: seen.endpoint, amounts })
  }
  for (const seen of world.volumes) {
    const amounts = holdings.ofVolume?.(seen, isOurs(seen.facts)) ?? {}
    add({ identity: seen.facts.identity, place: seen.endpoint, amounts })
  }
  const sums: Record<string, number> = {}
  for (const amounts of things.values()) {
    for (const name of new Set(amounts.flatMap(each => Object.keys(each)))) {
      sums[name] = (sums[name] ?? 0) + Math.max(...amounts.map(each => each[name] ?? 0))
    }
  }
  return sums
}
