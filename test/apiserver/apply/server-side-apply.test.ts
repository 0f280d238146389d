import test from 'ava'
import { conflictMessage } from '../../../apiserver/apply/server-side-apply.ts'
import { apply, configuration, conflictsOf, fieldsOf, update } from './applies.ts'

test('an apply creates the object and owns all that it says', t => {
  const object = apply(
    undefined,
    configuration({ size: 1, map: { a: 'b' }, set: ['x'], nics: [{ name: 'a', mac: '1' }] }),
  )
  t.deepEqual(object.metadata.managedFields, [
    {
      manager: 'kubectl',
      operation: 'Apply',
      apiVersion: 'example.dev/v1',
      time: '2026-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:spec': {
          'f:map': { 'f:a': {} },
          'f:nics': { 'k:{"name":"a"}': { '.': {}, 'f:mac': {}, 'f:name': {} } },
          'f:set': { 'v:"x"': {} },
          'f:size': {},
        },
      },
    },
  ] as object[] as never)
})

test('repeating an apply gives back the very object', t => {
  const object = apply(undefined, configuration({ size: 1, nics: [{ name: 'a' }] }))
  t.is(apply(object, configuration({ size: 1, nics: [{ name: 'a' }] }), { time: '2027-01-01T00:00:00Z' }), object)
})

test('what the server sets itself is neither merged nor owned', t => {
  const live = update(undefined, configuration({}, { uid: 'u', resourceVersion: '7', creationTimestamp: 'then' }), {
    manager: 'other',
  })
  const server = { uid: 'v', resourceVersion: '9', creationTimestamp: null, generation: 4, managedFields: [] }
  const object = apply(live, configuration({ size: 1 }, server))
  t.like(object.metadata, { name: 'x', uid: 'u', resourceVersion: '7', creationTimestamp: 'then' } as object)
  t.deepEqual(fieldsOf(object, 'kubectl'), { 'f:spec': { 'f:size': {} } })
})

test('labels and finalizers merge with those of others', t => {
  const first = apply(undefined, configuration({}, { labels: { a: '1' }, finalizers: ['f'] }), { manager: 'one' })
  const second = apply(first, configuration({}, { labels: { b: '2' }, finalizers: ['g'] }), { manager: 'two' })
  t.like(second.metadata, { labels: { a: '1', b: '2' }, finalizers: ['f', 'g'] } as object)
  const third = apply(second, configuration({}), { manager: 'one' })
  t.like(third.metadata, { labels: { b: '2' }, finalizers: ['g'] } as object)
  t.deepEqual(fieldsOf(third, 'one'), { 'f:spec': {} })
})

test("a field of another manager's with another value conflicts, with the same value is shared", t => {
  const live = apply(undefined, configuration({ size: 1, name: 'a' }), { manager: 'one' })
  const conflicts = conflictsOf(live, configuration({ size: 2, name: 'a' }), { manager: 'two' })
  t.deepEqual(conflicts, [{ manager: '"one"', field: '.spec.size', message: 'conflict with "one"' }])
  const shared = apply(live, configuration({ size: 1 }), { manager: 'two' })
  t.deepEqual(fieldsOf(shared, 'one'), { 'f:spec': { 'f:name': {}, 'f:size': {} } })
  t.deepEqual(fieldsOf(shared, 'two'), { 'f:spec': { 'f:size': {} } })
})

test('a shared field stays until its last owner drops it', t => {
  const one = apply(undefined, configuration({ size: 1 }), { manager: 'one' })
  const both = apply(one, configuration({ size: 1 }), { manager: 'two' })
  const left = apply(both, configuration({}), { manager: 'one' })
  t.deepEqual(left.spec, { size: 1 })
  const emptied: unknown = apply(left, configuration({}), { manager: 'two' }).spec
  t.is(emptied, null, 'for the schema to drop or to refuse')
})

test('force takes a field over', t => {
  const live = apply(undefined, configuration({ size: 1, name: 'a' }), { manager: 'one' })
  const object = apply(live, configuration({ size: 2 }), { manager: 'two', force: true })
  t.deepEqual(object.spec, { size: 2, name: 'a' })
  t.deepEqual(fieldsOf(object, 'one'), { 'f:spec': { 'f:name': {} } })
})

test('an updater is named with its version and its subresource', t => {
  const live = update(undefined, configuration({ size: 1, nics: [{ name: 'a', mac: '1' }] }), { manager: 'web' })
  const scaled = update(live, { ...live, spec: { ...live.spec, name: 'b' } }, { manager: 'ctl', subresource: 'scale' })
  const applied = configuration({ size: 2, name: 'c', nics: [{ name: 'a', mac: '2' }] })
  const conflicts = conflictsOf(scaled, applied)
  t.is(
    conflictMessage(conflicts),
    `Apply failed with 3 conflicts: conflicts with "ctl" with subresource "scale" using example.dev/v1:
- .spec.name
conflicts with "web" using example.dev/v1:
- .spec.size
- .spec.nics[name="a"].mac`,
  )
  t.is(
    conflictMessage(conflicts.slice(2, 3)),
    'Apply failed with 1 conflict: conflict with "web" using example.dev/v1: .spec.nics[name="a"].mac',
  )
})

test('a field that the configuration drops goes, one of another manager stays', t => {
  const live = apply(undefined, configuration({ size: 1, name: 'a', map: { x: '1', y: '2' } }))
  const updated = update(
    live,
    { ...live, spec: { ...live.spec, map: { x: '1', y: '2', z: '3' } } },
    { manager: 'other' },
  )
  const object = apply(updated, configuration({ size: 1, map: { x: '1' } }))
  t.deepEqual(object.spec, { size: 1, map: { x: '1', z: '3' } })
})

test('an element of a list map that the configuration drops goes, with what others set in it', t => {
  const live = apply(undefined, configuration({ nics: [{ name: 'a', mac: '1' }, { name: 'b' }, { name: 'c' }] }))
  const updated = update(live, {
    ...live,
    spec: { nics: [{ name: 'a', mac: '1' }, { name: 'b', mac: '2' }, { name: 'c' }] },
  })
  const object = apply(updated, configuration({ nics: [{ name: 'c' }] }))
  t.deepEqual(object.spec, { nics: [{ name: 'c' }] })
  t.is(fieldsOf(object, 'other', 'Update'), undefined)
})

test('applied elements keep the order of the configuration, others their place between them', t => {
  const live = update(undefined, configuration({ set: ['a', 'b', 'c', 'd'] }), { manager: 'other' })
  t.deepEqual(apply(live, configuration({ set: ['d', 'new', 'b'] })).spec, { set: ['a', 'c', 'd', 'new', 'b'] })
})

test('a key left out is its default', t => {
  const live = apply(undefined, configuration({ ports: [{ port: 80 }, { port: 80, protocol: 'UDP' }] }))
  const object = apply(live, configuration({ ports: [{ port: 80, protocol: 'TCP', note: 'x' }] }), { manager: 'two' })
  t.deepEqual(object.spec, {
    ports: [
      { port: 80, protocol: 'TCP', note: 'x' },
      { port: 80, protocol: 'UDP' },
    ],
  })
})

test('atomic lists and maps are replaced and owned as one', t => {
  const live = apply(undefined, configuration({ atomicList: ['a', 'b'], atomicMap: { a: '1' } }), { manager: 'one' })
  t.deepEqual(fieldsOf(live, 'one'), { 'f:spec': { 'f:atomicList': {}, 'f:atomicMap': {} } })
  const applied = configuration({ atomicList: ['c'], atomicMap: { b: '2' } })
  t.deepEqual(
    conflictsOf(live, applied, { manager: 'two' }).map(({ field }) => field),
    ['.spec.atomicList', '.spec.atomicMap'],
  )
  t.deepEqual(apply(live, applied, { manager: 'two', force: true }).spec, { atomicList: ['c'], atomicMap: { b: '2' } })
})

test('a list map whose keys occur twice is treated as one value', t => {
  const live = apply(undefined, configuration({ nics: [{ name: 'a' }, { name: 'a', mac: '1' }] }))
  t.deepEqual(fieldsOf(live, 'kubectl'), { 'f:spec': { 'f:nics': {} } })
  t.deepEqual(apply(live, configuration({ nics: [{ name: 'b' }] })).spec, { nics: [{ name: 'b' }] })
})

test('what was there before the first apply belongs to before-first-apply', t => {
  const live = {
    apiVersion: 'example.dev/v1',
    kind: 'Thing',
    metadata: { name: 'x', uid: 'u' },
    spec: { size: 1, name: 'a' },
  }
  t.is(conflictsOf(live, configuration({ size: 2 }))[0]?.manager, '"before-first-apply" using example.dev/v1')
  const object = apply(live, configuration({ size: 2 }), { force: true })
  t.deepEqual(fieldsOf(object, 'before-first-apply', 'Update'), { 'f:spec': { '.': {}, 'f:name': {} } })
})

test('fields that a request cannot set are left out', t => {
  const live = update(undefined, { ...configuration({ size: 1 }), status: { phase: 'Up' } }, { manager: 'other' })
  const object = apply(live, { ...configuration({ size: 1 }), status: { phase: 'Down' } }, { resetFields: ['status'] })
  t.deepEqual(object.status, { phase: 'Up' })
  t.deepEqual(fieldsOf(object, 'kubectl'), { 'f:spec': { 'f:size': {} } })
})

test('the time of an applier moves only with the object', t => {
  const live = apply(undefined, configuration({ size: 1 }))
  const updated = update(
    live,
    { ...live, spec: { size: 1, name: 'b' } },
    { manager: 'other', time: '2026-02-01T00:00:00Z' },
  )
  const times = (object: typeof live) => object.metadata.managedFields?.map(entry => entry.time)
  t.deepEqual(times(updated), ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'])
  const again = apply(updated, configuration({ size: 1 }), { time: '2026-03-01T00:00:00Z' })
  t.is(again, updated)
  const more = apply(updated, configuration({ size: 1, name: 'b' }), { time: '2026-03-01T00:00:00Z' })
  t.deepEqual(times(more), ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'])
  t.deepEqual(fieldsOf(more, 'kubectl'), { 'f:spec': { 'f:name': {}, 'f:size': {} } })
})

test("kubectl's record of the last client-side apply follows its server-side applies", t => {
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration'
  const live = update(undefined, configuration({ size: 1 }, { annotations: { [annotation]: '{"old":true}' } }), {
    manager: 'kubectl-client-side-apply',
  })
  const record = apply(live, configuration({ size: 1, name: 'b' })).metadata.annotations?.[annotation] ?? ''
  t.like(JSON.parse(record), { spec: { size: 1, name: 'b' } })
  const other = apply(live, configuration({ name: 'b' }), { manager: 'other' })
  t.is(other.metadata.annotations?.[annotation], '{"old":true}')
})
