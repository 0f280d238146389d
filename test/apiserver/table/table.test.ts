import test from 'ava'
import { cellsOf, columnDefinitionsOf } from '../../../apiserver/table/table.ts'
import { definition } from './definitions.ts'

const now = Date.parse('2026-01-01T01:00:00Z')

/** The columns of a kind, and the cells of an object in them. */
function printed(kind: Parameters<typeof definition>, object: Parameters<typeof cellsOf>[1]) {
  const defined = definition(...kind)
  return { columns: columnDefinitionsOf(defined), cells: cellsOf(defined, object, now) }
}

const thing = {
  apiVersion: 'example.dev/v1',
  kind: 'Thing',
  metadata: { name: 'a', creationTimestamp: '2026-01-01T00:00:00Z', resourceVersion: '7' },
  spec: { size: 3, ratio: 0.5, on: true, list: ['x', 1] },
  status: { since: 'never', conditions: [{ type: 'Ready', status: 'True' }] },
}

test('cells have the type of their column, and nothing where there is nothing', t => {
  const columns = [
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status', priority: 0 },
    { name: 'Size', type: 'integer', jsonPath: '.spec.size', priority: 0 },
    { name: 'Text', type: 'string', jsonPath: '.spec.size', priority: 0 },
    { name: 'Ratio', type: 'number', jsonPath: '.spec.ratio', priority: 1 },
    { name: 'On', type: 'boolean', jsonPath: '.spec.on', priority: 0 },
    { name: 'List', type: 'string', jsonPath: '.spec.list', priority: 0 },
    { name: 'Wrong', type: 'integer', jsonPath: '.spec.on', priority: 0 },
    { name: 'None', type: 'string', jsonPath: '.spec.none', priority: 0 },
    { name: 'Since', type: 'date', jsonPath: '.status.since', priority: 0 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', priority: 0 },
  ] as const
  const shown = printed([columns], thing)
  t.deepEqual(shown.cells, ['a', 'True', 3, '3', 0.5, true, '["x",1]', null, null, '<invalid>', '60m'])
  t.deepEqual(
    shown.columns.map(({ name, priority }) => `${name} ${priority}`),
    ['Name 0', 'Ready 0', 'Size 0', 'Text 0', 'Ratio 1', 'On 0', 'List 0', 'Wrong 0', 'None 0', 'Since 0', 'Age 0'],
  )
})

test('a kind without columns shows name and age', t => {
  t.deepEqual(printed([[]], thing).cells, ['a', '60m'])
})

const created = { name: 'a', creationTimestamp: '2026-01-01T00:58:00Z' }

/** Kinds of the server: kind, group, object, names of the columns, cells. */
const builtin: readonly (readonly [
  string,
  string,
  Parameters<typeof cellsOf>[1],
  readonly string[],
  readonly unknown[],
])[] = [
  [
    'Namespace',
    '',
    { metadata: created, status: { phase: 'Active' } },
    ['Name', 'Status', 'Age'],
    ['a', 'Active', '2m'],
  ],
  [
    'Secret',
    '',
    { metadata: created, type: 'Opaque', data: { a: '', b: '' } },
    ['Name', 'Type', 'Data', 'Age'],
    ['a', 'Opaque', 2, '2m'],
  ],
  [
    'ConfigMap',
    '',
    { metadata: created, data: { a: '' }, binaryData: { b: '' } },
    ['Name', 'Data', 'Age'],
    ['a', 2, '2m'],
  ],
  [
    'Lease',
    'coordination.k8s.io',
    { metadata: created, spec: { holderIdentity: 'me' } },
    ['Name', 'Holder', 'Age'],
    ['a', 'me', '2m'],
  ],
  [
    'CustomResourceDefinition',
    'apiextensions.k8s.io',
    { metadata: created },
    ['Name', 'Created At'],
    ['a', '2026-01-01T00:58:00Z'],
  ],
  [
    'Event',
    '',
    {
      metadata: created,
      type: 'Normal',
      reason: 'Started',
      involvedObject: { kind: 'VirtualMachine', name: 'web-1', fieldPath: 'spec' },
      source: { component: 'skystead', host: 'h1' },
      message: ' It runs. ',
      firstTimestamp: '2026-01-01T00:50:00Z',
      lastTimestamp: '2026-01-01T00:59:00Z',
      count: 4,
    },
    ['Last Seen', 'Type', 'Reason', 'Object', 'Subobject', 'Source', 'Message', 'First Seen', 'Count', 'Name'],
    ['60s', 'Normal', 'Started', 'virtualmachine/web-1', 'spec', 'skystead, h1', 'It runs.', '10m', 4, 'a'],
  ],
  [
    'Event',
    'events.k8s.io',
    {
      metadata: created,
      type: 'Warning',
      reason: 'Lost',
      regarding: { kind: 'Host', name: 'h1' },
      reportingController: 'skystead',
      note: 'It is gone.',
      eventTime: '2026-01-01T00:59:30.000000Z',
    },
    ['Last Seen', 'Type', 'Reason', 'Object', 'Subobject', 'Source', 'Message', 'First Seen', 'Count', 'Name'],
    ['30s', 'Warning', 'Lost', 'host/h1', '', 'skystead', 'It is gone.', '30s', 1, 'a'],
  ],
]

for (const [kind, group, object, names, cells] of builtin) {
  test(`${kind}.${group} has its own columns`, t => {
    const shown = printed([[], { kind, group, builtin: true }], object)
    t.deepEqual(
      shown.columns.map(({ name }) => name),
      names,
    )
    t.deepEqual(shown.cells, cells)
  })
}

test('a kind of a CRD that is named like one of the server has no such columns', t => {
  t.deepEqual(printed([[], { kind: 'Secret', group: '' }], thing).cells, ['a', '60m'])
})
