import deepEqual from 'fast-deep-equal'
import { type Clock, timestamp } from '../../crds/environment.ts'
import { Allocation, type AllocationSpec } from '../../crds/infrastructure/allocation.ts'
import { Volume } from '../../crds/storage/volume.ts'
import { segmentKey } from '../../drivers/contract/segment-key.ts'
import {
  type Derived,
  type Desired,
  defineIndex,
  type Identifiable,
  type Observed,
  type World,
} from '../../reconcilers/world.ts'
import type { Executor } from '../observation/executor.ts'
import type { ObservedCache } from '../observation/observed-cache.ts'
import { topics as observedTopics } from '../observation/topics.ts'
import { type Derivations, derivedTopic } from './derivations.ts'
import { type DesiredCache, desiredTopics, objectKey } from './desired-cache.ts'
import { type HoldingSums, heldTopic } from './holdings.ts'
import type { Recording } from './reads.ts'

/**
 * Allocations that give a resource an identity other than its uid, by the uid of the resource, or by its name. A claim that
 * was made under it says so as well: whoever deletes the manifests of a takeover deletes its identity first.
 */
const identityByHolder = defineIndex(Allocation, 'identityByHolder', ({ spec: { type, value, holder } }) => {
  const isOfVolume = holder.kind === Volume.kind
  const isPlace = type === 'Machine' ? !isOfVolume : type === 'Volume' && isOfVolume
  if (type !== 'Identity') return isPlace && value !== holder.uid ? [holder.uid] : []
  return [holder.uid === '' ? nameKey(holder.kind, holder.name, holder.namespace) : holder.uid]
})

function identityGiven(claims: readonly { readonly spec: AllocationSpec }[]): string | undefined {
  return (claims.find(({ spec }) => spec.type === 'Identity') ?? claims[0])?.spec.value
}

function nameKey(kind: string, name: string, namespace: string | undefined): string {
  return `${kind}/${namespace ?? ''}/${name}`
}

/** The keys by which an identity may be given to a resource. */
function holderKeys({ kind, metadata: { uid, name, namespace } }: Identifiable): readonly string[] {
  return kind === undefined || name === undefined ? [uid] : [uid, nameKey(kind, name, namespace)]
}

/** What a world is made of. */
export interface WorldSources {
  readonly installation: string
  readonly clock: Clock
  readonly desired: DesiredCache
  readonly observed: ObservedCache
  readonly holdings: Pick<HoldingSums, 'of'>
  readonly executor: Pick<Executor, 'operations'>
  readonly derivations: () => Derivations
}

/** Where one pass leaves what it read and asked for. */
export interface PassRecording {
  readonly recording: Recording
  /** Reads made for a queue, by its name. */
  readonly queued: (queue: string) => Recording
  /** Wake again after so many ms. */
  readonly wakeAfter: (milliseconds: number) => void
}

/** The world for one pass: answers from the caches, and notes every read. */
export function createWorld(sources: WorldSources, pass: PassRecording): World {
  const { recording } = pass
  const desired = desiredWorld(sources.desired, recording)
  // Asked again and again in one pass, which sees one instant.
  const identities = new Map<string, string>()
  return {
    installation: sources.installation,
    desired,
    observed: observedWorld(sources.observed, recording),
    identity: resource => {
      const { uid } = resource.metadata
      const known = identities.get(uid)
      if (known !== undefined) return known
      const identity = identityGiven(holderKeys(resource).flatMap(key => desired.list(identityByHolder, key))) ?? uid
      identities.set(uid, identity)
      return identity
    },
    held: (holdings, place) => {
      recording.topic(heldTopic(holdings as never, place))
      return sources.holdings.of(holdings as never, place)
    },
    operations: identity => {
      recording.topic(observedTopics.operations(identity))
      return sources.executor.operations(identity)
    },
    elapsed: (since, limit) => {
      const left = Date.parse(since) + limit - sources.clock.now()
      if (left <= 0) return true
      pass.wakeAfter(left)
      return false
    },
    now: () => timestamp(sources.clock),
    derived: <T>(definition: Derived<T>, key: string): T => {
      recording.topic(derivedTopic(definition, key))
      return sources.derivations().value(definition, key) as T
    },
    queued: queue => createWorld(sources, { ...pass, recording: pass.queued(queue) }),
  }
}

/** The identity of a resource, for callers outside a pass: nothing is recorded. */
export function identityOf(desired: Pick<DesiredCache, 'list'>, resource: Identifiable): string {
  const lists = holderKeys(resource).map(key => desired.list(identityByHolder, key))
  return identityGiven(lists.flat() as readonly { readonly spec: AllocationSpec }[]) ?? resource.metadata.uid
}

function desiredWorld(cache: DesiredCache, recording: Recording): Desired {
  const world = {
    get: (kind, name, namespace) => {
      const key = objectKey(name, namespace)
      recording.topic(desiredTopics.wish(kind, key))
      return cache.get(kind, key)
    },
    status: (kind, name, namespace, pick) => {
      const key = objectKey(name, namespace)
      const picked = () => {
        const status = cache.get(kind, key)?.status
        return status === undefined ? undefined : pick(status as never)
      }
      const value = picked()
      recording.picked(desiredTopics.status(kind, key), { pick: picked, value, equal: deepEqual })
      return value
    },
    list: (index, value) => {
      recording.topic(desiredTopics.index(index as never, value))
      return cache.list(index as never, value)
    },
    total: (totals, key) => {
      recording.topic(desiredTopics.total(totals as never, key))
      return cache.total(totals as never, key)
    },
    exists: (kind, name, namespace) => cache.get(kind, objectKey(name, namespace)) !== undefined,
  } as Desired
  return world
}

function observedWorld(cache: ObservedCache, recording: Recording): Observed {
  const read = <T>(topic: string, value: T): T => {
    recording.topic(topic)
    return value
  }
  return {
    endpoint: key => read(observedTopics.endpoint(key), cache.endpoint(key)),
    host: key => read(observedTopics.host(key), cache.host(key)),
    space: key => read(observedTopics.space(key), cache.space(key)),
    power: key => read(observedTopics.power(key), cache.power(key)),
    life: key => read(observedTopics.life(key), cache.life(key)),
    machines: identity => read(observedTopics.machine(identity), cache.machines(identity)),
    volumes: identity => read(observedTopics.volume(identity), cache.volumes(identity)),
    images: identity => read(observedTopics.image(identity), cache.images(identity)),
    jobs: identity => read(observedTopics.job(identity), cache.jobs(identity)),
    diskUsers: identity => read(observedTopics.diskUsers(identity), cache.diskUsers(identity)),
    segmentUsers: segment => read(observedTopics.segmentUsers(segmentKey(segment) ?? ''), cache.segmentUsers(segment)),
    named: (kind, namespace, name) =>
      read(observedTopics.named(kind, namespace, name), cache.named(kind, namespace, name)),
    inDoubt: identity => read(observedTopics.doubt(identity), cache.inDoubt(identity)),
    provenAbsent: (identity, endpoint, after) =>
      read(observedTopics.absent(identity, endpoint), cache.provenAbsent(identity, endpoint, after)),
    unlisted: (identity, endpoints) => {
      const unlisted = cache.unlisted(identity, endpoints)
      for (const first of unlisted.slice(0, 1)) recording.topic(observedTopics.absent(identity, first))
      return unlisted
    },
    imagesAt: key => {
      const images = read(observedTopics.counts(key), cache.imagesAt(key))
      for (const { facts } of images) recording.topic(observedTopics.image(facts.identity))
      return images
    },
    counts: key => read(observedTopics.counts(key), cache.counts(key)),
  }
}
