/** Plans edits of a cloud, does them on the same cloud, and compares. */

import { claimChanges, consequencesOf, unmetOf } from '../../../cli/plan/consequences.ts'
import type { Edit } from '../../../cli/plan/edits.ts'
import { judgeManifests } from '../../../cli/plan/edits.ts'
import { kindNamed } from '../../../cli/plan/manifests.ts'
import { keyOf, nameOf, type ObjectName } from '../../../cli/plan/object-name.ts'
import { type Plan, planFrom } from '../../../cli/plan/plan.ts'
import { readPresent } from '../../../cli/plan/present.ts'
import { projectPath } from '../../../cli/repository.ts'
import { readDefinitions } from '../../../controllers/install.ts'
import { observedWorld } from '../../../controllers/query/observed.ts'
import { kinds } from '../../../crds/kinds.ts'
import type { Resource } from '../../../crds/meta.ts'
import type { Cloud } from '../../stories/cloud.ts'
import type { RandomEdit } from './random-edits.ts'

/** The CRDs that forks serve. */
export const definitions = readDefinitions(projectPath('manifests/crds'))

/** What was done, or would be, in a form without ids and times: what both must agree on. */
export interface Account {
  /** Verbs and places by object, in order. */
  readonly operations: Readonly<Record<string, readonly string[]>>
  readonly consequences: readonly string[]
  readonly claims: readonly string[]
  readonly unmet: readonly string[]
}

/** How long nothing is done until a cloud counts as settled, in virtual ms: as long as a plan takes it for. */
const quiet = 660_000

/** Plans edits for the cloud as it stands. Answers with those as well that the API accepts: some are for what is still being deleted. */
export async function planEdits(
  cloud: Cloud,
  edits: readonly RandomEdit[],
): Promise<{ readonly plan: Plan; readonly accepted: readonly RandomEdit[] }> {
  const { client, engine, environment } = cloud
  const complete = async <T>(promise: Promise<T>) => (await environment.until(promise)) as T
  const observe = async () => observedWorld({ engine, environment, installation: 'installation-1' })
  const present = await complete(readPresent(client, observe))
  const judged: Edit[] = []
  const accepted: RandomEdit[] = []
  for (const edit of edits) {
    const { verb, manifest } = edit
    const { edits: changes, refused } = await complete(
      judgeManifests(client, [manifest], { delete: verb === 'Delete' }),
    )
    if (refused.length > 0) continue
    accepted.push(edit)
    judged.push(...changes)
  }
  const plan = await planFrom(present, { edits: judged, refused: [], unchanged: 0 }, definitions)
  return { plan, accepted }
}

/** What a plan says, as an account. */
export function accountOf(plan: Plan): Account {
  const done = plan.operations.filter(({ failure }) => failure === undefined)
  return {
    operations: byObject(
      done.map(({ object, identity, verb, endpoint }) => ({ object, identity, what: `${verb} ${endpoint.name}` })),
    ),
    consequences: plan.consequences.map(({ change, object }) => `${change} ${keyOf(object)}`).sort(),
    claims: plan.claims.map(claimWords).sort(),
    unmet: plan.unmet.map(({ object, state, reason }) => `${keyOf(object)} ${state} ${reason}`).sort(),
  }
}

/** Does the edits, lets the cloud settle, and gives an account of what was done. */
export async function doEdits(cloud: Cloud, edits: readonly RandomEdit[], plan: Plan): Promise<Account> {
  const { journal } = cloud.simulator.world
  const before = objectsOf(cloud)
  const names = namesOf(cloud)
  const begin = journal.sequence
  const anyway = new Set(plan.underWay.map(({ id }) => id))
  for (const edit of edits) await doEdit(cloud, edit)
  await settle(cloud)
  const after = objectsOf(cloud)
  for (const [identity, name] of namesOf(cloud)) names.set(identity, name)
  const done = journal.since(begin).filter(({ source, outcome, operationId }) => {
    return source === 'Operation' && outcome === 'Done' && !anyway.has(operationId ?? '')
  })
  const places = new Map(
    cloud.engine.observed
      .endpoints()
      .map(key => [key as string, cloud.engine.observed.told(key)?.endpoint.name ?? key]),
  )
  return {
    operations: byObject(
      done.map(({ identity, action, place }) => ({
        object: names.get(identity),
        identity,
        what: `${action} ${places.get(place) ?? place}`,
      })),
    ),
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

/** Lets time pass until nothing is done any more. */
export async function settle(cloud: Cloud): Promise<void> {
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
    await environment.until(client.apply(kind, manifest, { fieldManager: 'kubectl', force: true }))
    return
  }
  const { name, namespace } = manifest.metadata
  const present = (await environment.until(client.get(kind, name, namespace))) as Resource | undefined
  if (present !== undefined) await environment.until(client.remove(kind, present.metadata))
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

function byObject(
  entries: readonly { readonly object: ObjectName | undefined; readonly identity: string; readonly what: string }[],
): Account['operations'] {
  const groups = Map.groupBy(entries, ({ object, identity }) => (object ? keyOf(object) : identity))
  const sorted = [...groups].sort(([left], [right]) => (left < right ? -1 : 1))
  return Object.fromEntries(sorted.map(([key, group]) => [key, group.map(({ what }) => what)]))
}
