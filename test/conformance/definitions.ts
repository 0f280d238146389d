/** Kinds that cases work with. */
import { randomBytes } from 'node:crypto'
import type { Definition } from './case.ts'

/** What a kind is made of, where it differs from a namespaced kind of version v1 with a status. */
export interface KindOptions {
  readonly group?: string
  readonly scope?: Definition['spec']['scope']
  /** The schema of the whole object. Default: anything goes. */
  readonly schema?: object
  /** Default: a status. */
  readonly subresources?: object
  /** More members of the version. */
  readonly version?: object
  /** More members of the spec. */
  readonly spec?: object
}

/** A group of its own, so that no case meets the kinds of others: those of another run against the same API neither. */
export const group = `g${randomBytes(4).toString('hex')}.conformance.skystead.test`

/** A definition of a kind by its singular name in CamelCase. */
export function definition(kind: string, options: KindOptions = {}): Definition {
  const { group: own = group, scope = 'Namespaced', subresources = { status: {} } } = options
  const plural = `${kind.toLowerCase()}s`
  const schema = options.schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, subresources }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${own}` },
    spec: {
      group: own,
      scope,
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: [{ ...version, ...options.version }],
      ...options.spec,
    },
  }
}

/** A schema of an object with a spec (and a status) of these properties. */
export function objectSchema(spec: object, status: object = { type: 'object', properties: {} }): object {
  return { type: 'object', properties: { spec: { type: 'object', properties: spec }, status } }
}

/** A schema of a list of objects that a text tells apart. */
export function listMap(key: string, properties: object = {}): object {
  return {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': [key],
    items: { type: 'object', required: [key], properties: { [key]: { type: 'string' }, ...properties } },
  }
}

/** Widgets: defaults, bounds, every kind of list, a status, columns, selectable fields. */
export const widgets = definition('Widget', {
  schema: objectSchema(
    {
      size: { type: 'integer', minimum: 1, maximum: 100 },
      mode: { type: 'string', enum: ['Fast', 'Safe'], default: 'Safe' },
      color: { type: 'string', maxLength: 20 },
      tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      steps: { type: 'array', items: { type: 'string' } },
      parts: listMap('name', { weight: { type: 'integer' } }),
      sealed: {
        type: 'object',
        'x-kubernetes-map-type': 'atomic',
        properties: { left: { type: 'string' }, right: { type: 'string' } },
      },
      labels: { type: 'object', additionalProperties: { type: 'string' } },
    },
    { type: 'object', properties: { phase: { type: 'string' }, count: { type: 'integer' } } },
  ),
  version: {
    additionalPrinterColumns: [
      { name: 'Mode', type: 'string', jsonPath: '.spec.mode' },
      { name: 'Size', type: 'integer', jsonPath: '.spec.size', description: 'How large it is', priority: 1 },
    ],
    selectableFields: [{ jsonPath: '.spec.mode' }, { jsonPath: '.spec.color' }],
  },
})

/** A widget. */
export function widget(name: string, spec: object = {}, metadata: object = {}): object {
  return { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name, ...metadata }, spec }
}

/** A ConfigMap. */
export function configMap(name: string, data: Readonly<Record<string, string>> = {}, metadata: object = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data }
}
