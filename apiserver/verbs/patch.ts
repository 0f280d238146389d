/** What a patch makes of an object, by its media type. */

import type { APIObject, JSONObject } from '../api-object.ts'
import { isRecord } from '../api-object.ts'
import { jsonPatch } from '../patch/json-patch.ts'
import { mergePatch } from '../patch/merge-patch.ts'
import { strategicMergePatch } from '../patch/strategic-merge-patch.ts'
import type { Decoded } from '../request/body.ts'
import { checkDepth, contentType, decodePatch } from '../request/body.ts'
import type { Scope, WriteOptions } from '../scope.ts'
import { badRequest, unsupportedMediaType } from '../status-error.ts'
import { admitPatched } from './admit.ts'

/** The media type of a server-side apply. */
export const applyType = 'application/apply-patch+yaml'

const jsonPatchType = 'application/json-patch+json'
const mergePatchType = 'application/merge-patch+json'
const strategicType = 'application/strategic-merge-patch+json'

/** Makes of an object of the scope's kind what the patch says; the same reference where nothing changes. */
export type Patcher = (scope: Scope, live: APIObject, options: WriteOptions) => APIObject

/**
 * The patcher for a request; throws a 415 where its media type is of none. The patch is read when it is used: where
 * there is nothing to patch, it does not matter what it says.
 */
export function patcherOf({ request, resource }: Scope): Patcher {
  const { builtin } = resource.definition
  const type = contentType(request)
  if (type === jsonPatchType) {
    return patcher(live => {
      const { value } = decodePatch(request, { findDuplicates: false })
      const patched = jsonPatch(live, value)
      // Operations put together what no body could have said at once.
      checkDepth(patched)
      return { value: patched, duplicates: [] }
    })
  }
  if (type === mergePatchType || (type === strategicType && builtin)) {
    const merge = type === mergePatchType ? mergePatch : mergeStrategically
    return patcher((live, options) => {
      const { value, duplicates } = decodePatch(request, options)
      if (!isRecord(value)) {
        throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}')
      }
      return { value: merge(live, value), duplicates }
    })
  }
  const supported = [jsonPatchType, mergePatchType, ...(builtin ? [strategicType] : []), applyType]
  throw unsupportedMediaType(supported)
}

function patcher(change: (live: APIObject, options: { findDuplicates: boolean }) => Decoded): Patcher {
  return (scope, live, options) => {
    const { value, duplicates } = change(live, { findDuplicates: options.fieldValidation !== 'Ignore' })
    if (!isRecord(value)) throw badRequest('the patched value is not an object')
    return value === live && duplicates.length === 0 ? live : admitPatched(scope, { value, duplicates }, options)
  }
}

/** The kind of what such a patch is for is known, and cannot be patched. */
function mergeStrategically(live: APIObject, patch: JSONObject): JSONObject {
  const { apiVersion, kind } = live
  return { ...strategicMergePatch(live, patch), apiVersion, kind }
}
