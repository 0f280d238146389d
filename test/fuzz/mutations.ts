/** Manifests with something wrong in them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { parseAllDocuments } from 'yaml'
import { projectPath } from '../../cli/repository.ts'
import { quickstart } from '../stories/cloud.ts'
import type { Plain, PlainManifest } from './plain.ts'
import { edgesOf, fieldsOf } from './schema-edges.ts'

/** How a request brings a manifest. */
export type Verb = 'Apply' | 'Create' | 'Replace'

/** One request: which manifest, what is done where in it (as a share of its places), how it is sent. */
export interface Mutation {
  readonly manifest: number
  readonly changes: readonly { readonly place: number; readonly change: Change }[]
  readonly verb: Verb
  /** `Other`: under a name that nothing has. */
  readonly name: 'Same' | 'Other'
}

type Change =
  | { readonly change: 'Delete' | 'Duplicate' | 'Rename' }
  | { readonly change: 'Set'; readonly value: Plain }
  /** The so-and-so-many-th value at the edge of what the field's schema allows; the place is one of the schema. */
  | { readonly change: 'Edge'; readonly edge: number }

/** The quickstart and all samples. */
export const manifests: readonly PlainManifest[] = [quickstart, ...samples()].flatMap(text =>
  parseAllDocuments(text).map(document => document.toJS() as PlainManifest),
)

function samples(): readonly string[] {
  const directory = projectPath('manifests/samples')
  return readdirSync(directory).map(name => readFileSync(join(directory, name), 'utf8'))
}

/** Values that somebody may write where they do not belong. */
const strange: readonly Plain[] = [
  null,
  true,
  '',
  ' ',
  '-1',
  '0',
  'null',
  'NaN',
  '1e400',
  '1e400Gi',
  '-5Gi',
  '0.0000000000001m',
  '999999999999999999999Ti',
  '10.1.1.0/33',
  '10.1.1.0/0',
  '255.255.255.255',
  '10.1.1.300-10.1.1.5',
  '10.1.1.9-10.1.1.2',
  '0-4294967296',
  '99999999999999999999',
  '::1/64',
  '-1h',
  '1e9h',
  '9999999999h',
  '../../etc/passwd',
  '{{.}}',
  'sim://',
  'file:///',
  'http://[::1',
  '\u0000',
  'ü',
  '🦊'.repeat(40),
  '\ud800',
  '\u202egnp.exe',
  'A'.repeat(300),
  'x'.repeat(100_000),
  -1,
  0,
  0.5,
  -0,
  65_536,
  2 ** 31,
  2 ** 53,
  1e308,
  -1e308,
  [],
  {},
  [null],
  [[]],
  ['a', 'a'],
  { '': '' },
  { constructor: 1 },
  { __proto__: null, toString: 'x' },
  Array.from({ length: 3_000 }, (_, index) => index),
  Array.from({ length: 200 }, (_, index) => ({ name: `n${index}` })),
]

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ change: fc.constant('Edge' as const), edge: fc.noBias(fc.nat(999)) }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Change>({ change: 'Delete' }, { change: 'Duplicate' }, { change: 'Rename' }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ change: fc.constant('Set' as const), value: fc.constantFrom(...strange) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      change: fc.constant('Set' as const),
      value: fc.oneof(
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.string(),
        fc.string({ unit: 'binary' }),
      ),
    }),
  },
)

/** A request that may be wrong. */
export const mutation: fc.Arbitrary<Mutation> = fc.record(
  {
    // Not at the ends more often than elsewhere: every place is as good as any other.
    manifest: fc.noBias(fc.nat(manifests.length - 1)),
    changes: fc.array(
      fc.record({ place: fc.noBias(fc.nat(9_999)).map(share => share / 10_000), change }, { noNullPrototype: true }),
      { minLength: 1, maxLength: 2 },
    ),
    verb: fc.constantFrom('Apply' as const, 'Create' as const, 'Replace' as const),
    name: fc.constantFrom('Same' as const, 'Other' as const),
  },
  { noNullPrototype: true },
)

/** The manifest as the mutation makes it. Name and namespace say where the request goes, and are no places. */
export function mutated({ manifest, changes, name }: Mutation): PlainManifest {
  const original = manifests[manifest]
  if (original === undefined) throw new RangeError(`Cannot mutate manifest ${manifest}: there are ${manifests.length}`)
  const { metadata } = original
  const start = name === 'Same' ? original : { ...original, metadata: { ...metadata, name: `${metadata.name}-m` } }
  return changes.reduce<PlainManifest>((before, { place, change }) => {
    const value = before as unknown as Plain
    if (change.change === 'Edge') {
      const fields = fieldsOf(original)
      const field = fields[Math.floor(place * fields.length)]
      if (field === undefined) return before
      const edges = edgesOf(field.schema)
      return changed(value, field.path, { change: 'Set', value: edges[change.edge % edges.length] ?? null }) as never
    }
    const places = pathsOf(value).filter(isFree)
    return changed(value, places[Math.floor(place * places.length)] ?? ['spec'], change) as never
  }, start)
}

function isFree(path: readonly string[]): boolean {
  const text = path.join('.')
  return !['', 'apiVersion', 'kind', 'metadata', 'metadata.name', 'metadata.namespace'].includes(text)
}

/** Every place in a value. */
function pathsOf(value: Plain, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...path, key]))]
}

function changed(value: Plain, path: readonly string[], change: Change): Plain {
  const [key, ...rest] = path
  if (key === undefined || change.change === 'Edge') return change.change === 'Set' ? change.value : value
  const index = Number(key)
  if (Array.isArray(value) && index < value.length) {
    if (rest.length > 0) return value.with(index, changed(value[index] ?? null, rest, change))
    if (change.change === 'Delete') return value.toSpliced(index, 1)
    if (change.change === 'Set') return value.with(index, change.value)
    return value.toSpliced(index, 0, value[index] ?? null)
  }
  const members: { [key: string]: Plain } = isObject(value) ? { ...value } : {}
  const member = members[key] ?? null
  if (rest.length > 0) return { ...members, [key]: changed(member, rest, change) }
  if (change.change === 'Set') return { ...members, [key]: change.value }
  if (change.change === 'Duplicate') return { ...members, [key]: [member, member] }
  delete members[key]
  return change.change === 'Delete' ? members : { ...members, [`${key}X`]: member }
}

function isObject(value: Plain): value is { readonly [key: string]: Plain } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
