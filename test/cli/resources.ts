/** Objects as an API would tell them, with as little as a test needs. */
import { Cloud } from '../../cli/cloud.ts'
import type { AnyKind } from '../../crds/define-kind.ts'
import type { Condition, Resource } from '../../crds/meta.ts'

/** What a test says of an object. */
export interface Parts {
  readonly namespace?: string
  readonly spec?: object
  readonly status?: object
  readonly conditions?: readonly Condition[]
  readonly deleting?: boolean
  readonly uid?: string
}

/** A condition of generation 1. */
export function condition(type: string, status: Condition['status'], reason: string, message = ''): Condition {
  return { type, status, reason, message, observedGeneration: 1, lastTransitionTime: '2026-01-01T00:00:00Z' }
}

/** The conditions of something that is Stalled. */
export function stalled(reason: string, message: string): readonly Condition[] {
  return [condition('Ready', 'False', reason, message), condition('Stalled', 'True', reason, message)]
}

/** An object of generation 1; Ready unless its conditions say otherwise. */
export function resource(kind: AnyKind, name: string, parts: Parts = {}): Resource {
  const { namespace, spec = {}, status = {}, conditions = [condition('Ready', 'True', 'Ready')], deleting } = parts
  return {
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: parts.uid ?? `uid-of-${kind.kind}-${namespace ?? ''}-${name}`,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(deleting === true ? { deletionTimestamp: '2026-01-01T00:01:00Z' } : {}),
    },
    spec,
    status: { ...status, conditions },
  }
}

/** A cloud of these objects. */
export function cloudOf(...objects: readonly (readonly [AnyKind, Resource])[]): Cloud {
  const cloud = new Cloud()
  for (const [kind, object] of objects) cloud.upsert(kind, object)
  return cloud
}
