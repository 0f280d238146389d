import type { Drift, DriftStatus } from '../../crds/common.ts'
import type { AnyKind } from '../../crds/define-kind.ts'
import { timestamp } from '../../crds/environment.ts'
import { finalizerOf } from '../../crds/finalizer.ts'
import { type CommonStatus, type Condition, conditionOf, isTrue, type Resource } from '../../crds/meta.ts'
import type { Mutable, Phase, PlaceView } from '../../reconcilers/define-reconciler.ts'
import type { Fields } from '../../reconcilers/fields.ts'
import { managementModeOf } from '../../reconcilers/management.ts'
import { isStalled, unknown, type Verdict } from '../../reconcilers/verdict.ts'
import type { World } from '../../reconcilers/world.ts'
import { ApiError } from '../api/client.ts'
import { identityNotGiven, inUse, protectedFromDeletion, referencesResolved } from './common-phases.ts'
import { eventsOf } from './condition-events.ts'
import type { CollectedReads, ControllerOptions, PassOutcome } from './controller-options.ts'
import type { ObjectKey } from './desired-cache.ts'
import { driftFrom, type FieldMemory } from './drift.ts'
import { carryOut, type Refusal } from './effects.ts'
import {
  effectsOf,
  outcomeOf,
  type Passed,
  type PhaseReading,
  toldIfHeld,
  withFailure,
  withRefusals,
} from './judgements.ts'
import { observed } from './observe-mode.ts'
import { type Judgement, mergePatch, nextStatus } from './status.ts'

/** How long a status that says "on the way" waits for the next one, in ms: quick work shows only its end. */
const settleTime = 1_000
/** How often a status may be written whose conditions stay as they are, in ms: roll-ups move in steps. */
const rollUpInterval = 10_000

/** Makes one kind's world equal its wishes, one object and one pass at a time. */
export class Controller {
  readonly kind: AnyKind
  readonly #options: ControllerOptions
  readonly #phases: readonly Phase<AnyKind>[]
  readonly #teardown: readonly Phase<AnyKind>[]
  readonly #finalizer: string | undefined
  /** When a status was last written, by key: roll-ups keep a distance. */
  readonly #written = new Map<ObjectKey, number>()
  /** Since when a status waits to be written, by key. */
  readonly #settling = new Map<ObjectKey, number>()
  /** What was found of an object's fields in its last pass, by key. */
  readonly #found = new Map<ObjectKey, FieldMemory>()

  constructor(options: ControllerOptions) {
    const { reconciler } = options
    this.kind = reconciler.kind
    this.#options = options
    const references = reconciler.references
    this.#phases = references === undefined ? reconciler.phases : [referencesResolved(references), ...reconciler.phases]
    this.#teardown = [
      ...(reconciler.usedBy === undefined ? [] : [inUse(reconciler.usedBy)]),
      ...(reconciler.teardown ?? []),
    ]
    this.#finalizer = this.#teardown.length === 0 ? undefined : finalizerOf(reconciler.kind)
  }

  /** One pass over one object. */
  async pass(key: ObjectKey): Promise<PassOutcome> {
    const self = this.#options.targets.desired.get(this.kind, key)
    if (self === undefined) return this.#gone(key)
    if (self.metadata.resourceVersion === '') return 'success'
    if (managementOf(self)?.mode === 'Pause') return 'success'
    if (self.metadata.deletionTimestamp !== undefined) return this.#tearDown(key, self)
    if (this.#finalizer !== undefined && !self.metadata.finalizers?.includes(this.#finalizer)) {
      return this.#addFinalizer(self, this.#finalizer)
    }
    const judged = this.#judge(key, self, this.#phases)
    if (judged === undefined) return 'success'
    const { passed, wakeAfter } = judged
    const refusals = await this.#carryOut(self, passed)
    if (wakeAfter !== undefined) this.#options.wakeAfter(key, wakeAfter)
    await this.#writeStatus(key, self, withRefusals(passed, refusals, self, this.#statusInput(self)))
    return outcomeOf(refusals)
  }

  /** What each phase says at this moment, judged by itself so that its reads are its own. Nothing is carried out. */
  read(key: ObjectKey, collected: <T>(judge: (world: World) => T) => CollectedReads<T>): readonly PhaseReading[] {
    const { targets } = this.#options
    const self = targets.desired.get(this.kind, key)
    if (self === undefined) return []
    const phases = self.metadata.deletionTimestamp === undefined ? this.#phases : this.#teardown
    const readings = phases.map(phase => {
      const { result, topics } = collected(world => {
        const judgement = { phase, verdict: this.#verdict(phase, self, world) }
        const isObserving = managementModeOf(self, world) === 'Observe'
        const [allowed = judgement] = isObserving ? this.#allowed([judgement], self, world) : []
        return withFailure(allowed, targets, world)
      })
      return { ...result, topics }
    })
    return readings.map(toldIfHeld)
  }

  /** What every host says to the object; undefined where that says nothing. */
  place(key: ObjectKey, world: World): PlaceView | undefined {
    const self = this.#options.targets.desired.get(this.kind, key)
    try {
      return self && this.#options.reconciler.place?.(self, world)
    } catch (error) {
      if (self !== undefined) this.#panic(error, self, 'place')
      return undefined
    }
  }

  /**
   * Somebody else looks after the object, or nobody knows yet who will: nothing is left of it here, but what is to be
   * seen of everywhere where this looks after what is in no zone.
   */
  leave(key: ObjectKey, self: Resource, seesAll: boolean): void {
    this.#drop(key)
    this.#options.standIn(key, undefined)
    const { reconciler, judge } = this.#options
    if (seesAll && reconciler.endpointsOfAll === true) judge(key, world => this.#declareEndpoints(key, self, world))
    else this.#options.declareEndpoints(`${this.kind.kind}/${key}`, [])
  }

  #gone(key: ObjectKey): PassOutcome {
    this.#drop(key)
    this.#options.declareEndpoints(`${this.kind.kind}/${key}`, [])
    this.#options.forget(key)
    return 'success'
  }

  #drop(key: ObjectKey): void {
    this.#written.delete(key)
    this.#settling.delete(key)
    this.#found.delete(key)
  }

  async #tearDown(key: ObjectKey, self: Resource): Promise<PassOutcome> {
    const finalizer = this.#finalizer
    if (finalizer === undefined || !self.metadata.finalizers?.includes(finalizer)) return 'success'
    const judged = this.#judge(key, self, this.#teardown)
    if (judged === undefined) return 'success'
    const { passed, wakeAfter } = judged
    const refusals = await this.#carryOut(self, passed)
    if (wakeAfter !== undefined) this.#options.wakeAfter(key, wakeAfter)
    if (passed.complete) return this.#removeFinalizer(key, self, finalizer)
    await this.#writeStatus(key, self, withRefusals(passed, refusals, self, this.#statusInput(self)))
    return outcomeOf(refusals)
  }

  /** Judges every phase on one frozen world: pure, synchronous. Undefined: by default its kind is not even looked at. */
  #judge(
    key: ObjectKey,
    self: Resource,
    phases: readonly Phase<AnyKind>[],
  ): { passed: Passed; wakeAfter?: number } | undefined {
    const { targets } = this.#options
    const { result, wakeAfter } = this.#options.judge(key, world => {
      const mode = managementModeOf(self, world)
      if (mode === 'Pause') return undefined
      this.#declareEndpoints(key, self, world)
      const isDeleted = self.metadata.deletionTimestamp !== undefined
      const held = isDeleted ? protectedFromDeletion(self) : identityNotGiven(self, world)
      const verdicts = phases.map(phase => ({ phase, verdict: held ?? this.#verdict(phase, self, world) }))
      const allowed = mode === 'Observe' ? this.#allowed(verdicts, self, world) : verdicts
      const judgements = allowed.map(judgement => withFailure(judgement, targets, world)).map(toldIfHeld)
      const drift = this.#drift(key, self, judgements, { world, observing: mode === 'Observe' })
      return { judgements, status: this.#status(self, judgements, drift, world) }
    })
    if (result === undefined) return undefined
    const effects = effectsOf(result.judgements, phases)
    const [waits] = result.judgements.flatMap(({ verdict }) => {
      if (verdict.is !== 'waiting' || verdict.queue === undefined) return []
      return [{ queue: verdict.queue, priority: verdict.priority }]
    })
    this.#options.standIn(key, waits)
    const rechecks = result.judgements.map(({ verdict }) => ('recheck' in verdict ? verdict.recheck : undefined))
    const times = [wakeAfter, ...rechecks].filter(time => time !== undefined)
    const complete = result.judgements.every(({ verdict }) => verdict.is === 'satisfied')
    const passed: Passed = { ...result, effects, complete }
    return times.length === 0 ? { passed } : { passed, wakeAfter: Math.min(...times) }
  }

  #verdict(phase: Phase<AnyKind>, self: Resource, world: World): Verdict {
    try {
      return phase.judge(self, world)
    } catch (error) {
      this.#panic(error, self, phase.condition)
      return unknown('InternalError', `Cannot judge ${phase.condition}: ${messageOf(error)}`, { recheck: 60_000 })
    }
  }

  /** Under Observe only the effects that change nothing outside are left. */
  #allowed<J extends Judgement>(judgements: readonly J[], self: Resource, world: World): readonly J[] {
    const identity = world.identity(self)
    const deleting = self.metadata.deletionTimestamp !== undefined
    return judgements.map(judgement => observed(judgement, identity, deleting, world))
  }

  /** What differs between wish and sight; undefined where that cannot be said. */
  #drift(
    key: ObjectKey,
    self: Resource,
    judgements: readonly Judgement[],
    { world, observing }: { readonly world: World; readonly observing: boolean },
  ): readonly Drift[] | 'Keep' | undefined {
    const { fields } = this.#options.reconciler
    if (fields === undefined || self.metadata.deletionTimestamp !== undefined) return undefined
    const memory = this.#found.get(key)
    const comparison = this.#compare(fields, self, world)
    if (comparison === undefined) return memory === undefined ? 'Keep' : undefined
    const operating = judgements.some(
      ({ verdict }) =>
        verdict.is === 'acting' && !isStalled(verdict) && verdict.effects.some(({ effect }) => effect === 'Operate'),
    )
    const drift = driftFrom({
      comparison,
      memory,
      told: (self.status as DriftStatus | undefined)?.drift ?? [],
      isNewWish: self.status?.observedGeneration !== self.metadata.generation,
      observing,
      stalled: !operating && judgements.some(({ verdict }) => isStalled(verdict)),
      now: timestamp(this.#options.clock),
    })
    // Before every place was read once, a difference may only seem to be gone.
    if (this.#options.mayReport()) this.#found.set(key, { found: comparison.found, drift })
    return drift
  }

  #compare(fields: Fields, self: Resource, world: World): ReturnType<Fields> {
    try {
      return fields(self, world)
    } catch (error) {
      this.#panic(error, self, 'fields')
      return undefined
    }
  }

  /** Where nobody can say where to look, it is looked where it was before. */
  #declareEndpoints(key: ObjectKey, self: Resource, world: World): void {
    const { reconciler } = this.#options
    if (reconciler.endpoints === undefined) return
    try {
      this.#options.declareEndpoints(`${this.kind.kind}/${key}`, reconciler.endpoints(self, world))
    } catch (error) {
      this.#panic(error, self, 'endpoints')
    }
  }

  /** The next status; where the kind's own recipe throws, its fields stay as they are. */
  #status(
    self: Resource,
    judgements: readonly Judgement[],
    drift: readonly Drift[] | 'Keep' | undefined,
    world: World,
  ): CommonStatus {
    const input = { ...this.#statusInput(self), judgements }
    const reportDrift = (draft: Mutable<DriftStatus>) => {
      if (drift === 'Keep') return
      if (drift === undefined || drift.length === 0) delete draft.drift
      else draft.drift = drift.map(each => ({ ...each }))
    }
    try {
      return nextStatus({
        ...input,
        report: draft => {
          this.#options.reconciler.report?.(draft, self, world)
          reportDrift(draft)
        },
      })
    } catch (error) {
      this.#panic(error, self, 'report')
      return nextStatus({ ...input, report: reportDrift })
    }
  }

  #panic(error: unknown, self: Resource, phase: string): void {
    const { metrics, logger } = this.#options
    metrics.panic(this.kind.kind)
    logger.error({ err: error, kind: this.kind.kind, name: self.metadata.name, phase }, 'a phase failed')
  }

  #statusInput(self: Resource) {
    const types = Object.keys(this.kind.conditions)
    return {
      status: self.status,
      generation: self.metadata.generation,
      conditionTypes: types,
      deleting: self.metadata.deletionTimestamp !== undefined,
      now: timestamp(this.#options.clock),
    }
  }

  #carryOut(self: Resource, passed: Passed): Promise<readonly Refusal[]> {
    const effects = passed.effects.map(({ effect }) => effect)
    return carryOut(effects, self, this.#options.targets)
  }

  async #addFinalizer(self: Resource, finalizer: string): Promise<PassOutcome> {
    const finalizers = self.metadata.finalizers ?? []
    return this.#patchFinalizers(self, [...finalizers, finalizer])
  }

  async #removeFinalizer(key: ObjectKey, self: Resource, finalizer: string): Promise<PassOutcome> {
    const finalizers = self.metadata.finalizers ?? []
    const outcome = await this.#patchFinalizers(
      self,
      finalizers.filter(name => name !== finalizer),
    )
    this.#settling.delete(key)
    return outcome
  }

  async #patchFinalizers(self: Resource, finalizers: readonly string[]): Promise<PassOutcome> {
    const { client, desired } = this.#options.targets
    try {
      const answer = await client.patchFinalizers(this.kind, self, finalizers)
      const gone = finalizers.length === 0 && self.metadata.deletionTimestamp !== undefined
      if (gone || answer === undefined) desired.deleted(this.kind, self.metadata)
      else desired.written(this.kind, answer)
      return answer === undefined || gone ? 'success' : 'requeue'
    } catch (error) {
      if (error instanceof ApiError && (error.reason === 'NotFound' || error.reason === 'Conflict')) return 'success'
      throw error
    }
  }

  async #writeStatus(key: ObjectKey, self: Resource, status: CommonStatus): Promise<void> {
    if (status === self.status || this.kind.statusSubresource === false) {
      this.#settling.delete(key)
      return
    }
    const patch = mergePatch(self.status ?? {}, status)
    if (patch === undefined) return
    if (!this.#options.mayReport()) return this.#options.reportLater(key)
    const wait = this.#waitBeforeWriting(key, self, status)
    if (wait > 0) return this.#options.wakeAfter(key, wait)
    this.#settling.delete(key)
    this.#written.set(key, this.#options.clock.monotonic())
    const { client, desired, events } = this.#options.targets
    try {
      const answer = await client.patchStatus(this.kind, self, patch)
      desired.written(this.kind, answer)
      const deleting = self.metadata.deletionTimestamp !== undefined
      for (const event of eventsOf(self.status?.conditions, status.conditions, deleting)) events.record(self, event)
    } catch (error) {
      const dropped = error instanceof ApiError && (error.reason === 'Conflict' || error.reason === 'NotFound')
      if (!dropped) throw error
    }
  }

  #waitBeforeWriting(key: ObjectKey, self: Resource, status: CommonStatus): number {
    const now = this.#options.clock.monotonic()
    const acknowledged = self.status?.observedGeneration === status.observedGeneration
    if (acknowledged && sameConditions(self.status?.conditions, status.conditions)) {
      const last = this.#written.get(key)
      return last === undefined ? 0 : last + rollUpInterval - now
    }
    const ready = conditionOf({ status }, 'Ready')
    // What becomes Ready because nobody uses it yet is often applied together with who will.
    const unused = ready?.status === 'True' && ready.reason !== 'Ready' && !isTrue(self, 'Ready')
    if ((ready?.status === 'True' && !unused) || isTrue({ status }, 'Stalled')) return 0
    const since = this.#settling.get(key) ?? now
    this.#settling.set(key, since)
    const wait = since + settleTime - now
    return wait <= 0 && this.#options.isBusy() ? settleTime : wait
  }
}

function managementOf(self: Resource): { readonly mode?: string } | undefined {
  return (self.spec as { readonly management?: { readonly mode?: string } } | undefined)?.management
}

function sameConditions(before: readonly Condition[] | undefined, after: readonly Condition[] | undefined): boolean {
  if (before === undefined || after === undefined || before.length !== after.length) return false
  return after.every((condition, index) => {
    const known = before[index]
    return known?.type === condition.type && known.status === condition.status && known.reason === condition.reason
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
