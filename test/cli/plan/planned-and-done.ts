/** Plans edits of a cloud, does them on the same cloud, and compares. */

import { claimChanges, consequencesOf, unmetOf } from '../../../cli/plan/consequences.ts'
import type { Edit } from '../../../cli/plan/edits.ts'
import { judgeManifests } from '../../../cli/plan/judge.ts'
import { kindNamed } from '../../../cli/plan/manifests.ts'
import { keyOf, nameOf, type ObjectName } from '../../../cli/plan/object-name.ts'
import { editedQuiet, type Plan, planFrom, underWayQuiet } from '../../../cli/plan/plan.ts'
import type { PlannedOperation } from '../../../cli/plan/planned-operation.ts'
import { readPresent } from '../../../cli/plan/present.ts'
import { projectPath } from '../../../cli/repository.ts'
import type { Writable } from '../../../controllers/api/client.ts'
import { readDefinitions } from '../../../controllers/install.ts'
import { type ObservedWorld, observedWorld } from '../../../controllers/query/observed.ts'
import { kinds } from '../../../crds/kinds.ts'
import type { Resource } from '../../../crds/meta.ts'
import type { JournalEntry } from '../../../drivers/simulator/journal.ts'
import type { Cloud } from '../../stories/cloud.ts'
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

/** Whose fields the edits are. */
const fieldManager = 'kubectl'
const selector = `${filesLabel.name}=${filesLabel.value}`

/** Plans edits for the cloud as it stands. Answers with those as well that the API accepts: some are for what is still being deleted. */
export async function planEdits(
  cloud: Cloud,
  edits: readonly RandomEdit[],
): Promise<{ readonly plan: Plan; readonly accepted: readonly RandomEdit[] }> {
  const { client, environment } = cloud
  const complete = async <T>(promise: Promise<T>) => (await environment.until(promise)) as T
  const present = await complete(readPresent(client, async () => observed(cloud)))
  const judged: Edit[] = []
  const accepted: RandomEdit[] = []
  for (const edit of edits) {
    const { verb, manifest } = edit
    const { edits: changes, refused } = await complete(
      judgeManifests(client, [manifest], { delete: verb === 'Delete', serverSide: { fieldManager, force: true } }),
    )
    if (refused.length > 0) continue
    accepted.push(edit)
    judged.push(...changes)
  }
  const plan = await planFrom(present, { edits: judged, refused: [], unchanged: 0 }, definitions)
  return { plan, accepted }
}

/** Plans files that hold everything of the person's: what is there and not among them goes. Beside it, what is edited elsewhere. */
export async function planFiles(
  cloud: Cloud,
  edits: readonly RandomEdit[],
  files: readonly Writable[],
): Promise<{ readonly plan: Plan; readonly accepted: readonly RandomEdit[] }> {
  const { client, environment } = cloud
  const complete = async <T>(promise: Promise<T>) => (await environment.until(promise)) as T
  const isFiled = ({ metadata }: Pick<Resource, 'metadata'>) => metadata.labels?.[filesLabel.name] === filesLabel.value
  const others = edits.filter(({ manifest }) => !isFiled(manifest as Resource)).map(({ manifest }) => manifest)
  const manifests = [...others, ...files]
  const present = await complete(readPresent(client, async () => observed(cloud)))
  const judged = await complete(
    judgeManifests(client, manifests, { serverSide: { fieldManager, force: true }, prune: { selector } }),
  )
  const plan = await planFrom(present, judged, definitions)
  const named = new Set(manifests.map(manifest => keyOf(nameOf(manifest))))
  const refused = new Set(judged.refused.map(({ object }) => keyOf(object)))
  const applied = manifests.filter(manifest => !refused.has(keyOf(nameOf(manifest))))
  const gone = [...objectsOf(cloud).values()].filter(object => isFiled(object) && !named.has(keyOf(nameOf(object))))
  return {
    plan,
    accepted: [
      ...applied.map(manifest => ({ verb: 'Apply' as const, manifest })),
      ...(refused.size > 0 ? [] : gone.map(manifest => ({ verb: 'Delete' as const, manifest }))),
    ],
  }
}

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
    consequences: plan.consequences.map(({ change, object }) => `${change} ${keyOf(object)}`).sort(),
    claims: plan.claims.map(claimWords).sort(),
    unmet: plan.unmet.map(({ object, state, reason }) => `${keyOf(object)} ${state} ${reason}`).sort(),
  }
}

/** Lets what is under way end, does the edits, lets the cloud settle, and gives an account of what was done. */
export async function doEdits(cloud: Cloud, edits: readonly RandomEdit[], plan: Plan): Promise<Account> {
  const { journal } = cloud.simulator.world
  const begin = journal.sequence
  const names = namesOf(cloud)
  await settle(cloud, underWayQuiet)
  const before = objectsOf(cloud)
  const start = journal.sequence
  for (const [identity, name] of namesOf(cloud)) names.set(identity, name)
  for (const edit of edits) await doEdit(cloud, edit)
  await settle(cloud)
  const after = objectsOf(cloud)
  for (const [identity, name] of namesOf(cloud)) names.set(identity, name)
  const places = new Map(
    cloud.engine.observed
      .endpoints()
      .map(key => [key as string, cloud.engine.observed.told(key)?.endpoint.name ?? key]),
  )
  const done = journal.since(begin).filter(({ source, outcome }) => source === 'Operation' && outcome === 'Done')
  const told = ({ identity, action, place }: JournalEntry) => ({
    object: names.get(identity),
    identity,
    what: `${action} ${places.get(place) ?? place}`,
  })
  return {
    underWay: inNoOrder(done.map(told)),
    operations: byObject(withoutAnyway(done, start, plan).map(told)),
    consequences: consequencesOf(before, after, plan.changes)
      .map(({ change, object }) => `${change} ${keyOf(object)}`)
      .sort(),
    claims: claimChanges(before, after, () => undefined)
      .map(claimWords)
      .sort(),
    unmet: unmetOf(before, after)
      .map(({ object, state, reason }) => `${keyOf(object)} ${state} ${reason}`)
      .sort(),
  }
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

/** Lets time pass until nothing has been done for that long, in virtual ms. Default: as long as a plan waits. */
export async function settle(cloud: Cloud, quiet = editedQuiet): Promise<void> {
  const { journal } = cloud.simulator.world
  for (let [idle, last, waited] = [0, journal.sequence, 0]; idle < quiet && waited < 1_800_000; waited += 10_000) {
    await cloud.advance(10_000)
    idle = journal.sequence === last ? idle + 10_000 : 0
    last = journal.sequence
  }
}

async function doEdit(cloud: Cloud, { verb, manifest }: RandomEdit): Promise<void> {
  const kind = kindNamed(manifest)
  if (kind === undefined) throw new Error(`Cannot edit ${manifest.kind}: there is no such kind`)
  const { client, environment } = cloud
  if (verb === 'Apply') {
    await environment.until(client.apply(kind, manifest, { fieldManager, force: true }))
    return
  }
  const { name, namespace } = manifest.metadata
  const present = (await environment.until(client.get(kind, name, namespace))) as Resource | undefined
  if (present !== undefined) await environment.until(client.remove(kind, present.metadata))
}

function observed({ engine, environment }: Cloud): ObservedWorld {
  return observedWorld({ engine, environment, installation: 'installation-1' })
}

function objectsOf({ engine }: Cloud): ReadonlyMap<string, Resource> {
  const all = kinds.flatMap(kind => [...engine.desired.all(kind)])
  return new Map(all.map(object => [keyOf(nameOf(object)), object]))
}

function namesOf(cloud: Cloud): Map<string, ObjectName> {
  const all = objectsOf(cloud).values()
  return new Map(Array.from(all, object => [cloud.engine.identity(object), nameOf(object)]))
}

/** Values that follow from ids are left out. */
function claimWords({ change, type, holder, place }: Plan['claims'][number]): string {
  return `${change} ${type} ${place ?? ''} for ${keyOf(holder)}`
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
