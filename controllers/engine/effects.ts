import type { AnyKind } from '../../crds/define-kind.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import type { Resource } from '../../crds/meta.ts'
import type { CreateEffect, DeleteEffect, Effect, OperateEffect, UpdateEffect } from '../../reconcilers/effect.ts'
import { ApiError, type Client } from '../api/client.ts'
import type { EventRecorder } from '../events.ts'
import type { Executor } from '../observation/executor.ts'
import type { Requester } from '../observation/hooks.ts'
import type { Observer } from '../observation/observer.ts'
import { type DesiredCache, keyOf, objectKey } from './desired-cache.ts'
import type { Writes } from './writes.ts'

/** What effects act upon. */
export interface EffectTargets {
  readonly client: Client
  readonly writes: Writes
  readonly desired: DesiredCache
  readonly executor: Executor
  readonly observer: Pick<Observer, 'listSoon'>
  readonly events: EventRecorder
  readonly kindNamed: (apiVersion: string, kind: string) => AnyKind
}

/** An effect that the API refused, for the condition of the phase that wanted it. */
export interface Refusal {
  readonly effect: Effect
  readonly error: ApiError
}

/** Carries out the effects of one pass. API effects are assumed at once and awaited; operations are only started. */
export async function carryOut(
  effects: readonly Effect[],
  self: Resource,
  targets: EffectTargets,
): Promise<readonly Refusal[]> {
  const writes: Promise<Refusal | undefined>[] = []
  for (const effect of effects) {
    switch (effect.effect) {
      case 'Operate':
        startOperation(effect, self, targets)
        break
      case 'Observe':
        targets.observer.listSoon(effect.endpoint)
        break
      case 'Event':
        targets.events.record(self, effect)
        break
      case 'Create':
        writes.push(guard(effect, createObject(effect, targets)))
        break
      case 'Update':
        writes.push(guard(effect, updateObject(effect, targets)))
        break
      case 'Delete':
        writes.push(guard(effect, deleteObject(effect, targets)))
        break
    }
  }
  const refusals = await Promise.all(writes)
  return refusals.filter(refusal => refusal !== undefined)
}

/** An operation acts only under claims that are stored: an assumed claim may yet be refused. */
function startOperation({ operation, claims }: OperateEffect, self: Resource, targets: EffectTargets): void {
  const stored = claims.every(name => targets.desired.isConfirmed(Allocation, objectKey(name, undefined)))
  if (stored) targets.executor.submit(operation, requesterOf(self, targets))
}

function requesterOf({ apiVersion, kind, metadata }: Resource, { desired, kindNamed }: EffectTargets): Requester {
  const { name, namespace, uid, generation } = metadata
  const changedBy = desired.changedBy(kindNamed(apiVersion, kind), objectKey(name, namespace))
  return { kind, namespace, name, uid, generation, changedBy }
}

async function guard(effect: Effect, write: Promise<void>): Promise<Refusal | undefined> {
  try {
    await write
    return undefined
  } catch (error) {
    if (error instanceof ApiError) return { effect, error }
    throw error
  }
}

function createObject({ object }: CreateEffect, { writes, kindNamed }: EffectTargets): Promise<void> {
  return writes.create(kindNamed(object.apiVersion, object.kind), object)
}

async function updateObject({ object }: UpdateEffect, { writes, desired, kindNamed }: EffectTargets): Promise<void> {
  const kind = kindNamed(object.apiVersion, object.kind)
  const known = desired.get(kind, keyOf(object.metadata))
  if (known === undefined || known.metadata.resourceVersion !== object.metadata.resourceVersion) return
  await writes.update(kind, known, object.spec)
}

async function deleteObject({ object, after = [] }: DeleteEffect, targets: EffectTargets): Promise<void> {
  const { writes, desired, kindNamed } = targets
  if (!after.every(name => desired.isConfirmed(Allocation, objectKey(name, undefined)))) return
  const kind = kindNamed(object.apiVersion, object.kind)
  const known = desired.get(kind, keyOf(object.metadata))
  if (known === undefined || known.metadata.deletionTimestamp !== undefined) return
  await writes.delete(kind, object.metadata)
}
