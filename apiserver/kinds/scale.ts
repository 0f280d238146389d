/** autoscaling/v1 Scale: how many replicas an object wishes and has, whatever its kind. */

import type { APIObject, JSONObject, ObjectMetadata } from '../api-object.ts'
import { isRecord, valueAt } from '../api-object.ts'
import type { ScalePaths } from '../resource-definition.ts'
import { internalError } from '../status-error.ts'
import { plainStrategy } from '../strategy.ts'
import { serveBuiltin } from './builtin.ts'
import { integer, kind, object, text } from './schemas.ts'

/** Scales. They are never stored, and served as a subresource only. */
export const scales = serveBuiltin(
  {
    group: 'autoscaling',
    version: 'v1',
    kind: 'Scale',
    plural: 'scales',
    namespaced: true,
    columns: [
      {
        name: 'Desired',
        type: 'integer',
        jsonPath: '.spec.replicas',
        description: 'Number of desired replicas',
        priority: 0,
      },
      {
        name: 'Available',
        type: 'integer',
        jsonPath: '.status.replicas',
        description: 'Number of actual replicas',
        priority: 0,
      },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', priority: 0 },
    ],
    schema: kind('Scale represents a scaling request for a resource.', {
      spec: object('Spec defines the wished scale.', { replicas: integer('Replicas is how many are wished.') }),
      status: object('Status is the current scale.', {
        replicas: integer('Replicas is how many there are.'),
        selector: text('Selector is the label selector of the replicas.'),
      }),
    }),
  },
  plainStrategy,
)

/** The scale of an object that says how many replicas it wishes; throws a 500 for one that does not. */
export function scaleOf(served: APIObject, paths: ScalePaths): APIObject {
  if (wishedReplicas(served, paths) !== undefined) return scaleToChange(served, paths)
  throw internalError(`the spec replicas field ${JSON.stringify(paths.spec)} does not exist`)
}

/** The scale of an object, even if it does not say how many replicas it wishes. */
export function scaleToChange(served: APIObject, paths: ScalePaths): APIObject {
  const replicas = wishedReplicas(served, paths)
  const selector = paths.selector === undefined ? undefined : valueAt(served, stepsOf(paths.selector))
  const actual = valueAt(served, stepsOf(paths.status))
  return {
    kind: 'Scale',
    apiVersion: scales.apiVersion,
    metadata: identityOf(served.metadata),
    spec: replicas === undefined || replicas === 0 ? {} : { replicas },
    status: {
      replicas: typeof actual === 'number' ? actual : 0,
      ...(typeof selector === 'string' && selector !== '' && { selector }),
    },
  }
}

function identityOf(metadata: ObjectMetadata): ObjectMetadata {
  const { generation: _generation, labels: _labels, annotations: _annotations, ...rest } = metadata
  const { managedFields: _managers, finalizers: _finalizers, ownerReferences: _owners, ...identity } = rest
  return identity
}

/** How many replicas an object wishes; undefined where it does not say. */
export function wishedReplicas(served: APIObject, { spec }: ScalePaths): number | undefined {
  const replicas = valueAt(served, stepsOf(spec))
  return typeof replicas === 'number' ? replicas : undefined
}

/** The object with another number of wished replicas. */
export function withReplicas(served: APIObject, { spec }: ScalePaths, replicas: number): APIObject {
  return { ...served, ...withValue(served, stepsOf(spec), replicas) }
}

function withValue(object: JSONObject, [step, ...rest]: readonly string[], value: unknown): JSONObject {
  if (step === undefined) return object
  const below = object[step]
  return { ...object, [step]: rest.length === 0 ? value : withValue(isRecord(below) ? below : {}, rest, value) }
}

/** The steps of a path like `.spec.replicas`. */
function stepsOf(path: string): readonly string[] {
  return path.split('.').slice(1)
}
