/** What the API refuses of our kinds beside what their schemas say. */

import type { KindDefinition } from './define-kind.ts'
import { finalizerOf } from './finalizer.ts'

/**
 * A wish that only operators may make. It takes a verb of its own on the object, beside the right to write it: the
 * embedded API asks its authorizer, a cluster does by the policies of `manifests/install/admission.yaml`.
 */
export interface OperatorField {
  readonly path: readonly string[]
  /** Only wishing for this value takes the verb. Left out: every change does. */
  readonly value?: string
  /** `place` says where something is, `attest` that a host is off for good, `release` leaves what is outside there. */
  readonly verb: 'attest' | 'place' | 'release'
}

/** All of them. A kind has those that its schema has. */
export const operatorFields: readonly OperatorField[] = [
  { path: ['spec', 'placement'], verb: 'place' },
  { path: ['spec', 'vlan'], verb: 'place' },
  { path: ['spec', 'lifecycle'], value: 'Lost', verb: 'attest' },
  {
    path: ['spec', 'management', 'deletionPolicy'],
    value: 'Orphan',
    verb: 'release',
  },
]

/** What somebody is told who may not make such a wish. */
export function refusalOf({ path, value, verb }: OperatorField, plural: string): string {
  const what = value === undefined ? path.join('.') : `${path.join('.')} "${value}"`
  return `${what} takes the right to "${verb}" ${plural}: ask an operator`
}

/**
 * Our finalizer holds an object until nothing of it is left outside. Whoever takes it away leaves what is there behind: it
 * takes the right to update the `finalizers` of the object, as the controllers have it.
 */
export const guardedFinalizer = { verb: 'update', subresource: 'finalizers' } as const

/** What somebody is told who may not take the finalizer of a group away. */
export function finalizerRefusal(finalizer: string, plural: string): string {
  return `to take the finalizer "${finalizer}" away takes the right to "update" ${plural}/finalizers: leave it there, or ask an operator`
}

/** What is not deleted: an object that says so itself, and what somebody is told who tries. */
export const protection = {
  path: ['spec', 'protected'],
  value: 'Enabled',
  refusal: 'spec.protected is "Enabled": set it to "Disabled" first',
} as const

/** The same for the embedded API, with the groups of the kinds. */
export function admissionOf(kinds: readonly KindDefinition[]) {
  const groups = [...new Set(kinds.map(({ group }) => group))]
  return {
    guardedFields: operatorFields.map(field => ({
      ...field,
      groups,
      refusal: (plural: string) => refusalOf(field, plural),
    })),
    guardedFinalizers: groups.map(group => {
      const name = finalizerOf({ group })
      return { ...guardedFinalizer, group, name, refusal: (plural: string) => finalizerRefusal(name, plural) }
    }),
    deletionGuards: [{ ...protection, groups }],
  }
}
