/** Plans edits of a cloud, does them on the same cloud, and compares. */

import { claimChanges, consequencesOf, unmetOf } from '../../../cli/plan/consequences.ts'
import type { Edit } from '../../../cli/plan/edits.ts'
import { judgeManifests } from '../../../cli/plan/judge.ts'
import { kindNamed } from '../../../cli/plan/manifests.ts'
import { keyOf, nameOf, type ObjectName } from '../../../cli/plan/object-name.ts'
import { editedQuiet, type Plan, planFrom, underWayQuiet } from '../../../cli/plan/plan.ts'
import type { PlannedOperation } from '../../../cli/plan/planned-operation.ts'
import { type Present, readPresent } from '../../../cli/plan/present.ts'
import { projectPath } from '../../../cli/repository.ts'
import type { Writable } from '../../../controllers/api/client.ts'
import type { Transport } from '../../../controllers/api/transport.ts'
import { readDefinitions } from '../../../controllers/install.ts'
import { observedWorld } from '../../../controllers/query/observed.ts'
import { kinds } from '../../../crds/kinds.ts'
import type { Resource } from '../../../crds/meta.ts'
import type { JournalEntry } from '../../../drivers/simulator/journal.ts'
import { Cloud } from '../../stories/cloud.ts'
import { filesLabel, type RandomEdit } from './random-edits.ts'

/** The CRDs that forks serve. */
export const definitions = readDefinitions(projectPath('manifests/crds'))

/** What was done, or would be, in a form without ids and times: what both must agree on. */
export interface Account {
  /** Everything from the moment of the plan on, whether the edits cause it or not, in no order. */
  readonly underWay: readonly string[]
  /** Verbs and places by object, in order. */
  readonly operations: Readonly<Record<string, readonly string[]>>
  readonly consequences: readonly string[]
  readonly claims: readonly string[]
  readonly unmet: readonly string[]
}

/** As whom the edits are done. */
const serverSide = { fieldManager: 'kubectl', force: true }

/** What a plan says, as an account. */
export function accountOf(plan: Plan): Account {
  const isDone = ({ failure }: PlannedOperation) => failure === undefined
  const told = ({ object, identity, verb, endpoint }: PlannedOperation) => ({
    object,
    identity,
    what: `${verb} ${endpoint.name}`,
  })
  const caused = plan.operations.filter(isDone).map(told)
  return {
    underWay: inNoOrder([...plan.underWay.filter(isDone).map(told), ...caused]),
    operations: byObject(caused),
    consequences: consequenceWords(plan.consequences),
    claims: claimWords(plan.claims),
    unmet: plan.unmet.map(({ object, state, reason }) => `${keyOf(object)} ${state} ${reason}`).sort(),
  }
}

/** What a plan is made of: it, and the edits that the API accepts. Some are for what is still being deleted. */
export interface Planned {
  readonly plan: Plan
  readonly accepted: readonly RandomEdit[]
}

/** A cloud on which edits are planned and then done. */
export class Trial implements AsyncDisposable {
  readonly cloud: Cloud
  readonly #activity: Activity
  /** Names of everything that there ever was, by identity. */
  readonly #names = new Map<string, ObjectName>()

  private constructor(cloud: Cloud, activity: Activity) {
    this.cloud = cloud
    this.#activity = activity
  }

  /** A cloud with the manifests, settled. */
  static async start(seed: number, ...manifests: readonly (string | Writable)[]): Promise<Trial> {
    const activity: Activity = { writes: 0 }
    const cloud = await Cloud.start({ seed, between: transport => noting(transport, activity) })
    await cloud.apply(...manifests)
    const trial = new Trial(cloud, activity)
    await trial.settle(editedQuiet)
    return trial
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cloud[Symbol.asyncDispose]()
  }

  /** Plans edits for the cloud as it stands. */
  async plan(edits: readonly RandomEdit[]): Promise<Planned> {
    const { client } = this.cloud
    const present = await this.#present()
    const judged: Edit[] = []
    const accepted: RandomEdit[] = []
    for (const edit of edits) {
      const options = { delete: edit.verb === 'Delete', serverSide }
      const { edits: changes, refused } = await this.#complete(judgeManifests(client, [edit.manifest], options))
      if (refused.length > 0) continue
      accepted.push(edit)
      judged.push(...changes)
    }
    return { plan: await planFrom(present, { edits: judged, refused: [], unchanged: 0 }, definitions), accepted }
  }

  /** Plans files that hold everything of a person's, so that what is there and not among them goes; and edits beside them. */
  async planFiles(edits: readonly RandomEdit[], files: readonly Writable[]): Promise<Planned> {
    const beside = edits.map(({ manifest }) => manifest).filter(manifest => !isFiled(manifest))
    const manifests = [...beside, ...files]
    const present = await this.#present()
    const options = { serverSide, prune: { selector: `${filesLabel.name}=${filesLabel.value}` } }
    const judged = await this.#complete(judgeManifests(this.cloud.client, manifests, options))
    const named = new Set(manifests.map(manifest => keyOf(nameOf(manifest))))
    const refused = new Set(judged.refused.map(({ object }) => keyOf(object)))
    const applied = manifests.filter(manifest => !refused.has(keyOf(nameOf(manifest))))
    const gone = [...objectsOf(this.cloud).values()].filter(each => isFiled(each) && !named.has(keyOf(nameOf(each))))
    return {
      plan: await planFrom(present, judged, definitions),
      accepted: [
        ...applied.map(manifest => ({ verb: 'Apply' as const, manifest })),
        ...(refused.size > 0 ? [] : gone.map(manifest => ({ verb: 'Delete' as const, manifest }))),
      ],
    }
  }

  /** Lets what is under way end, does the edits, lets the cloud settle, and gives an account of what was done. */
  async do({ plan, accepted }: Planned): Promise<Account> {
    const { journal } = this.cloud.simulator.world
    const begin = journal.sequence
    const { observed, observer } = this.cloud.engine
    // A plan's fork lists every endpoint when it begins. Here that might be minutes away, and what it proves with it.
    for (const key of observed.endpoints()) observer.listSoon(key)
    this.#noteNames()
    await this.settle(underWayQuiet)
    const before = objectsOf(this.cloud)
    const start = journal.sequence
    for (const edit of accepted) await this.#edit(edit)
    await this.settle(editedQuiet)
    const after = objectsOf(this.cloud)
    const done = journal.since(begin).filter(({ source, outcome }) => source === 'Operation' && outcome === 'Done')
    const told = ({ identity, action, place }: JournalEntry) => ({
      object: this.#names.get(identity),
      identity,
      what: `${action} ${this.#placeName(place)}`,
    })
    return {
      underWay: inNoOrder(done.map(told)),
      operations: byObject(withoutAnyway(done, start, plan).map(told)),
      consequences: withoutThose(
        consequenceWords(consequencesOf(before, after, plan.changes)),
        consequenceWords(plan.anyway.consequences),
      ),
      claims: withoutThose(claimWords(claimChanges(before, after, () => undefined)), claimWords(plan.anyway.claims)),
      unmet: unmetOf(before, after)
        .map(({ object, state, reason }) => `${keyOf(object)} ${state} ${reason}`)
        .sort(),
    }
  }

  /** Lets time pass until nothing has been done or written for that long, in virtual ms; at most half an hour. */
  async settle(quiet: number): Promise<void> {
    const { journal } = this.cloud.simulator.world
    const happened = () => journal.sequence + this.#activity.writes
    for (let [idle, last, waited] = [0, happened(), 0]; idle < quiet && waited < 1_800_000; waited += 10_000) {
      await this.cloud.advance(10_000)
      this.#noteNames()
      idle = happened() === last ? idle + 10_000 : 0
      last = happened()
    }
  }

  async #edit({ verb, manifest }: RandomEdit): Promise<void> {
    const kind = kindNamed(manifest)
    if (kind === undefined) throw new Error(`Cannot edit ${manifest.kind}: there is no such kind`)
    const { client } = this.cloud
    if (verb === 'Apply') {
      await this.#complete(client.apply(kind, manifest, serverSide))
      return
    }
    const { name, namespace } = manifest.metadata
    const present = (await this.#complete(client.get(kind, name, namespace))) as Resource | undefined
    if (present !== undefined) await this.#complete(client.remove(kind, present.metadata))
  }

  #present(): Promise<Present> {
    const { client, engine, environment } = this.cloud
    const observe = async () => observedWorld({ engines: () => [engine], environment, installation: 'installation-1' })
    return this.#complete(readPresent(client, observe))
  }

  async #complete<T>(promise: Promise<T>): Promise<T> {
    return (await this.cloud.environment.until(promise)) as T
  }

  #noteNames(): void {
    for (const object of objectsOf(this.cloud).values()) {
      this.#names.set(this.cloud.engine.identity(object), nameOf(object))
    }
  }

  #placeName(key: string): string {
    const { observed } = this.cloud.engine
    const known = observed.endpoints().find(each => each === key)
    return (known && observed.told(known)?.endpoint.name) ?? key
  }
}

/** How often the controllers have written; events and leases are nobody's work. */
interface Activity {
  writes: number
}

function noting(transport: Transport, activity: Activity): Transport {
  return {
    request: request => {
      if (request.method !== 'GET' && !/\/(events|leases)\b/.test(request.path)) activity.writes++
      return transport.request(request)
    },
    watch: (path, options) => transport.watch(path, options),
    close: () => transport.close(),
  }
}

function isFiled({ metadata }: Pick<Writable, 'metadata'>): boolean {
  const { labels } = metadata as Partial<Resource['metadata']>
  return labels?.[filesLabel.name] === filesLabel.value
}

/** What is done after the edits and not without them: of operations of one id the first are those that are done anyway. */
function withoutAnyway(done: readonly JournalEntry[], start: number, plan: Plan): readonly JournalEntry[] {
  const left = Map.groupBy(
    plan.underWay.filter(({ failure }) => failure === undefined),
    ({ id }) => id,
  )
  return done.filter(({ sequence, operationId = '' }) => {
    const isAnyway = left.get(operationId)?.pop() !== undefined
    return sequence > start && !isAnyway
  })
}

function objectsOf({ engine }: Cloud): ReadonlyMap<string, Resource> {
  const all = kinds.flatMap(kind => [...engine.desired.all(kind)])
  return new Map(all.map(object => [keyOf(nameOf(object)), object]))
}

/** Without values that follow from ids. */
function claimWords(claims: Plan['claims']): readonly string[] {
  return claims.map(({ change, type, holder, place }) => `${change} ${type} ${place ?? ''} for ${keyOf(holder)}`).sort()
}

function consequenceWords(consequences: Plan['consequences']): readonly string[] {
  return consequences.map(({ change, object }) => `${change} ${keyOf(object)}`).sort()
}

/** What the edits cause: not what the passing of time does as well. */
function withoutThose(done: readonly string[], anyway: readonly string[]): readonly string[] {
  const left = Map.groupBy(anyway, words => words)
  return done.filter(words => left.get(words)?.pop() === undefined)
}

interface Told {
  readonly object: ObjectName | undefined
  readonly identity: string
  readonly what: string
}

function inNoOrder(entries: readonly Told[]): readonly string[] {
  return entries.map(({ object, identity, what }) => `${object ? keyOf(object) : identity}: ${what}`).sort()
}

function byObject(entries: readonly Told[]): Account['operations'] {
  const groups = Map.groupBy(entries, ({ object, identity }) => (object ? keyOf(object) : identity))
  const sorted = [...groups].sort(([left], [right]) => (left < right ? -1 : 1))
  return Object.fromEntries(sorted.map(([key, group]) => [key, group.map(({ what }) => what)]))
}
