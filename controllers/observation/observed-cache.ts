import equal from 'fast-deep-equal'
import { type Environment, timestamp } from '../../crds/environment.ts'
import type { InventoryEvent } from '../../drivers/contract/driver.ts'
import type { Endpoint, EndpointKey } from '../../drivers/contract/endpoint.ts'
import type {
  HostFacts,
  ImageFacts,
  Inventory,
  JobFacts,
  MachineFacts,
  VolumeFacts,
} from '../../drivers/contract/facts.ts'
import type { Answer, Operation } from '../../drivers/contract/operation.ts'
import { segmentKey } from '../../drivers/contract/segment-key.ts'
import type { EndpointState, Life, MachineUser, Observed, PowerState, Seen } from '../../reconcilers/world.ts'
import { deepFreeze } from '../deep-freeze.ts'
import { Activity } from './activity.ts'
import { addTo, Changes } from './changes.ts'
import type { Aim, Begun, ObservedCacheOptions } from './hooks.ts'
import { type Counts, Inventories } from './inventories.ts'
import { Lives } from './lives.ts'
import { emptyPlace, listedState, noCounts, type Place, roundedSpace, type Space, unknownState } from './place.ts'
import { PowerControllers } from './power-controllers.ts'
import { withoutProof, withReading } from './power-readings.ts'
import { Questions } from './questions.ts'
import { type Told, told } from './told.ts'
import { topics } from './topics.ts'

/**
 * Everything drivers have told, with its evidence. Getters are synchronous and answer with frozen values that stay the
 * same reference while nothing in them changes. Of two pieces of evidence always one is the later: moments are numbers
 * of one growing count, whatever the clock shows. A listing overwrites only what was learned before it was begun.
 */
export class ObservedCache implements Observed {
  readonly installation: string
  readonly #environment: Environment
  readonly #changes: Changes
  readonly #places = new Map<EndpointKey, Place>()
  readonly #activity = new Activity()
  readonly #controllers = new PowerControllers({
    placeOf: key => this.#places.get(key),
    activity: this.#activity,
    tell: topic => this.tell(topic),
  })
  /** Signs of life of silent hosts. */
  readonly lives: Lives
  readonly #inventories: Inventories
  readonly imagesAt: Observed['imagesAt'] = key => [...this.#inventories.images.at(key)]
  readonly segmentUsers: Observed['segmentUsers'] = segment =>
    this.#inventories.segmentUsers.of(segmentKey(segment) ?? '')
  readonly #questions = new Questions(
    key => this.#places.get(key),
    () => this.moment(),
  )
  /** Topics to be told once the endpoint answers and was listed. */
  readonly #awaited = new Map<EndpointKey, Set<string>>()
  #moment = 0

  constructor({ installation, environment, notify, sighted = () => undefined }: ObservedCacheOptions) {
    this.installation = installation
    this.#environment = environment
    this.#changes = new Changes(notify)
    this.lives = new Lives(environment, key => this.tell(topics.life(key)))
    this.#inventories = new Inventories({
      installation,
      tell: topic => this.tell(topic),
      now: () => environment.clock.monotonic(),
      sighted,
      appeared: (endpoint, identity) => {
        if (this.#lacksOnlyPresence(identity, endpoint)) this.#changes.tell(topics.absent(identity, endpoint))
      },
    })
  }

  endpoint(key: EndpointKey): EndpointState {
    return this.#places.get(key)?.state ?? unknownState
  }

  host(key: EndpointKey): HostFacts | undefined {
    return this.#places.get(key)?.host
  }

  space(key: EndpointKey): Space | undefined {
    return this.#places.get(key)?.space
  }

  power(key: EndpointKey): PowerState | undefined {
    return this.#places.get(key)?.power
  }

  life(key: EndpointKey): Life | undefined {
    return this.lives.of(key)
  }

  counts(key: EndpointKey): Counts {
    return this.#places.get(key)?.counts ?? noCounts
  }

  machines(identity: string): readonly Seen<MachineFacts>[] {
    return this.#inventories.machines.of(identity)
  }

  volumes(identity: string): readonly Seen<VolumeFacts>[] {
    return this.#inventories.volumes.of(identity)
  }

  images(identity: string): readonly Seen<ImageFacts>[] {
    return this.#inventories.images.of(identity)
  }

  jobs(identity: string): readonly Seen<JobFacts>[] {
    return this.#inventories.jobs.of(identity)
  }

  diskUsers(volumeIdentity: string): readonly MachineUser[] {
    return this.#inventories.diskUsers.of(volumeIdentity)
  }

  named(kind: string, namespace: string | undefined, name: string): readonly string[] {
    return this.#inventories.named.of(kind, namespace, name)
  }

  inDoubt(identity: string): readonly EndpointKey[] {
    return this.#activity.doubtsOf(identity)
  }

  provenAbsent(identity: string, endpoint: EndpointKey, after?: EndpointKey): boolean {
    const isLate = after === undefined || this.#questions.isAnswered(identity, endpoint, after)
    if (isLate && this.#isProvenAbsent(identity, endpoint)) return true
    this.#questions.awaitAbsence(identity, endpoint)
    return false
  }

  unlisted(identity: string, endpoints: readonly EndpointKey[]): readonly EndpointKey[] {
    const unlisted = this.#questions.unlisted(identity, endpoints)
    for (const first of unlisted.slice(0, 1)) this.#questions.awaitAbsence(identity, first)
    return unlisted
  }

  /** Keys of all declared endpoints. */
  endpoints(): readonly EndpointKey[] {
    return [...this.#places.keys()]
  }

  /** Everything known of a declared endpoint, for whoever asks from outside. */
  told(key: EndpointKey): Told | undefined {
    const place = this.#places.get(key)
    return place && told(place, this.#inventories, this.#activity)
  }

  /** Power controllers that switch the host. */
  controllersOf(host: EndpointKey): Iterable<EndpointKey> {
    return this.#controllers.of(host)
  }

  /** Identities of all machines, volumes and images seen at an endpoint. */
  identitiesAt(endpoint: EndpointKey): Iterable<string> {
    return this.#inventories.identitiesAt(endpoint)
  }

  /** Every machine, everywhere it is seen. */
  allMachines(): Iterable<Seen<MachineFacts>> {
    return this.#inventories.machines.all()
  }

  /** Every volume, everywhere it is seen. */
  allVolumes(): Iterable<Seen<VolumeFacts>> {
    return this.#inventories.volumes.all()
  }

  /** When the last complete listing of an endpoint was begun, on the monotonic clock; undefined before the first. */
  listedAt(endpoint: EndpointKey): number | undefined {
    return this.#places.get(endpoint)?.listedAt
  }

  /** Whether operations may be given to the endpoint: this process has listed it, and it answers. */
  isReady(endpoint: EndpointKey): boolean {
    const { listed, answers } = this.endpoint(endpoint)
    return listed && answers === 'Yes'
  }

  /** Tells of a changed value; while a change is being made, after all of it is in. */
  tell(topic: string): void {
    this.#changes.tell(topic)
  }

  /** Makes several changes as one: whoever is told sees all of them. */
  change<T>(make: () => T): T {
    return this.#changes.make(make)
  }

  /** Tells the topic as soon as operations may be given to the endpoint. */
  tellWhenReady(endpoint: EndpointKey, topic: string): void {
    addTo(this.#awaited, endpoint, topic)
  }

  /** A moment later than all before, for comparison with evidence. */
  moment(): number {
    this.#moment += 1
    return this.#moment
  }

  /**
   * An endpoint is declared, or declared anew. `retargeted`: something else may be at the other end now, so that
   * everything known is merely what was until the next listing.
   */
  declare(endpoint: Endpoint, retargeted = false): void {
    const { key } = endpoint
    const known = this.#places.get(key)
    if (known === undefined) this.#places.set(key, emptyPlace(endpoint))
    else this.#controllers.drop(known.endpoint)
    this.#controllers.add(endpoint)
    if (known === undefined) return
    this.#changes.make(() => {
      known.endpoint = endpoint
      if (retargeted) {
        known.listedFrom = 0
        this.#setState(known, unknownState)
      }
      this.#controllers.refreshAround(key)
    })
  }

  /** An endpoint is no longer declared: all that was known of it goes. */
  forget(key: EndpointKey): void {
    const place = this.#places.get(key)
    if (place === undefined) return
    this.#changes.make(() => {
      this.#inventories.forget(key)
      for (const identity of this.#activity.forget(key)) this.#changes.tell(topics.doubt(identity))
      this.#places.delete(key)
      this.#controllers.drop(place.endpoint)
      for (const topic of [topics.endpoint, topics.host, topics.space, topics.power, topics.counts])
        this.#changes.tell(topic(key))
      this.#controllers.refreshAround(key)
    })
  }

  /** A complete listing, begun at the moment. One begun before the last that was taken in says nothing new. */
  takeListing(key: EndpointKey, begun: Begun, inventory: Inventory): void {
    const place = this.#places.get(key)
    if (place === undefined || begun.moment < place.listedFrom) return
    this.#changes.make(() => {
      this.#inventories.takeListing(key, begun.moment, inventory)
      if (inventory.type === 'Host') this.#setHost(place, inventory.host)
      else if (inventory.type === 'PowerController')
        place.readings = withReading(place.readings, inventory.power, begun.moment)
      else this.#setSpace(place, inventory)
      place.listedFrom = begun.moment
      place.listedAt = begun.monotonic
      const isWorkedOn = (identity: string) => this.#inventories.jobs.isAt(key, identity)
      for (const identity of this.#activity.settle(key, begun.moment, isWorkedOn))
        this.#changes.tell(topics.doubt(identity))
      this.#setState(place, listedState)
      this.#refreshCounts(place)
      this.#controllers.refreshAround(key)
      this.#tellAbsent(key)
    })
  }

  /** Something changed at an endpoint, as its driver tells. */
  takeEvent(key: EndpointKey, event: InventoryEvent): void {
    const place = this.#places.get(key)
    if (place === undefined) return
    const moment = this.moment()
    this.#changes.make(() => {
      if (event.event === 'Disconnected') place.disconnectedAt = moment
      this.#inventories.takeEvent(key, event, { moment, current: place.state.answers === 'Yes' })
      this.#refreshCounts(place)
    })
  }

  /** An endpoint does not answer, by default from now on. The first message stays, so that its wording does not tick. */
  fallSilent(key: EndpointKey, message: string, silentSince = timestamp(this.#environment.clock)): void {
    const place = this.#places.get(key)
    if (place === undefined || place.state.answers === 'No') return
    this.#changes.make(() => {
      place.silentFrom = this.moment()
      this.#setState(place, { answers: 'No', listed: place.state.listed, silentSince, message })
      this.#controllers.refreshAround(key)
    })
  }

  /** An endpoint answers, but not with a listing: nobody knows what is there now. */
  becomeUnreadable(key: EndpointKey, message: string): void {
    const place = this.#places.get(key)
    if (place === undefined) return
    this.#changes.make(() => {
      this.#setState(place, { answers: 'Unknown', listed: place.state.listed, message })
      this.#controllers.refreshAround(key)
    })
  }

  /** Whether the endpoint has lost its connection since the moment. */
  disconnectedSince(key: EndpointKey, moment: number): boolean {
    return (this.#places.get(key)?.disconnectedAt ?? 0) > moment
  }

  /**
   * Whether a call given at the moment is not going to be answered: its endpoint has lost the connection since, and lists
   * no work on the identity.
   */
  isUnheard({ endpoint, identity }: Aim, given: number): boolean {
    const place = this.#places.get(endpoint)
    if (place === undefined || !this.isReady(endpoint) || place.disconnectedAt <= given) return false
    return place.listedFrom > place.disconnectedAt && !this.#inventories.jobs.isAt(endpoint, identity)
  }

  /** An operation will be given to its endpoint: from now on nothing is proven about its identity there. */
  beginOperation({ endpoint, identity }: Aim): void {
    this.#changes.make(() => {
      if (this.#isProvenAbsent(identity, endpoint)) this.#changes.tell(topics.absent(identity, endpoint))
      this.#activity.begin(endpoint, identity)
      this.#controllers.refreshAround(endpoint)
    })
  }

  /** It ended. In doubt: it may still take effect. */
  endOperation({ endpoint, identity }: Aim, { inDoubt }: { readonly inDoubt: boolean }): void {
    this.#changes.make(() => {
      this.#activity.end(endpoint, identity, this.moment())
      if (!this.#places.has(endpoint)) this.#activity.forget(endpoint)
      else if (inDoubt && this.#activity.doubt(endpoint, identity)) this.#changes.tell(topics.doubt(identity))
      this.#controllers.refreshAround(endpoint)
    })
  }

  /**
   * What an operation answered that was given to its driver at the moment. `Contradicted`: an event told otherwise
   * meanwhile, and nobody knows which of the two is the later; the answer is taken, a listing decides.
   */
  takeAnswer(operation: Operation, given: number, answer: Answer): 'Taken' | 'Contradicted' {
    const place = this.#places.get(operation.endpoint)
    if (place === undefined) return 'Taken'
    const moment = this.moment()
    const { listedFrom, state } = place
    return this.#changes.make(() => {
      const at = { moment, current: state.answers === 'Yes', since: given, listedFrom }
      const contradicted = this.#inventories.takeAnswer(operation, answer, at)
      this.#refreshCounts(place)
      return contradicted ? 'Contradicted' : 'Taken'
    })
  }

  #setState(place: Place, state: EndpointState): void {
    const { key } = place.endpoint
    if (equal(place.state, state)) return
    place.state = Object.freeze(state)
    if (state.answers !== 'No') place.silentFrom = undefined
    if (state.answers !== 'No') this.lives.forget(key)
    if (state.answers !== 'Yes' && place.readings !== undefined) place.readings = withoutProof(place.readings)
    this.#inventories.setCurrent(key, state.answers === 'Yes')
    this.#changes.tell(topics.endpoint(key))
    if (!this.isReady(key)) return
    for (const topic of this.#awaited.get(key) ?? []) this.#changes.tell(topic)
    this.#awaited.delete(key)
  }

  #setHost(place: Place, host: HostFacts): void {
    if (equal(place.host, host)) return
    place.host = deepFreeze(host)
    this.#changes.tell(topics.host(place.endpoint.key))
  }

  #setSpace(place: Place, { totalBytes, usedBytes }: Space): void {
    const space = roundedSpace(totalBytes, usedBytes)
    if (equal(space, place.space)) return
    place.space = space
    this.#changes.tell(topics.space(place.endpoint.key))
  }

  #refreshCounts(place: Place): void {
    const counts = this.#inventories.counts(place.endpoint.key)
    if (equal(place.counts, counts)) return
    place.counts = Object.freeze(counts)
    this.#changes.tell(topics.counts(place.endpoint.key))
  }

  #isProvenAbsent(identity: string, endpoint: EndpointKey): boolean {
    return this.#lacksOnlyPresence(identity, endpoint) && !this.#inventories.isAt(endpoint, identity)
  }

  /** Whether the identity would be proven absent if it is not seen at the endpoint. */
  #lacksOnlyPresence(identity: string, endpoint: EndpointKey): boolean {
    const listedFrom = this.#places.get(endpoint)?.listedFrom ?? 0
    const isIdle = this.#activity.isIdle(endpoint, identity) && this.#activity.endedAt(endpoint, identity) <= listedFrom
    if (listedFrom === 0 || !isIdle) return false
    return !this.#inventories.isUnsettled(endpoint, identity) && !this.#inventories.jobs.isAt(endpoint, identity)
  }

  #tellAbsent(endpoint: EndpointKey): void {
    for (const identity of this.#questions.takeProven(endpoint, each => this.#isProvenAbsent(each, endpoint)))
      this.#changes.tell(topics.absent(identity, endpoint))
  }
}

/** Makes an empty cache. */
export function createObservedCache(options: ObservedCacheOptions): ObservedCache {
  return new ObservedCache(options)
}
