import fc from 'fast-check'
import type { StructuralSchema } from '../../../apiserver/schema/structural-schema.ts'

/** A schema with something of everything. */
export const schema: StructuralSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, default: 3 },
        mode: { type: 'string', enum: ['Fast', 'Slow'], default: 'Fast' },
        name: { type: 'string', maxLength: 8, pattern: '^[a-z]+$' },
        note: { type: 'string', nullable: true, default: 'none' },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        port: { 'x-kubernetes-int-or-string': true },
        template: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          properties: { spec: { type: 'object', properties: { a: { type: 'string', default: 'b' } } } },
        },
        nics: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { type: 'string' },
              mtu: { type: 'integer', default: 1500 },
              address: {
                type: 'object',
                properties: { ip: { type: 'string' }, family: { type: 'integer', default: 4 } },
              },
            },
          },
        },
      },
    },
    status: { type: 'object', properties: { phase: { type: 'string' } } },
  },
}

const keys = [
  'size',
  'mode',
  'name',
  'note',
  'labels',
  'tags',
  'free',
  'port',
  'template',
  'nics',
  'spec',
  'zz',
  '__proto__',
]

/** Objects that are sometimes like the schema and often not. */
export const anyObject = fc
  .letrec<{ value: unknown }>(tie => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      fc.constantFrom<unknown>(null, 'a', 'Fast', 1, 0, 1.5, true),
      fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 5 }),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
  }))
  .value.map(spec => ({ apiVersion: 'example.dev/v1', kind: 'Thing', metadata: { name: 'x' }, spec }))

/** A whole resource with a spec. */
export function thing(spec: unknown, metadata: object = {}) {
  return { apiVersion: 'example.dev/v1', kind: 'Thing', metadata: { name: 'x', ...metadata }, spec }
}
