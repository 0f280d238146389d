import type { AnyKind } from '../../crds/define-kind.ts'
import type { CommonStatus, Resource } from '../../crds/meta.ts'
import { driverErrorCodes } from '../../drivers/contract/errors.ts'
import type { Phase } from '../../reconcilers/define-reconciler.ts'
import type { Effect } from '../../reconcilers/effect.ts'
import { acting, blocked, type Verdict, waiting } from '../../reconcilers/verdict.ts'
import type { World } from '../../reconcilers/world.ts'
import type { EffectTargets, Refusal } from './effects.ts'
import { type Judgement, nextStatus } from './status.ts'

/** What one pass has come to. */
export interface Passed {
  readonly judgements: readonly Judgement[]
  readonly effects: readonly { readonly condition: string; readonly effect: Effect }[]
  readonly status: CommonStatus
  readonly complete: boolean
}

/** What one phase says at this moment, and what it read for that. */
export interface PhaseReading {
  readonly phase: Phase<AnyKind>
  readonly verdict: Verdict
  /** Topics of the world; those of placement, which reads every host, are left out. */
  readonly topics: readonly string[]
}

/** An operation that failed says so in the condition of the phase that wants it. */
export function withFailure<J extends Judgement>(judgement: J, { executor }: EffectTargets, world: World): J {
  const { verdict } = judgement
  if (verdict.is !== 'acting') return judgement
  for (const effect of verdict.effects) {
    if (effect.effect !== 'Operate') continue
    world.operations(effect.operation.identity)
    const failure = executor.failureOf(effect.operation)
    if (failure === undefined) continue
    const message = `${effect.operation.verb} was refused by ${effect.operation.endpoint}: ${failure.message}`
    // What drivers lack is told by the reason that reconcilers give where they know of it beforehand.
    const reason = failure.code === 'Unsupported' ? 'NotSupportedYet' : failure.code
    if (driverErrorCodes[failure.code] === 'blocked') {
      return {
        ...judgement,
        verdict: failure.isHeld ? blocked(reason, message) : { ...verdict, reason, message, stalled: true },
      }
    }
    return { ...judgement, verdict: { ...verdict, reason, message: `${message}. It is tried again.` } }
  }
  return judgement
}

/** A phase whose effects are held back says what holds them: nobody is told that something is done which is not. */
export function toldIfHeld<J extends Judgement & { readonly phase: Phase<AnyKind> }>(
  judgement: J,
  _index: number,
  all: readonly Judgement[],
): J {
  const { phase, verdict } = judgement
  if (verdict.is !== 'acting') return judgement
  const holder = all.find(other => phase.needs?.includes(other.phase.condition) && other.verdict.is !== 'satisfied')
  if (holder === undefined) return judgement
  const { reason, message } = holder.verdict
  return { ...judgement, verdict: acting(reason, message, ...verdict.effects) }
}

/** The effects of the phases whose needs are met, at most one operation per identity. */
export function effectsOf(judgements: readonly Judgement[], phases: readonly Phase<AnyKind>[]): Passed['effects'] {
  const met = new Set<string>()
  for (const { phase, verdict } of judgements) if (verdict.is === 'satisfied') met.add(phase.condition)
  const operated = new Set<string>()
  const wanted: { condition: string; effect: Effect }[] = []
  judgements.forEach(({ phase, verdict }, index) => {
    if (verdict.is !== 'acting') return
    const needs = phases[index]?.needs ?? []
    if (!needs.every(need => met.has(need))) return
    for (const effect of verdict.effects) {
      if (effect.effect === 'Operate') {
        if (operated.has(effect.operation.identity)) continue
        operated.add(effect.operation.identity)
      }
      wanted.push({ condition: phase.condition, effect })
    }
  })
  return wanted
}

/** What the API refused says so in the condition of the phase that wanted it. */
export function withRefusals(
  passed: Passed,
  refusals: readonly Refusal[],
  self: Resource,
  input: {
    readonly generation: number
    readonly now: string
    readonly conditionTypes: readonly string[]
    readonly deleting: boolean
  },
): CommonStatus {
  const lasting = refusals.filter(({ error }) => error.reason === 'Invalid' || error.reason === 'Forbidden')
  if (lasting.length === 0) return passed.status
  const judgements = passed.judgements.map(judgement => {
    const refusal = lasting.find(({ effect }) =>
      passed.effects.some(wanted => wanted.effect === effect && wanted.condition === judgement.phase.condition),
    )
    if (refusal === undefined) return judgement
    return { ...judgement, verdict: waiting(`API${refusal.error.reason}`, refusal.error.message) }
  })
  return nextStatus({ ...input, status: self.status, judgements, report: () => undefined })
}

/** How a pass ends whose writes were refused so. */
export function outcomeOf(refusals: readonly Refusal[]): 'success' | 'requeue_after' | 'error' {
  if (refusals.length === 0) return 'success'
  const quiet = refusals.every(({ error }) => error.reason === 'Conflict' || error.reason === 'NotFound')
  return quiet ? 'requeue_after' : 'error'
}
