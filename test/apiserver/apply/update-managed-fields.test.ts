import test from 'ava'
import { apply, configuration, fieldsOf, update } from './applies.ts'

test('who creates an object owns its fields and what holds them', t => {
  const object = update(undefined, configuration({ size: 1, nics: [{ name: 'a' }] }, { labels: { a: 'b' } }))
  t.deepEqual(fieldsOf(object, 'kubectl', 'Update'), {
    'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
    'f:spec': { '.': {}, 'f:nics': { '.': {}, 'k:{"name":"a"}': { '.': {}, 'f:name': {} } }, 'f:size': {} },
  })
})

test('an update takes what it changes, and time moves only then', t => {
  const live = update(undefined, configuration({ size: 1, name: 'a' }), { manager: 'one' })
  const same = update(live, live, { manager: 'two', time: '2026-02-01T00:00:00Z' })
  t.deepEqual(same, live)
  const next = update(live, { ...live, spec: { size: 2, name: 'a' } }, { manager: 'two', time: '2026-02-01T00:00:00Z' })
  t.deepEqual(fieldsOf(next, 'two', 'Update'), { 'f:spec': { 'f:size': {} } })
  t.deepEqual(fieldsOf(next, 'one', 'Update'), { 'f:spec': { '.': {}, 'f:name': {} } })
  t.deepEqual(
    next.metadata.managedFields?.map(({ manager, time }) => `${manager} ${time}`),
    ['one 2026-01-01T00:00:00Z', 'two 2026-02-01T00:00:00Z'],
  )
})

test('a removed field has no owner any more', t => {
  const live = apply(undefined, configuration({ size: 1, name: 'a' }))
  const next = update(live, { ...live, spec: { size: 1 } }, { manager: 'other' })
  t.deepEqual(fieldsOf(next, 'kubectl'), { 'f:spec': { 'f:size': {} } })
  t.is(fieldsOf(next, 'other', 'Update'), undefined)
})

test('the same name through a subresource is another manager', t => {
  const live = update(undefined, configuration({ size: 1 }), { manager: 'web' })
  const next = update(live, { ...live, status: { phase: 'Up' } }, { manager: 'web', subresource: 'status' })
  t.deepEqual(
    next.metadata.managedFields?.map(({ manager, subresource = '' }) => `${manager}/${subresource}`),
    ['web/', 'web/status'],
  )
  t.deepEqual(next.metadata.managedFields?.[1]?.fieldsV1, { 'f:status': { '.': {}, 'f:phase': {} } })
})

test('an update may hand fields over by the managedFields that it carries', t => {
  const live = update(undefined, configuration({ size: 1 }), { manager: 'kubectl-client-side-apply' })
  const handed = live.metadata.managedFields?.map(entry => ({ ...entry, manager: 'kubectl', operation: 'Apply' }))
  const next = update(live, { ...live, metadata: { ...live.metadata, managedFields: handed } }, { manager: 'migrator' })
  t.deepEqual(
    next.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`),
    ['kubectl Apply'],
  )
})

test('an update without managedFields keeps those of the object, one with [{}] drops them', t => {
  const live = update(undefined, configuration({ size: 1 }))
  const { managedFields: _, ...metadata } = live.metadata
  t.deepEqual(update(live, { ...live, metadata }), live)
  t.is(update(live, { ...live, metadata: { ...metadata, managedFields: [{}] } }).metadata.managedFields, undefined)
})

test('an object that nobody was recorded for stays so until its first apply', t => {
  const live = configuration({ size: 1 })
  t.is(update(live, configuration({ size: 2 })).metadata.managedFields, undefined)
})

test('more than ten updaters are merged, the oldest first', t => {
  let object = update(undefined, configuration({ map: { m0: 'x' } }), { manager: 'm0' })
  for (let index = 1; index <= 12; index++) {
    const map = Object.fromEntries(Array.from({ length: index + 1 }, (_, number) => [`m${number}`, 'x']))
    const time = `2026-01-01T00:00:${String(index).padStart(2, '0')}Z`
    object = update(object, { ...object, spec: { map } }, { manager: `m${index}`, time })
  }
  const managers = object.metadata.managedFields?.map(entry => entry.manager) ?? []
  t.is(managers.length, 10)
  t.is(managers[0], 'ancient-changes')
  t.deepEqual(Object.keys(object.metadata.managedFields?.[0]?.fieldsV1 ?? {}), ['f:spec'])
  t.deepEqual(managers.slice(1), ['m4', 'm5', 'm6', 'm7', 'm8', 'm9', 'm10', 'm11', 'm12'])
})
