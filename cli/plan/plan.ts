import equal from 'fast-deep-equal'
import type { Client, Writable } from '../../controllers/api/client.ts'
import type { ObservedWorld } from '../../controllers/query/observed.ts'
import type { Verb } from '../../drivers/contract/operation.ts'
import {
  type ClaimChange,
  type Consequence,
  claimChanges,
  consequencesOf,
  type Unmet,
  unmetOf,
} from './consequences.ts'
import { type Disruption, disruptionsOf } from './disruptions.ts'
import { applyEdits, type Edit, type Refusal } from './edits.ts'
import { Fork } from './fork.ts'
import { type Judged, type JudgeOptions, judgeManifests } from './judge.ts'
import { nameOf, type ObjectName } from './object-name.ts'
import { type PlannedOperation, plannedOperations } from './planned-operation.ts'
import { type Present, readPresent } from './present.ts'
import type { RecordedOperation } from './recorder.ts'

/** What the control plane does to its own objects. */
export interface Aftermath {
  /** Objects that it makes or removes by itself. */
  readonly consequences: readonly Consequence[]
  readonly claims: readonly ClaimChange[]
}

/** What applying manifests would do. Plain data: `-o json` is this. */
export interface Plan extends Aftermath {
  readonly holdsFor: Basis
  readonly changes: readonly Omit<Edit, 'after'>[]
  readonly unchanged: number
  readonly refused: readonly Refusal[]
  /** Nothing is pruned, because something is refused; left out where it is not so. */
  readonly isPruningHeld?: true
  /** What the manifests cause, in the order in which it begins. */
  readonly operations: readonly PlannedOperation[]
  readonly disruptions: readonly Disruption[]
  /** What would not be Ready afterwards. */
  readonly unmet: readonly Unmet[]
  /** What is done anyway, without the manifests, until the plan ends. Times count from the present. */
  readonly underWay: readonly PlannedOperation[]
  /** What the control plane makes, removes, claims and frees without the manifests as well, after what is under way. */
  readonly anyway: Aftermath
  readonly expected: Expectation
  /** False: an hour of the cloud's time did not see the end of it. */
  readonly isWhole: boolean
}

/** For which present a plan holds. */
export interface Basis {
  readonly installation: string
  /** When the controllers told what they observe (RFC 3339). */
  readonly observedAt: string
  /** The oldest listing that it rests on (RFC 3339); left out where there is none. */
  readonly oldestListing?: string
  /** The newest resourceVersion of any object that it rests on. */
  readonly resourceVersion: string
  /** Names of endpoints that do not answer: what is there is not known. */
  readonly silent: readonly string[]
}

/** How long it takes until the last operation ends, and how that is known. */
export interface Expectation {
  readonly milliseconds: number
  /** Verbs whose length was measured in this installation. */
  readonly measured: readonly Verb[]
  /** Verbs whose length only the simulator's model tells. */
  readonly modelled: readonly Verb[]
}

/** How long nothing may happen until what is under way counts as done, in virtual ms. */
export const underWayQuiet = 30_000
/** Likewise for what edits cause: longer than an idle network keeps its router by default (10 minutes). */
export const editedQuiet = 660_000

/** What a plan is made with. */
export interface PlanParts {
  readonly client: Client
  /** Asks the controllers what they observe. */
  readonly observe: () => Promise<ObservedWorld>
  readonly definitions: readonly Writable[]
  readonly manifests: readonly Writable[]
}

/** Plans: asks the API and the controllers, and lets a fork of both do what the manifests wish. */
export async function makePlan(parts: PlanParts, options: JudgeOptions = {}): Promise<Plan> {
  const { client, observe, definitions, manifests } = parts
  const present = await readPresent(client, observe)
  const judged = await judgeManifests(client, manifests, options)
  return planFrom(present, judged, definitions)
}

/** The plan of edits that were judged already, for a present that was read already. */
export async function planFrom(present: Present, judged: Judged, definitions: readonly Writable[]): Promise<Plan> {
  const { edits, unchanged } = judged
  const measured = present.observed.durations
  const timing = Object.fromEntries(measured.map(({ verb, medianMs }) => [verb, medianMs]))
  const options = { definitions, timing }
  await using fork = await Fork.start(present, options)
  await using unedited = await Fork.start(present, options)
  const identities = new Map(identitiesOf(fork))
  const noteIdentities = () => {
    for (const [identity, name] of identitiesOf(fork)) identities.set(identity, name)
  }
  await fork.settle(underWayQuiet)
  noteIdentities()
  const begin = fork.now()
  const first = fork.operations.length
  await unedited.continueUntil(begin)
  const untouched = unedited.objects()
  const refusedLater = await applyEdits(fork, edits)
  const isWhole = await fork.settle(editedQuiet)
  await unedited.continueUntil(fork.now())
  noteIdentities()
  const objectOf = (identity: string) => identities.get(identity)
  const operated = apart(fork.operations.slice(first), unedited.operations.slice(first))
  const operations = plannedOperations(operated.caused, begin, objectOf)
  const [before, after] = [unedited.objects(), fork.objects()]
  const consequences = partedBy(consequencesOf(untouched, before, []), consequencesOf(untouched, after, edits))
  const claims = partedBy(claimChanges(untouched, before, objectOf), claimChanges(untouched, after, objectOf))
  return {
    holdsFor: basisOf(present),
    changes: edits
      .filter(({ object }) => !refusedLater.some(refusal => refusal.object === object))
      .map(({ after: _, ...change }) => change),
    unchanged,
    refused: [...judged.refused, ...refusedLater],
    ...(judged.isPruningHeld ? { isPruningHeld: true } : {}),
    operations,
    disruptions: disruptionsOf(operations),
    consequences: consequences.caused,
    claims: claims.caused,
    unmet: unmetOf(before, after),
    underWay: plannedOperations([...fork.operations.slice(0, first), ...operated.anyway], fork.start, objectOf),
    anyway: { consequences: consequences.anyway, claims: claims.anyway },
    expected: expectationOf(operations, new Set(measured.map(({ verb }) => verb))),
    isWhole,
  }
}

/** Tells what the edits cause from what happens without them as well: the same operations, as often. */
function apart(
  edited: readonly RecordedOperation[],
  unedited: readonly RecordedOperation[],
): { readonly caused: readonly RecordedOperation[]; readonly anyway: readonly RecordedOperation[] } {
  const left = new Map<string, number>()
  for (const { id } of unedited) left.set(id, (left.get(id) ?? 0) + 1)
  const isAnyway = edited.map(({ id }) => {
    const count = left.get(id) ?? 0
    left.set(id, count - 1)
    return count > 0
  })
  return {
    caused: edited.filter((_, index) => !isAnyway[index]),
    anyway: edited.filter((_, index) => isAnyway[index]),
  }
}

/** Likewise for changes of objects; what happens only without the edits is neither. */
function partedBy<T>(unedited: readonly T[], edited: readonly T[]): { caused: readonly T[]; anyway: readonly T[] } {
  const isAnyway = (change: T) => unedited.some(each => equal(each, change))
  return { caused: edited.filter(change => !isAnyway(change)), anyway: edited.filter(isAnyway) }
}

/** Whether applying would change anything: the exit code 2. */
export function hasChanges({ changes, operations, refused }: Plan): boolean {
  return changes.length > 0 || operations.length > 0 || refused.length > 0
}

function* identitiesOf(fork: Fork): Iterable<[string, ObjectName]> {
  for (const object of fork.objects().values()) yield [fork.engine.identity(object), nameOf(object)]
}

function basisOf({ objects, observed }: Present): Basis {
  const listings = observed.endpoints.flatMap(({ listedAt }) => listedAt ?? []).sort()
  const versions = objects.map(({ metadata }) => Number(metadata.resourceVersion))
  const silent = observed.endpoints.filter(({ state }) => state.answers !== 'Yes')
  return {
    installation: observed.installation,
    observedAt: observed.at,
    ...(listings[0] === undefined ? {} : { oldestListing: listings[0] }),
    resourceVersion: String(versions.reduce((left, right) => Math.max(left, right), 0)),
    silent: silent.map(({ endpoint }) => `${endpoint.configuration.type} ${endpoint.name}`),
  }
}

function expectationOf(operations: readonly PlannedOperation[], measured: ReadonlySet<Verb>): Expectation {
  const verbs = [...new Set(operations.map(({ verb }) => verb))].sort()
  const ends = operations.map(({ startsAfterMs, durationMs }) => startsAfterMs + durationMs)
  return {
    milliseconds: ends.reduce((left, right) => Math.max(left, right), 0),
    measured: verbs.filter(verb => measured.has(verb)),
    modelled: verbs.filter(verb => !measured.has(verb)),
  }
}
