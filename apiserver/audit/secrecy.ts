/** What never gets into the audit log, whatever the policy says: secrets and tokens. */

import type { JSONObject } from '../api-object.ts'
import { isRecord } from '../api-object.ts'
import type { Attributes } from '../authorization/attributes.ts'

const secretKinds: ReadonlySet<unknown> = new Set(['Secret', 'SecretList', 'TokenReview', 'TokenRequest'])

/** Whether what is sent and answered there holds secrets or tokens. */
export function isSecretPlace(attributes: Attributes): boolean {
  if ('path' in attributes) return false
  const { group, plural, subresource } = attributes
  if (group === '') return plural === 'secrets' || (plural === 'serviceaccounts' && subresource === 'token')
  return group === 'authentication.k8s.io' && plural === 'tokenreviews'
}

/** Whether a body holds secrets or tokens wherever it was sent to: a Secret that went to a wrong path is one. */
export function isSecretBody(value: unknown): boolean {
  if (!isRecord(value)) return false
  if (secretKinds.has(value.kind)) return true
  return Array.isArray(value.items) && value.items.some(isSecretBody)
}

/** An object, or each of a list, without its managed fields. */
export function withoutManagedFields(value: unknown): unknown {
  if (!isRecord(value)) return value
  if (Array.isArray(value.items)) return { ...value, items: value.items.map(withoutManagedFields) }
  if (!isRecord(value.metadata) || value.metadata.managedFields === undefined) return value
  const { managedFields: _left, ...metadata } = value.metadata
  return { ...value, metadata } satisfies JSONObject
}
