import type { AnyKind, ResourceOf } from '../../crds/define-kind.ts'
import type { Environment } from '../../crds/environment.ts'
import { timestamp } from '../../crds/environment.ts'
import type { Allocation } from '../../crds/infrastructure/allocation.ts'
import { kindOf } from '../../crds/kinds.ts'
import { conditionOf, type Resource } from '../../crds/meta.ts'
import { type EndpointKey, endpointType } from '../../drivers/contract/endpoint.ts'
import { allocationsByHolder } from '../../reconcilers/claims.ts'
import type { Effect } from '../../reconcilers/effect.ts'
import type { OperationState } from '../../reconcilers/world.ts'
import { type ObjectKey, objectKey } from '../engine/desired-cache.ts'
import type { Engine } from '../engine/engine.ts'
import type { PhaseReading } from '../engine/judgements.ts'
import type { Recorder } from '../records/recorder.ts'
import type {
  Cause,
  Explanation,
  HeldClaim,
  Named,
  PhaseExplanation,
  PlaceExplanation,
  Standing,
} from './explanation.ts'
import { thingsOf } from './reads.ts'

/** What explanations are made from. Nothing is changed through it. */
export interface ExplainSources {
  readonly engine: Pick<Engine, 'desired' | 'observed' | 'observer' | 'executor' | 'identity' | 'standing'>
  readonly recorder: Pick<Recorder, 'query'>
  readonly environment: Environment
}

/** How many objects deep the chain is followed. */
const deepest = 6
/** How many causes of one phase are told. */
const mostCauses = 8
/** How many records of the past are told. */
const mostRecords = 20

/** Everything about one object; undefined where there is none of that name. */
export async function explain(
  kind: AnyKind,
  key: ObjectKey,
  sources: ExplainSources,
): Promise<Explanation | undefined> {
  const { engine, recorder, environment } = sources
  const self = engine.desired.get(kind, key)
  if (self === undefined) return undefined
  const { name, namespace, uid, generation, deletionTimestamp: deletedAt } = self.metadata
  // One instant for all that is told of the present; only the past is waited for.
  const { phases, dueInMs, failedPasses, queue, place } = engine.standing(kind, key)
  const identities = new Set([engine.identity(self), ...thingsOf(topicsOf(phases), engine.desired).operations])
  const operations = [...identities].flatMap(identity => engine.executor.operations(identity))
  const failures = [...identities].flatMap(identity => engine.executor.failuresOf(identity))
  const changedBy = engine.desired.changedBy(kind, key)
  const walk: Walk = { sources, told: new Set([uid]), depth: 1 }
  const present: Omit<Explanation, 'history'> = {
    object: { ...nameOf(self), uid, generation },
    at: timestamp(environment.clock),
    standing: standingOf(self),
    ...(deletedAt === undefined ? {} : { deletedAt }),
    ...(changedBy === undefined ? {} : { changedBy }),
    phases: phases.map(reading => explainPhase(reading, self, walk)),
    claims: claimsOf(self, sources),
    ...(place === undefined ? {} : { place: withHost(place, self) }),
    running: runningOf(operations).map(({ verb, endpoint }) => ({
      verb,
      endpoint,
      endpointName: placeName(endpoint, engine),
    })),
    failures: failures.map(failure => ({ ...failure, endpointName: placeName(failure.endpoint, engine) })),
    ...(dueInMs === undefined ? {} : { dueInMs }),
    failedPasses,
    ...(queue === undefined ? {} : { queue }),
  }
  const subject = { kind: kind.kind, name, ...(namespace === undefined ? {} : { namespace }) }
  return { ...present, history: await recorder.query({ subject, limit: mostRecords }) }
}

interface Walk {
  readonly sources: ExplainSources
  /** What was told already, once and for all phases: uids of objects, keys of endpoints, identities in doubt. */
  readonly told: Set<string>
  readonly depth: number
}

function explainPhase({ phase, verdict, topics }: PhaseReading, self: Resource, walk: Walk): PhaseExplanation {
  const { condition, informational } = phase
  const known = conditionOf(self, condition)
  const wants = verdict.is === 'acting' ? verdict.effects.map(effect => wish(effect, walk.sources.engine)) : []
  const recheckMs = 'recheck' in verdict ? verdict.recheck : undefined
  const isMet = verdict.is === 'satisfied'
  const waitedFor = isMet ? [] : causesOf(verdict.message, topics, self, walk)
  // Objects first: an endpoint is told of where it belongs.
  const objects = waitedFor.slice(0, mostCauses).map(cause => cause())
  const evidence = isMet ? [] : evidenceOf(topics, walk)
  const causes = [...objects, ...evidence.slice(0, mostCauses)]
  const left = waitedFor.length + evidence.length - causes.length
  return {
    condition,
    verdict: verdict.is,
    reason: verdict.reason,
    message: verdict.message,
    ...(known === undefined ? {} : { since: known.lastTransitionTime }),
    ...(informational === true ? { informational } : {}),
    ...(wants.length === 0 ? {} : { wants }),
    ...(recheckMs === undefined ? {} : { recheckMs }),
    causes,
    ...(left === 0 ? {} : { moreCauses: left }),
  }
}

/**
 * What a phase waits for, told once: what it read and its message names, else the objects whose standing it read and
 * that are not Ready, else whatever it read by name that is not Ready.
 */
function causesOf(message: string, topics: readonly string[], self: Resource, walk: Walk): readonly (() => Cause)[] {
  const { engine } = walk.sources
  const read = thingsOf(topics, engine.desired)
  const isOther = ({ metadata }: Resource) => metadata.uid !== self.metadata.uid
  const named = read.objects.filter(each => isOther(each) && isNamed(message, nameOf(each)))
  const isUnwell = (each: Resource) => isOther(each) && standingOf(each).ready !== 'True'
  const choices = [named, read.standing.filter(isUnwell), read.byName.filter(isUnwell)]
  const followed = choices.find(objects => objects.length > 0) ?? []
  const missing = read.missing.filter(each => isNamed(message, each))
  return [
    ...missing.map(object => () => missingCause(object)),
    ...followed.map(object => () => objectCause(object, walk)),
  ]
}

/** Endpoints that do not answer and operations in doubt that were read, unless something above told of them. */
function evidenceOf(topics: readonly string[], { sources: { engine }, told }: Walk): readonly Cause[] {
  const { endpoints, doubts } = thingsOf(topics, engine.desired)
  const causes: Cause[] = []
  for (const endpoint of endpoints) {
    const { answers, listed, silentSince, message } = engine.observed.endpoint(endpoint)
    if ((answers === 'Yes' && listed) || told.has(endpoint)) continue
    told.add(endpoint)
    causes.push({
      type: 'Endpoint',
      endpoint,
      name: placeName(endpoint, engine),
      state: answers === 'No' ? 'No' : 'NotListed',
      ...(silentSince === undefined ? {} : { since: silentSince }),
      ...(message === undefined ? {} : { message }),
    })
  }
  for (const identity of doubts) {
    const places = engine.observed.inDoubt(identity).map(key => placeName(key, engine))
    if (places.length === 0 || told.has(identity)) continue
    told.add(identity)
    causes.push({ type: 'InDoubt', identity, endpoints: places })
  }
  return causes
}

function missingCause(object: Named): Cause {
  const standing: Standing = { ready: 'Missing', reason: 'NotFound', message: 'It does not exist' }
  return { type: 'Object', object, standing, phases: [] }
}

function objectCause(object: Resource, { sources, told, depth }: Walk): Cause {
  const { uid, name, namespace } = object.metadata
  const standing = standingOf(object)
  const common = { type: 'Object', object: nameOf(object), standing } as const
  if (standing.ready === 'True') return { ...common, phases: [] }
  if (told.has(uid) || depth >= deepest) return { ...common, phases: [], cut: true }
  told.add(uid)
  const kind = kindOf(object.apiVersion, object.kind)
  if (kind === undefined) return { ...common, phases: [] }
  const headline = headlineOf(sources.engine.standing(kind, objectKey(name, namespace)).phases)
  const walk = { sources, told, depth: depth + 1 }
  return { ...common, phases: headline.map(reading => explainPhase(reading, object, walk)) }
}

/** The phase that gives Ready its reason: of what others wait for, that is what counts. */
function headlineOf(phases: readonly PhaseReading[]): readonly PhaseReading[] {
  const counted = phases.filter(({ phase, verdict }) => phase.informational !== true && verdict.is !== 'satisfied')
  return counted
    .filter(({ verdict }) => verdict.is === 'blocked')
    .concat(counted)
    .slice(0, 1)
}

/** What Ready says, as far as it was judged by the present spec. */
function standingOf(object: Resource): Standing {
  const ready = conditionOf(object, 'Ready')
  const isFresh = ready?.observedGeneration === undefined || ready.observedGeneration === object.metadata.generation
  if (ready === undefined || !isFresh) return { ready: 'Unknown', reason: 'NotYetObserved', message: '' }
  const { status, reason, message, lastTransitionTime: since } = ready
  return { ready: status, reason, message, since }
}

/** Messages name objects in quotes, or as `namespace/name`. */
function isNamed(message: string, { namespace, name }: Named): boolean {
  if (message.includes(`"${name}"`)) return true
  return namespace !== undefined && message.split(/[\s,;:"]+/).includes(`${namespace}/${name}`)
}

function nameOf({ kind, metadata: { namespace, name } }: Resource): Named {
  return { kind, ...(namespace === undefined ? {} : { namespace }), name }
}

function topicsOf(phases: readonly PhaseReading[]): readonly string[] {
  return phases.flatMap(({ topics }) => topics)
}

/** What an effect would do, in words, without its arguments. */
function wish(effect: Effect, engine: ExplainSources['engine']): string {
  switch (effect.effect) {
    case 'Operate':
      return `${effect.operation.verb} at ${placeName(effect.operation.endpoint, engine)}`
    case 'Observe':
      return `list ${placeName(effect.endpoint, engine)}`
    case 'Event':
      return `tell ${effect.reason}`
    default:
      return `${effect.effect.toLowerCase()} ${effect.object.kind} ${effect.object.metadata.name}`
  }
}

function claimsOf({ metadata }: Resource, { engine }: ExplainSources): readonly HeldClaim[] {
  // The edge: an index answers with objects of its own kind.
  const held = engine.desired.list(allocationsByHolder, metadata.uid) as readonly ResourceOf<typeof Allocation>[]
  return held.map(({ spec, metadata: { creationTimestamp: since } }) => {
    const { type, value, epoch, machine, volume, attachment } = spec
    const of = machine?.hostName ?? volume?.poolName ?? attachment?.machineIdentity
    return { type, value, epoch, since, ...(of === undefined ? {} : { of }) }
  })
}

function withHost(place: Omit<PlaceExplanation, 'hostName'>, { status }: Resource): PlaceExplanation {
  const hostName = (status as { readonly hostName?: string } | undefined)?.hostName
  return { ...place, ...(hostName === undefined ? {} : { hostName }) }
}

/** What runs; an operation with companions is told under each of them. */
function runningOf(operations: readonly OperationState[]): readonly OperationState[] {
  const running = operations.filter(({ state }) => state === 'Running')
  return [...new Map(running.map(each => [`${each.verb}/${each.endpoint}`, each])).values()]
}

/** `Host host-1` for people. */
function placeName(endpoint: EndpointKey, { observer }: Pick<ExplainSources['engine'], 'observer'>): string {
  const name = observer.nameOf(endpoint)
  return name === undefined ? endpoint : `${endpointType(endpoint)} ${name}`
}
