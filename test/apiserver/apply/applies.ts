import { serverSideApply, updateManagedFields } from '../../../apiserver/apply/server-side-apply.ts'
import type { StructuralSchema } from '../../../apiserver/schema/structural-schema.ts'

/** A schema with each way in which values merge. */
export const schema: StructuralSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer' },
        name: { type: 'string' },
        atomicMap: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: { type: 'string' } },
        map: { type: 'object', additionalProperties: { type: 'string' } },
        atomicList: { type: 'array', items: { type: 'string' } },
        set: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        nics: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object', properties: { name: { type: 'string' }, mac: { type: 'string' } } },
        },
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port', 'protocol'],
          items: {
            type: 'object',
            properties: {
              port: { type: 'integer' },
              protocol: { type: 'string', default: 'TCP' },
              note: { type: 'string' },
            },
          },
        },
      },
    },
    status: { type: 'object', properties: { phase: { type: 'string' } } },
  },
}

/** An object as tests read it. */
export interface Stored {
  readonly metadata: {
    readonly labels?: object
    readonly annotations?: Readonly<Record<string, string>>
    readonly managedFields?: readonly {
      readonly manager: string
      readonly operation: string
      readonly time?: string
      readonly subresource?: string
      readonly fieldsV1: object
    }[]
  }
  readonly spec?: object
  readonly status?: object
}

interface Options {
  readonly manager?: string
  readonly force?: boolean
  readonly subresource?: string
  readonly time?: string
  readonly resetFields?: readonly string[]
}

function common(options: Options) {
  const { manager = 'kubectl', time = '2026-01-01T00:00:00Z', force = false, ...rest } = options
  return { ...rest, manager, time, force, apiVersion: 'example.dev/v1', schema }
}

/** A configuration with this spec. */
export function configuration(spec: object, metadata: object = {}): object {
  return { apiVersion: 'example.dev/v1', kind: 'Thing', metadata: { name: 'x', ...metadata }, spec }
}

/** Applies a configuration, which must not conflict. */
export function apply(live: object | undefined, applied: object, options: Options = {}): Stored {
  const result = serverSideApply({ ...common(options), live, applied })
  if (!result.ok) throw new Error(`Cannot apply: current state is conflict with ${result.conflicts[0]?.manager}`)
  return result.object as Stored
}

/** The conflicts of a configuration, which must conflict. */
export function conflictsOf(live: object, applied: object, options: Options = {}) {
  const result = serverSideApply({ ...common(options), live, applied })
  if (result.ok) throw new Error('Cannot tell conflicts: current state is applied')
  return result.conflicts
}

/** Updates the object. */
export function update(live: object | undefined, next: object, options: Options = {}): Stored {
  const { force: _, ...rest } = common(options)
  return updateManagedFields({ ...rest, live, next, operation: 'Update' }) as Stored
}

/** The fields of a manager; undefined where it has none. */
export function fieldsOf(object: Stored, manager: string, operation = 'Apply'): object | undefined {
  return object.metadata.managedFields?.find(entry => entry.manager === manager && entry.operation === operation)
    ?.fieldsV1
}
