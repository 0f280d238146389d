/** Short forms for the schemas of the kinds that the server itself brings. */

import type { StructuralSchema } from '../schema/structural-schema.ts'

type Properties = Readonly<Record<string, StructuralSchema>>

/** A string. */
export function text(description: string, more: StructuralSchema = {}): StructuralSchema {
  return { type: 'string', description, ...more }
}

/** A time, RFC 3339. */
export function time(description: string): StructuralSchema {
  return { type: 'string', format: 'date-time', nullable: true, description }
}

/** A whole number. */
export function integer(description: string): StructuralSchema {
  return { type: 'integer', format: 'int32', description }
}

/** True or false. */
export function boolean(description: string): StructuralSchema {
  return { type: 'boolean', description }
}

/** An object of named fields. */
export function object(description: string, properties: Properties, more: StructuralSchema = {}): StructuralSchema {
  return { type: 'object', description, properties, ...more }
}

/** An object that may hold anything. */
export function anything(description: string): StructuralSchema {
  return { type: 'object', description, 'x-kubernetes-preserve-unknown-fields': true }
}

/** A map of strings. */
export function textMap(description: string): StructuralSchema {
  return { type: 'object', description, additionalProperties: { type: 'string' } }
}

/** A list that is replaced as a whole. */
export function list(description: string, items: StructuralSchema, more: StructuralSchema = {}): StructuralSchema {
  return { type: 'array', description, items, 'x-kubernetes-list-type': 'atomic', ...more }
}

/** A list whose items are known by some of their fields. */
export function listMap(description: string, items: StructuralSchema, ...keys: string[]): StructuralSchema {
  return list(
    description,
    { ...items, required: [...new Set([...(items.required ?? []), ...keys])] },
    {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': keys,
    },
  )
}

/** The schema of a whole kind. */
export function kind(description: string, properties: Properties): StructuralSchema {
  return object(description, {
    apiVersion: text('APIVersion names the version of the schema of this object.'),
    kind: text('Kind names the REST resource that this object represents.'),
    metadata: { type: 'object', description: "Standard object's metadata." },
    ...properties,
  })
}

/** metav1.Condition. */
export const conditions: StructuralSchema = listMap(
  'Conditions say how far the object is.',
  object('Condition is one aspect of the current state.', {
    type: text('Type of the condition.'),
    status: text('One of True, False, Unknown.'),
    observedGeneration: { type: 'integer', format: 'int64', description: 'Generation that the condition was set for.' },
    lastTransitionTime: time('When the condition last changed from one status to another.'),
    reason: text('One word for the cause of the last transition.'),
    message: text('Details of the transition, for people.'),
  }),
  'type',
)
