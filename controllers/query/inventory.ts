import { type Environment, timestamp } from '../../crds/environment.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { kinds } from '../../crds/kinds.ts'
import { type EndpointKey, type EndpointType, endpointType } from '../../drivers/contract/endpoint.ts'
import type { ImageFacts, Inventory, MachineFacts, Mark, VolumeFacts } from '../../drivers/contract/facts.ts'
import { machineClaimName, volumeClaimName } from '../../reconcilers/claims.ts'
import { objectKey } from '../engine/desired-cache.ts'
import type { Engine } from '../engine/engine.ts'
import { QueryError, type QueryRoute, type QuerySources } from './route.ts'

/**
 * What a thing outside is to us. `Owned`: an object of this cloud is it. `Leftover`: it bears our mark, and no object is
 * it any more. `Adoptable`: it bears no mark. `Others`: it bears another installation's mark.
 */
export type Belonging = 'Owned' | 'Leftover' | 'Adoptable' | 'Others'

/** A thing at a place. */
export interface InventoryThing {
  readonly what: 'Machine' | 'Volume' | 'Image'
  readonly identity: string
  readonly belongs: Belonging
  /** Since when the controllers that answer have seen it (RFC 3339). It may be older than they are. */
  readonly seenSince: string
  /** Why it is a leftover; left out otherwise. */
  readonly why?: string
  /** What was seen of it: everything that its driver tells. */
  readonly facts: MachineFacts | VolumeFacts | ImageFacts
}

/** A place and what is there. */
export interface InventoryPlace {
  readonly endpoint: EndpointKey
  readonly type: EndpointType
  /** The name of the Host, PrimaryStorage or SecondaryStorage. */
  readonly name: string
  /** Whether the place answers: if not, this is what was there. */
  readonly answers: 'Yes' | 'No' | 'Unknown'
  /** When its last complete listing was begun (RFC 3339). */
  readonly listedAt: string
  readonly owned: number
  /** Everything there that is not `Owned`, in order of identities. */
  readonly things: readonly InventoryThing[]
}

/** What is outside and is no object's. */
export interface InventoryAnswer {
  readonly installation: string
  /** When it was told (RFC 3339). */
  readonly at: string
  /** In order of types and names. */
  readonly places: readonly InventoryPlace[]
  /** Places of which nothing is known yet: nothing is concluded about them. */
  readonly unread: readonly { readonly type: EndpointType; readonly name: string; readonly message: string }[]
}

/** What the answer is made from. */
export type InventorySources = Pick<QuerySources, 'engines' | 'environment' | 'installation'>

/** `/inventory?host=NAME&storage=NAME`: leftovers and adoptables, everywhere or at one place. */
export const inventoryRoute: QueryRoute = {
  path: '/inventory',
  answer: (query, sources) =>
    inventoryOf(sources, { host: query.get('host') ?? undefined, storage: query.get('storage') ?? undefined }),
}

/** Everything seen outside that is no object's. Throws `QueryError` where the place that is asked for is not declared. */
export function inventoryOf(
  sources: InventorySources,
  only: { readonly host?: string | undefined; readonly storage?: string | undefined } = {},
): InventoryAnswer {
  const { engines, environment, installation } = sources
  const at = timestamp(environment.clock)
  const asked = only.host !== undefined || only.storage !== undefined
  const answers = engines().map(engine => ({ installation, at, ...toldBy(engine, sources, only) }))
  const answer = mergedInventory(answers) ?? { installation, at, places: [], unread: [] }
  if (asked && answer.places.length === 0 && answer.unread.length === 0) {
    throw new QueryError(404, `Cannot tell what is at ${only.host ?? only.storage}: no such host or storage is called`)
  }
  return answer
}

/** One answer of several that were given at about one instant: of each place the latest. Undefined where there is none. */
export function mergedInventory(answers: readonly InventoryAnswer[]): InventoryAnswer | undefined {
  const [first] = answers
  if (first === undefined) return undefined
  const places = new Map<string, InventoryPlace>()
  for (const place of answers.flatMap(answer => answer.places)) {
    const known = places.get(place.endpoint)
    if (known === undefined || known.listedAt < place.listedAt) places.set(place.endpoint, place)
  }
  const titleOf = ({ type, name }: { readonly type: EndpointType; readonly name: string }) => `${type}/${name}`
  const read = new Set([...places.values()].map(titleOf))
  const unread = new Map(answers.flatMap(answer => answer.unread).map(each => [titleOf(each), each]))
  return {
    ...first,
    places: [...places.values()].sort((left, right) => (titleOf(left) < titleOf(right) ? -1 : 1)),
    unread: [...unread].flatMap(([title, each]) => (read.has(title) ? [] : [each])),
  }
}

function toldBy(
  engine: Engine,
  { environment, installation }: InventorySources,
  only: { readonly host?: string | undefined; readonly storage?: string | undefined },
): Pick<InventoryAnswer, 'places' | 'unread'> {
  const places: InventoryPlace[] = []
  const unread: InventoryAnswer['unread'][number][] = []
  const asked = only.host !== undefined || only.storage !== undefined
  const sources = { engine, environment, installation }
  for (const key of engine.observed.endpoints().toSorted()) {
    const type = endpointType(key)
    const told = engine.observed.told(key)
    if (type === 'PowerController' || told === undefined) continue
    const { endpoint, state, listedAt, inventory, seenSince } = told
    if (asked && endpoint.name !== (type === 'Host' ? only.host : only.storage)) continue
    if (inventory === undefined || listedAt === undefined) {
      unread.push({ type, name: endpoint.name, message: state.message ?? 'It is being read' })
      continue
    }
    const things = thingsOf(inventory).map(({ what, facts }) => thing(what, facts, seenSince(facts.identity), sources))
    places.push({
      endpoint: key,
      type,
      name: endpoint.name,
      answers: state.answers,
      listedAt: wallTime(listedAt, environment),
      owned: things.filter(({ belongs }) => belongs === 'Owned').length,
      things: things.filter(({ belongs }) => belongs !== 'Owned'),
    })
  }
  return { places, unread }
}

/** What says of a thing whose it is. */
interface ThingSources extends Pick<InventorySources, 'environment' | 'installation'> {
  readonly engine: Pick<Engine, 'desired' | 'identity'>
}

function thingsOf(
  inventory: Inventory,
): readonly { readonly what: InventoryThing['what']; readonly facts: InventoryThing['facts'] }[] {
  switch (inventory.type) {
    case 'Host':
      return inventory.machines.map(facts => ({ what: 'Machine', facts }))
    case 'PrimaryStorage':
      return inventory.volumes.map(facts => ({ what: 'Volume', facts }))
    case 'SecondaryStorage':
      return inventory.images.map(facts => ({ what: 'Image', facts }))
    case 'PowerController':
      return []
  }
}

function thing(
  what: InventoryThing['what'],
  facts: InventoryThing['facts'],
  since: number | undefined,
  sources: ThingSources,
): InventoryThing {
  const { environment } = sources
  const { identity, mark } = facts
  const why = whyLeftover(identity, mark, sources)
  return {
    what,
    identity,
    belongs: belongingOf(mark, why, sources.installation),
    seenSince: since === undefined ? timestamp(environment.clock) : wallTime(since, environment),
    ...(why === undefined ? {} : { why }),
    facts,
  }
}

function belongingOf(mark: Mark | undefined, why: string | undefined, installation: string): Belonging {
  if (mark === undefined) return 'Adoptable'
  if (mark.installation !== installation) return 'Others'
  return why === undefined ? 'Owned' : 'Leftover'
}

/** Why what bears our mark is no object's; undefined where it is one's, or bears no mark of ours. */
function whyLeftover(
  identity: string,
  mark: Mark | undefined,
  { engine, installation }: ThingSources,
): string | undefined {
  if (mark === undefined || mark.installation !== installation) return undefined
  const { desired } = engine
  // Whatever holds a claim of this identity will see to it, also where the mark still has an older name.
  const claims = [machineClaimName(identity), volumeClaimName(identity)]
  if (claims.some(name => desired.get(Allocation, objectKey(name, undefined)) !== undefined)) return undefined
  const kind = kinds.find(each => each.kind === mark.kind)
  const object = kind && desired.get(kind, objectKey(mark.name, mark.namespace))
  const title = `${mark.kind} ${mark.namespace === undefined ? '' : `${mark.namespace}/`}${mark.name}`
  if (object === undefined) return `${title} does not exist any more`
  // Images are known by their template: their identity is derived from it and the store.
  if (mark.kind === 'PublicTemplate' || engine.identity(object) === identity) return undefined
  return `${title} has the identity ${engine.identity(object)}`
}

/** A moment of the monotonic clock as a time of day. */
function wallTime(monotonic: number, { clock }: Pick<Environment, 'clock'>): string {
  return `${new Date(clock.now() - (clock.monotonic() - monotonic)).toISOString().slice(0, 19)}Z`
}
