/** PUT and PATCH of the subresource scale: the object with another number of replicas. */

import type { APIObject } from '../api-object.ts'
import { isRecord, withMetadata } from '../api-object.ts'
import { invalidValue } from '../field-errors.ts'
import { scales, scaleToChange, wishedReplicas, withReplicas } from '../kinds/scale.ts'
import { decodeObject } from '../request/body.ts'
import type { ScalePaths } from '../resource-definition.ts'
import type { Scope } from '../scope.ts'
import { writeOptions } from '../scope.ts'
import { badRequest, foreignNamespace, invalid } from '../status-error.ts'
import { admitBody } from './admit.ts'
import { patcherOf } from './patch.ts'
import { checkName, replaceObject } from './replace.ts'
import type { Pending } from './written.ts'

/** The scope of a request about a scale, which is answered with a Scale. */
export function scaleScope(scope: Scope): Scope {
  return { ...scope, resource: scales, subresource: '' }
}

/** PUT: sets the replicas that the body wishes. */
export function updateScale(scope: Scope, paths: ScalePaths): Pending {
  const options = writeOptions(scope, 'UpdateOptions')
  const decoded = decodeObject(scope.request, { findDuplicates: options.fieldValidation !== 'Ignore' })
  const scale = admitBody(scaleScope(scope), decoded, options)
  return replaceObject(scope, { ...options, ownership: 'update' }, live => scaled(scope, paths, { live, scale }))
}

/** PATCH: sets the replicas that the patched scale wishes. */
export function patchScale(scope: Scope, paths: ScalePaths): Pending {
  const makePatched = patcherOf(scope)
  const options = writeOptions(scope, 'PatchOptions')
  return replaceObject(scope, { ...options, ownership: 'update' }, live => {
    const scale = makePatched(scaleScope(scope), scaleToChange(live, paths), options)
    if (wishedReplicas(live, paths) === undefined && replicasOf(scale) === undefined) {
      throw badRequest(`the spec replicas field ${JSON.stringify(paths.spec)} cannot be empty`)
    }
    return scaled(scope, paths, { live, scale })
  })
}

interface Change {
  readonly live: APIObject
  readonly scale: APIObject
}

function scaled(scope: Scope, paths: ScalePaths, { live, scale }: Change): APIObject {
  checkName(scope, scale)
  const { namespace, resourceVersion = live.metadata.resourceVersion } = scale.metadata
  if (namespace && namespace !== scope.namespace) throw foreignNamespace()
  // A scale leaves out what is 0, as Kubernetes' own does.
  const replicas = replicasOf(scale) ?? 0
  if (replicas < 0) {
    const wrong = invalidValue(paths.spec, replicas, 'should be a non-negative integer')
    throw invalid(scope.resource.definition, scope.name, [wrong])
  }
  return withMetadata(withReplicas(live, paths, replicas), { resourceVersion })
}

function replicasOf({ spec }: APIObject): number | undefined {
  const replicas = isRecord(spec) ? spec.replicas : undefined
  return typeof replicas === 'number' ? replicas : undefined
}
