import test from 'ava'
import { defineKind, type KindDefinition } from '../../../crds/define-kind.ts'
import { customResourceDefinition } from '../../../tools/generate/custom-resource-definition.ts'
import { GenerationError } from '../../../tools/generate/doc-comment.ts'
import { checkKinds } from '../../../tools/generate/kind-checks.ts'
import { kindSources } from '../../../tools/generate/kind-source.ts'
import { projectOf } from './sources.ts'

const source = `
/** Thing is a thing.
 * @cel self.metadata.name != 'none' :: the name must not be 'none' */
export const Thing = defineKind<ThingSpec, ThingStatus>({})
/** ThingSpec describes a thing. */
export interface ThingSpec {
  /** zoneName names the zone.
   * @maxLength 63
   * @immutable */
  readonly zoneName: string
  /** count counts.
   * @integer
   * @minimum 0
   * @maximum 9 */
  readonly count: number
}
interface Condition {
  /** type is the type. */
  readonly type: 'Ready'
}
/** ThingStatus is what is known of a thing. */
export interface ThingStatus {
  /** conditions say how it is.
   * @listType map
   * @listMapKey type
   * @maxItems 8 */
  readonly conditions?: readonly Condition[]
}`

const thing: KindDefinition = {
  group: 'test.skystead.dev',
  version: 'v1alpha1',
  kind: 'Thing',
  plural: 'things',
  scope: 'Namespaced',
  shortNames: ['th'],
  columns: [{ name: 'Count', type: 'integer', jsonPath: '.spec.count' }],
  conditions: { Made: 'The thing has been made.' },
  shard: 'zone',
  selectableFields: ['.spec.zoneName'],
}

function check(changes: Partial<KindDefinition>, text = source): void {
  checkKinds(kindSources(projectOf(text), [defineKind({ ...thing, ...changes })]))
}

const columns = Array.from({ length: 5 }, () => ({ name: 'Count', type: 'integer', jsonPath: '.spec.count' }) as const)

const refusals: Readonly<Record<string, readonly [Partial<KindDefinition>, RegExp]>> = {
  "a short name of Kubernetes'": [{ shortNames: ['po'] }, /the name 'po' belongs to Kubernetes/],
  "a plural of Kubernetes'": [{ plural: 'pods' }, /the name 'pods' belongs to Kubernetes/],
  'five columns': [{ columns }, /5 columns are shown always/],
  'a column of no field': [{ columns: [{ name: 'X', type: 'string', jsonPath: '.spec.x' }] }, /\.spec\.x is no field/],
  'a column of the wrong type': [
    { columns: [{ name: 'Count', type: 'string', jsonPath: '.spec.count' }] },
    /column 'Count' must be of type integer/,
  ],
  'a selectable field that is none': [{ selectableFields: ['.spec.x'] }, /\.spec\.x is no scalar field/],
  'a selectable field inside a list': [
    { selectableFields: ['.status.conditions[0].type'] },
    /is no scalar field outside of lists/,
  ],
  "a condition of the engine's": [{ conditions: { Ready: 'It is ready.' } }, /condition 'Ready' is the engine's/],
  'a condition in lower case': [{ conditions: { made: 'It is made.' } }, /'made' must be PascalCase/],
  'a condition that does not say what it means': [{ conditions: { Made: 'made' } }, /must say in a sentence/],
}

for (const [name, [changes, message]] of Object.entries(refusals)) {
  test(`a kind with ${name} is refused where it is declared`, t => {
    const error = t.throws(() => check(changes), { instanceOf: GenerationError, message })
    t.is(error.place.line, 4)
  })
}

test('a kind that is sound is accepted', t => {
  t.notThrows(() => check({}))
})

test("shard 'zone' needs a zoneName that cannot change", t => {
  t.throws(() => check({}, source.replace('   * @immutable */', '   */')), {
    message: /needs a required and immutable/,
  })
  t.notThrows(() => check({ shard: 'global' }, source.replace('   * @immutable */', '   */')))
})

test('two kinds may not share a name', t => {
  const other = source.replaceAll('Thing', 'Other').replace(/interface Condition \{[^}]*\}/, '')
  const project = projectOf(source + other)
  const kinds = [thing, { ...thing, kind: 'Other', plural: 'others' }]
  t.throws(() => checkKinds(kindSources(project, kinds)), { message: /the name 'th' belongs to Thing/ })
})

test('a kind that is missing in the table is refused, and so is one without a source', t => {
  t.throws(() => kindSources(projectOf(source), []), { message: '/kind.ts:4: `Thing` is missing in crds/kinds.ts' })
  t.throws(() => kindSources(projectOf(''), [thing]), { message: /Cannot generate Thing/ })
})

test('types and descriptions must bear the name of the kind', t => {
  const renamed = source.replaceAll('ThingSpec', 'ThingWish')
  t.throws(() => kindSources(projectOf(renamed), [thing]), { message: /`ThingWish` must be called `ThingSpec`/ })
  const described = source.replace('ThingSpec describes a thing', 'Describes a thing')
  t.throws(() => kindSources(projectOf(described), [thing]), { message: /must begin with its name/ })
})

test('a CRD says everything that kubectl needs', t => {
  const [made] = kindSources(projectOf(source), [thing])
  t.truthy(made)
  if (made === undefined) return
  t.like(customResourceDefinition(made), {
    metadata: { name: 'things.test.skystead.dev' },
    spec: {
      group: 'test.skystead.dev',
      scope: 'Namespaced',
      names: {
        categories: ['skystead'],
        kind: 'Thing',
        listKind: 'ThingList',
        plural: 'things',
        singular: 'thing',
        shortNames: ['th'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          additionalPrinterColumns: [
            { name: 'Count', type: 'integer', jsonPath: '.spec.count' },
            { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
            { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason', priority: 1 },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          selectableFields: [{ jsonPath: '.spec.zoneName' }],
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              required: ['spec'],
              'x-kubernetes-validations': [
                { rule: "self.metadata.name != 'none'", message: "the name must not be 'none'" },
              ],
              properties: {
                spec: { description: 'spec describes a thing.' },
                status: {
                  properties: {
                    conditions: { description: "conditions say how it is. 'Made': The thing has been made." },
                  },
                },
              },
            },
          },
        },
      ],
    },
  })
  const [plain] = kindSources(projectOf(source), [{ ...thing, statusSubresource: false }])
  t.false(JSON.stringify(plain === undefined ? undefined : customResourceDefinition(plain)).includes('subresources'))
})
