/** Checks that what is planned is what is done: random edits, planned and then done on the same cloud. */
import equal from 'fast-deep-equal'
import { seededRandom } from '../../../drivers/simulator/seeded-random.ts'
import { Cloud, quickstart, withoutTrash } from '../../stories/cloud.ts'
import { type Account, accountOf, doEdits, planEdits, settle } from './planned-and-done.ts'
import { furniture, type RandomEdit, RandomEdits } from './random-edits.ts'

/** A plan that was not what was done. */
export interface Difference {
  readonly seed: number
  /** The number of the plan on the seed's cloud. */
  readonly step: number
  readonly edits: readonly RandomEdit[]
  readonly planned: Account
  readonly done: Account
}

/** What a check found. */
export interface Checked {
  readonly edits: number
  readonly plans: number
  readonly operations: number
  /** Plans that caused no operation at all. */
  readonly quietPlans: number
  readonly differences: readonly Difference[]
  /** How long each plan took to make, in ms. */
  readonly planMs: readonly number[]
}

/** Options of a check. */
export interface CheckOptions {
  /** How many edits on one cloud. */
  readonly edits: number
  readonly seed: number
  /** How many edits at most are planned together. */
  readonly together: number
}

/** Makes a cloud and edits it. Everything follows from the seed. */
export async function checkPlans({ edits, seed, together }: CheckOptions): Promise<Checked> {
  await using cloud = await Cloud.start({ seed })
  await cloud.apply(withoutTrash, quickstart, ...furniture)
  await settle(cloud)
  const random = seededRandom(seed)
  const source = new RandomEdits(random)
  const differences: Difference[] = []
  const planMs: number[] = []
  let [made, plans, operations, quietPlans] = [0, 0, 0, 0]
  const existing = new Set<string>()
  let next = source.next()
  while (made < edits) {
    const most = Math.min(edits - made, 1 + Math.floor(random.next() * together))
    const gathered = new Map<string, RandomEdit>()
    for (let tries = 3 * most; tries > 0 && gathered.size < most && gather(gathered, next, existing); tries--) {
      next = source.next()
    }
    const batch = [...gathered.values()]
    if (batch.length === 0) continue
    for (const [key, { verb }] of gathered) {
      if (verb === 'Apply') existing.add(key)
      else existing.delete(key)
    }
    const begun = performance.now()
    const { plan, accepted } = await planEdits(cloud, batch)
    planMs.push(performance.now() - begun)
    const planned = accountOf(plan)
    const done = await doEdits(cloud, accepted, plan)
    if (!equal(planned, done)) differences.push({ seed, step: plans, edits: accepted, planned, done })
    made += accepted.length
    plans++
    operations += plan.operations.length
    if (plan.operations.length === 0) quietPlans++
  }
  return { edits: made, plans, operations, quietPlans, differences, planMs }
}

/** One manifest for each object, as in the files of a person: the last one. False: what is gone comes again, in the next batch. */
function gather(gathered: Map<string, RandomEdit>, next: RandomEdit, existing: ReadonlySet<string>): boolean {
  const { verb, manifest } = next
  const key = `${manifest.kind} ${manifest.metadata.name}`
  const known = gathered.get(key)
  if (known?.verb === 'Delete') return false
  gathered.delete(key)
  const wasNeverThere = verb === 'Delete' && known !== undefined && !existing.has(key)
  if (!wasNeverThere) gathered.set(key, next)
  return true
}

/** A difference for a person: what was asked for, and the parts of both accounts that differ. */
export function differenceText({ seed, step, edits, planned, done }: Difference): string {
  const asked = edits.map(({ verb, manifest }) => {
    return `${verb} ${manifest.kind} ${manifest.metadata.name} ${verb === 'Apply' ? JSON.stringify(manifest.spec) : ''}`
  })
  const parts = (['operations', 'consequences', 'claims', 'unmet'] as const).flatMap(part =>
    equal(planned[part], done[part])
      ? []
      : [`${part} planned: ${JSON.stringify(planned[part])}`, `${part} done:    ${JSON.stringify(done[part])}`],
  )
  return [`seed ${seed}, plan ${step}`, ...asked, ...parts].join('\n  ')
}
