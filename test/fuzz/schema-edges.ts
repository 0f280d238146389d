/** Values that a field's schema allows, at the edges of what it allows. */

import { projectPath } from '../../cli/repository.ts'
import { readDefinitions } from '../../controllers/install.ts'
import type { Plain, PlainManifest } from './plain.ts'

/** As much of a structural schema as is needed here. */
export interface FieldSchema {
  readonly type?: string
  readonly enum?: readonly Plain[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly properties?: Readonly<Record<string, FieldSchema>>
  readonly items?: FieldSchema
  readonly required?: readonly string[]
}

/** A field of a kind's spec. */
export interface Field {
  readonly path: readonly string[]
  readonly schema: FieldSchema
}

interface Definition {
  readonly spec: {
    readonly names: { readonly kind: string }
    readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: FieldSchema } }[]
  }
}

const specs = new Map(
  (readDefinitions(projectPath('manifests/crds')) as unknown as readonly Definition[]).map(({ spec }) => [
    spec.names.kind,
    spec.versions[0]?.schema.openAPIV3Schema.properties?.spec,
  ]),
)

/** Every field of a manifest's kind that can be reached without going through a list. */
export function fieldsOf({ kind }: PlainManifest): readonly Field[] {
  const schema = specs.get(kind)
  return schema === undefined ? [] : below({ path: ['spec'], schema })
}

function below({ path, schema }: Field): readonly Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const field = { path: [...path, name], schema: member }
    return [field, ...below(field)]
  })
}

/** Texts of every form that some field takes. Which of them a field takes its pattern says. */
const texts = [
  ...['a', 'missing', 'zone-a', 'zone-b', 'host-1', 'host-2', 'cluster-1', 'pod-1', 'web', 'web-1', 'web-2', 'shop'],
  ...['web-ip', 'web-2-data', 'web-1-root', 'small', 'data-20g', 'tiny-linux', 'isolated-source-nat', 'default'],
  ...['a'.repeat(63), `${'a'.repeat(60)}.${'b'.repeat(60)}`, 'x.y'],
  ...[
    '0',
    '1',
    '2',
    '1m',
    '1Ki',
    '1Mi',
    '512Mi',
    '1Gi',
    '20Gi',
    '2000Gi',
    '2001Gi',
    '16Ti',
    '8Ei',
    '1e3',
    '0.5',
    '100G',
  ],
  ...['0s', '1ms', '1s', '90s', '24h', '8760h', '2562047h'],
  ...['0.0.0.0', '10.1.1.1', '10.1.1.5', '10.1.1.255', '172.16.10.101', '192.0.2.100', '255.255.255.255', '::1'],
  ...['0.0.0.0/0', '10.0.0.0/8', '10.1.1.0/24', '10.1.1.0/29', '10.1.1.0/30', '10.1.1.0/31', '10.1.1.7/32'],
  ...['192.0.2.0/24', '172.16.10.0/24', '2001:db8::/64'],
  ...['10.1.1.10-10.1.1.20', '192.0.2.100-192.0.2.199', '192.0.2.0-192.0.2.255', '10.1.1.9'],
  ...['1', '100', '4095', '5000-5999', '1-1', '1-16777215', '4094'],
  ...['02:00:00:00:00:01', 'ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00'],
  ...[
    'sim://a',
    'sim://primary-1',
    'sim://images/tiny-linux',
    'sim://images/none',
    'file:///tmp',
    'https://example.org/a',
  ],
  ...['example.org', 'zone-a.cloud.internal', 'Text with spaces', 'ü', '🦊', '#cloud-config'],
  ...['00000000-0000-0000-0000-000000000000', '9b2e7a34-0f53-4f2e-8d3e-000000000001'],
]

/** Values that the schema allows: all of a closed set, else the smallest, the largest and some between. */
export function edgesOf(schema: FieldSchema, depth = 0): readonly Plain[] {
  if (schema.enum !== undefined) return schema.enum
  if (schema.type === 'integer' || schema.type === 'number') return numbers(schema)
  if (schema.type === 'boolean') return [true, false]
  if (schema.type === 'array') return lists(schema, depth)
  if (schema.type === 'object') return objects(schema, depth)
  const { pattern, minLength = 0, maxLength = 1_000 } = schema
  const form = pattern === undefined ? undefined : new RegExp(pattern, 'u')
  const fitting = texts.filter(
    text => text.length >= minLength && text.length <= maxLength && (form === undefined || form.test(text)),
  )
  return fitting.length === 0 ? [''] : fitting
}

function numbers({ minimum = -1, maximum = 1_000_000 }: FieldSchema): readonly Plain[] {
  return [...new Set([minimum, minimum + 1, Math.floor((minimum + maximum) / 2), maximum - 1, maximum])]
}

function lists({ items = {}, minItems = 0, maxItems = 8 }: FieldSchema, depth: number): readonly Plain[] {
  if (depth > 2) return [[]]
  const members = edgesOf(items, depth + 1)
  const one = members.map((member): Plain => [member])
  const many = members.slice(0, Math.min(maxItems, 64))
  return [...(minItems === 0 ? [[]] : []), ...one, many]
}

function objects({ properties = {}, required = [] }: FieldSchema, depth: number): readonly Plain[] {
  if (depth > 3) return [{}]
  const edges = Object.entries(properties).map(([name, member]) => ({ name, values: edgesOf(member, depth + 1) }))
  const made = (index: number, wanted: (name: string) => boolean): Plain =>
    Object.fromEntries(
      edges
        .filter(({ name }) => wanted(name))
        .map(({ name, values }, place) => [name, values[(index + place) % values.length] ?? null]),
    )
  const indexes = Array.from({ length: 6 }, (_, index) => index)
  const full = indexes.map(index => made(index * 3, () => true))
  const least = indexes.map(index => made(index, name => required.includes(name)))
  return [...least, ...full]
}
