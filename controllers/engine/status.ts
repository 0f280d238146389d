import deepEqual from 'fast-deep-equal'
import { Immer } from 'immer'
import type { AnyKind } from '../../crds/define-kind.ts'
import type { CommonStatus, Condition } from '../../crds/meta.ts'
import type { Phase } from '../../reconcilers/define-reconciler.ts'
import { isStalled, type Verdict } from '../../reconcilers/verdict.ts'

/** A phase and what it said in this pass. */
export interface Judgement {
  readonly phase: Pick<Phase<AnyKind>, 'condition' | 'informational'>
  readonly verdict: Verdict
}

/** What the status of an object is made from. */
export interface StatusInput {
  readonly status: CommonStatus | undefined
  readonly generation: number
  readonly conditionTypes: readonly string[]
  readonly judgements: readonly Judgement[]
  readonly deleting: boolean
  readonly now: string
  /** The kind's own recipe. */
  readonly report: (draft: never) => void
}

/** What is written into a cache is frozen there: freezing every draft of a status as well would be for nothing. */
const { produce } = new Immer({ autoFreeze: false })

/** The next status. The same reference back when nothing changes: then nothing is to be written. */
export function nextStatus(input: StatusInput): CommonStatus {
  const before = input.status ?? {}
  const reported = produce(before, draft => input.report(draft as never))
  // No recipe reads conditions: they are made anew, outside the draft.
  const conditions = nextConditions(before.conditions ?? [], input)
  const next = { ...reported, conditions, observedGeneration: input.generation }
  return deepEqual(before, next) ? before : next
}

/** The merge patch that turns one value into another: members that are gone become null. Undefined: nothing to do. */
export function mergePatch(before: unknown, after: unknown): unknown {
  if (!isObject(before) || !isObject(after)) return deepEqual(before, after) ? undefined : after
  const patch: Record<string, unknown> = {}
  for (const key of Object.keys(before)) if (after[key] === undefined) patch[key] = null
  for (const [key, value] of Object.entries(after)) {
    const member = value === undefined ? undefined : mergePatch(before[key], value)
    if (member !== undefined) patch[key] = member
  }
  return Object.keys(patch).length === 0 ? undefined : patch
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

interface Said {
  readonly type: string
  readonly status: Condition['status']
  readonly reason: string
  readonly message: string
}

function nextConditions(before: readonly Condition[], input: StatusInput): Condition[] {
  const said = new Map<string, Said>()
  for (const { phase, verdict } of input.judgements) {
    said.set(phase.condition, { type: phase.condition, status: statusOf(verdict), ...textOf(verdict) })
  }
  const summary = summaryOf(input)
  const order = ['Ready', 'Reconciling', 'Stalled', ...input.conditionTypes.filter(type => type !== 'Ready')]
  const conditions: Condition[] = []
  for (const type of order) {
    const known = before.find(condition => condition.type === type)
    const now = summary.get(type) ?? (input.conditionTypes.includes(type) ? said.get(type) : undefined)
    if (now !== undefined) conditions.push(merge(known, now, input))
    else if (type !== 'Reconciling' && type !== 'Stalled') conditions.push(known ?? merge(known, notYet(type), input))
  }
  return conditions
}

function notYet(type: string): Said {
  return { type, status: 'Unknown', reason: 'NotYetObserved', message: '' }
}

function merge(known: Condition | undefined, said: Said, input: StatusInput): Condition {
  const transition = known !== undefined && known.status === said.status ? known.lastTransitionTime : input.now
  return { ...said, observedGeneration: input.generation, lastTransitionTime: transition }
}

/** Ready, and kstatus' pair: Stalled when somebody must change something, Reconciling while we are at it. */
function summaryOf({ judgements, deleting }: StatusInput): Map<string, Said> {
  const counted = judgements.filter(({ phase }) => phase.informational !== true)
  const unmet = counted.find(({ verdict }) => verdict.is !== 'satisfied')
  const stalled = counted.find(({ verdict }) => isStalled(verdict))
  const summary = new Map<string, Said>()
  if (unmet === undefined && !deleting) {
    const headline = counted.find(({ verdict }) => verdict.is === 'satisfied' && verdict.summary === true)
    const text = headline === undefined ? { reason: 'Ready', message: '' } : textOf(headline.verdict)
    return summary.set('Ready', { type: 'Ready', status: 'True', ...text })
  }
  const first = unmet === undefined ? { reason: 'Deleting', message: '' } : textOf((stalled ?? unmet).verdict)
  const status = unmet?.verdict.is === 'unknown' && stalled === undefined && !deleting ? 'Unknown' : 'False'
  summary.set('Ready', { type: 'Ready', status, ...first })
  const [type, verdict] = stalled === undefined ? ['Reconciling', unmet?.verdict] : ['Stalled', stalled.verdict]
  const text = verdict === undefined ? first : textOf(verdict)
  return summary.set(type as string, { type: type as string, status: 'True', ...text })
}

function statusOf(verdict: Verdict): Condition['status'] {
  if (verdict.is === 'satisfied') return 'True'
  return verdict.is === 'unknown' ? 'Unknown' : 'False'
}

function textOf({ reason, message }: Verdict): { readonly reason: string; readonly message: string } {
  return { reason, message: message.length > 32_768 ? `${message.slice(0, 32_765)}...` : message }
}
