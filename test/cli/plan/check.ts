/** Checks that what is planned is what is done: random edits of a cloud that drifts, planned and then done there. */
import equal from 'fast-deep-equal'
import { Chance } from '../../simulation/chance.ts'
import { type Cloud, quickstart, withoutTrash } from '../../stories/cloud.ts'
import { type Account, accountOf, Trial } from './planned-and-done.ts'
import { RandomDrift } from './random-drift.ts'
import { furniture, type RandomEdit, RandomEdits } from './random-edits.ts'

/** A plan that was not what was done. */
export interface Difference {
  readonly seed: number
  /** The number of the plan on the seed's cloud. */
  readonly step: number
  /** What happened outside before the plan was made. */
  readonly drift: readonly string[]
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
  /** Changes made outside before plans. */
  readonly drifts: number
  /** Plans that pruned. */
  readonly prunings: number
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
  await using trial = await Trial.start(seed, withoutTrash, quickstart, ...furniture)
  const { cloud } = trial
  const chance = new Chance(seed)
  const outside = new RandomDrift(chance, cloud.simulator.world)
  const source = new RandomEdits(chance, host => outside.isSilent(host))
  const differences: Difference[] = []
  const planMs: number[] = []
  let [count, plans, operations, quietPlans, drifts, prunings] = [0, 0, 0, 0, 0, 0]
  const existing = new Set<string>()
  let next = source.next()
  while (count < edits) {
    const most = Math.min(edits - count, chance.between(1, together))
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
    const drift = chance.happens(0.5) ? Array.from({ length: chance.between(1, 3) }, () => outside.next()) : []
    if (drift.length > 0) {
      await cloud.advance(chance.pick(pauses))
      await untilNoticed(cloud)
    }
    const prunes = !batch.some(({ movesMachines }) => movesMachines) && chance.happens(0.2)
    const begun = performance.now()
    const made = prunes ? await trial.planFiles(batch, source.files()) : await trial.plan(batch)
    planMs.push(performance.now() - begun)
    const { plan, accepted } = made
    const planned = accountOf(plan)
    const done = await trial.do(made)
    if (!equal(planned, done)) differences.push({ seed, step: plans, drift, edits: accepted, planned, done })
    count += batch.length
    plans++
    operations += plan.operations.length
    drifts += drift.length
    if (prunes) prunings++
    if (plan.operations.length === 0) quietPlans++
  }
  return { edits: count, plans, operations, quietPlans, drifts, prunings, differences, planMs }
}

/** How long after a change outside a plan is made, in virtual ms: what follows from it is under way. */
const pauses = [1_000, 5_000, 45_000, 200_000] as const

/**
 * Lets time pass until the controllers know who answers and who does not, and no guest is on its way down, which nobody
 * can see: a plan holds for what was observed.
 */
async function untilNoticed(cloud: Cloud): Promise<void> {
  const isNoticed = () => {
    const { hosts, pools, stores, machines } = cloud.simulator.world.list()
    if (machines.some(({ shuttingDown }) => shuttingDown)) return false
    const answering = new Set<string>()
    for (const { name, state, powerController } of hosts) {
      if (state === 'Booting') return false
      if (state === 'Answering') answering.add(`Host ${name}`)
      if (powerController === 'Answering') answering.add(`PowerController ${name}`)
    }
    for (const { url, state } of [...pools, ...stores]) if (state === 'Answering') answering.add(url)
    return cloud.engine.observed.endpoints().every(key => {
      const told = cloud.engine.observed.told(key)
      if (told === undefined) return true
      const { configuration, name } = told.endpoint
      const place = 'url' in configuration ? configuration.url : `${configuration.type} ${name}`
      return (told.state.answers === 'Yes') === answering.has(place)
    })
  }
  await cloud.until(async () => isNoticed(), 1_800_000)
}

/**
 * One manifest for each object, as in the files of a person: the last one. False: it is for the next batch, as what is
 * gone and comes again is, and what moves machines beside edits of machines.
 */
function gather(gathered: Map<string, RandomEdit>, next: RandomEdit, existing: ReadonlySet<string>): boolean {
  const { verb, manifest } = next
  const key = `${manifest.kind} ${manifest.metadata.name}`
  const known = gathered.get(key)
  if (known?.verb === 'Delete') return false
  const others = [...gathered.values()]
  if (next.movesMachines && others.some(isOfMachines)) return false
  if (isOfMachines(next) && others.some(({ movesMachines }) => movesMachines)) return false
  gathered.delete(key)
  const wasNeverThere = verb === 'Delete' && known !== undefined && !existing.has(key)
  if (!wasNeverThere) gathered.set(key, next)
  return true
}

/** Whether an edit lets machines come, go or change. */
function isOfMachines({ manifest: { kind }, movesMachines }: RandomEdit): boolean {
  return movesMachines === true || kind === 'VirtualMachine'
}

/** A difference for a person: what was asked for, and the parts of both accounts that differ. */
export function differenceText({ seed, step, drift, edits, planned, done }: Difference): string {
  const asked = edits.map(({ verb, manifest }) => {
    return `${verb} ${manifest.kind} ${manifest.metadata.name} ${verb === 'Apply' ? JSON.stringify(manifest.spec) : ''}`
  })
  const parts = (['underWay', 'operations', 'consequences', 'claims', 'unmet'] as const).flatMap(part =>
    equal(planned[part], done[part])
      ? []
      : [`${part} planned: ${JSON.stringify(planned[part])}`, `${part} done:    ${JSON.stringify(done[part])}`],
  )
  return [`seed ${seed}, plan ${step}`, `outside: ${drift.join(', ')}`, ...asked, ...parts].join('\n  ')
}
