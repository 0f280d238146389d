import type { AnyKind } from '../../crds/define-kind.ts'
import { type Clock, timestamp } from '../../crds/environment.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import type { Manifest, Resource } from '../../crds/meta.ts'
import type { CreateEffect, DeleteEffect, Effect, OperateEffect, UpdateEffect } from '../../reconcilers/effect.ts'
import { ApiError, type Client } from '../api/client.ts'
import type { EventRecorder } from '../events.ts'
import type { Executor } from '../observation/executor.ts'
import type { Requester } from '../observation/hooks.ts'
import type { Observer } from '../observation/observer.ts'
import { type DesiredCache, objectKey } from './desired-cache.ts'

/** What effects act upon. */
export interface EffectTargets {
  readonly client: Client
  readonly clock: Clock
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

async function createObject({ object }: CreateEffect, targets: EffectTargets): Promise<void> {
  const { client, clock, desired, kindNamed } = targets
  const kind = kindNamed(object.apiVersion, object.kind)
  const assumption = desired.assumeCreated(kind, object, timestamp(clock))
  if (assumption === undefined) return
  try {
    assumption.confirm(await client.create(kind, object))
  } catch (error) {
    assumption.withdraw()
    if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error
    await adoptExisting(kind, object, targets)
  }
}

/** Something of that name is there: our own earlier write that the cache has not shown yet, or another's. Show it. */
async function adoptExisting(kind: AnyKind, { metadata }: Manifest, { client, desired }: EffectTargets): Promise<void> {
  const existing = await client.get(kind, metadata.name, metadata.namespace)
  if (existing !== undefined) desired.upsert(kind, existing)
}

async function updateObject({ object }: UpdateEffect, targets: EffectTargets): Promise<void> {
  const { client, desired, kindNamed } = targets
  const kind = kindNamed(object.apiVersion, object.kind)
  const known = desired.get(kind, objectKey(object.metadata.name, object.metadata.namespace))
  if (known === undefined || known.metadata.resourceVersion !== object.metadata.resourceVersion) return
  const assumption = desired.assumeUpdated(kind, object.metadata, object.spec)
  if (assumption === undefined) return
  try {
    const next: Resource = { ...known, spec: object.spec }
    assumption.confirm(await client.replace(kind, next))
  } catch (error) {
    assumption.withdraw()
    throw error
  }
}

async function deleteObject(
  { object, after = [] }: DeleteEffect,
  { client, desired, kindNamed }: EffectTargets,
): Promise<void> {
  if (!after.every(name => desired.isConfirmed(Allocation, objectKey(name, undefined)))) return
  const kind = kindNamed(object.apiVersion, object.kind)
  const key = objectKey(object.metadata.name, object.metadata.namespace)
  const known = desired.get(kind, key)
  if (known === undefined || known.metadata.uid !== object.metadata.uid) return
  if (known.metadata.deletionTimestamp !== undefined || !desired.isConfirmed(kind, key)) return
  try {
    const answer = await client.remove(kind, object.metadata)
    if (answer === undefined) desired.deleted(kind, object.metadata)
    else desired.written(kind, answer)
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'NotFound') throw error
    desired.deleted(kind, object.metadata)
  }
}
