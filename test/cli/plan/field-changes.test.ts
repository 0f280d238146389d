import test from 'ava'
import { fieldChanges } from '../../../cli/plan/field-changes.ts'
import { changeText } from '../../../cli/plan/wording.ts'

test('equal values differ in nothing, whatever the order of their members', t => {
  t.deepEqual(fieldChanges({ a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 }), [])
})

test('fields are told by path; items of lists by the key that tells them apart', t => {
  const before = { cores: 1, disks: [{ name: 'root', pool: 'p' }] }
  const after = {
    cores: 4,
    disks: [
      { name: 'data', pool: 'q' },
      { name: 'root', pool: 'q' },
    ],
  }
  t.deepEqual(fieldChanges(before, after, 'spec'), [
    { path: 'spec.cores', before: 1, after: 4 },
    { path: 'spec.disks[root].pool', before: 'p', after: 'q' },
    { path: 'spec.disks[data]', after: { name: 'data', pool: 'q' } },
  ])
})

test('lists without a key are told as a whole, and what is gone without a value', t => {
  t.deepEqual(fieldChanges({ ports: [80], name: 'x' }, { ports: [80, 443] }), [
    { path: 'ports', before: [80], after: [80, 443] },
    { path: 'name', before: 'x' },
  ])
})

test('user data is never shown, only that it differs', t => {
  const changes = fieldChanges({ spec: { userData: 'password: a' } }, { spec: { userData: 'password: b' } })
  t.deepEqual(changes, [{ path: 'spec.userData', before: '(not shown)', after: '(not shown)' }])
  t.false(JSON.stringify(fieldChanges({}, { spec: { userData: 'password: b' } })).includes('password'))
})

test('sizes, lists and long values are worded for people', t => {
  t.is(changeText({ path: 'memoryBytes', before: 2 ** 29, after: 3 * 2 ** 30 }), 'memoryBytes: 512 MiB → 3 GiB')
  t.is(changeText({ path: 'sizeBytes', after: 1.5 * 2 ** 30 }), 'sizeBytes: 1.5 GiB')
  t.is(changeText({ path: 'disks', after: [{ name: 'root' }, { name: 'data' }] }), 'disks: root, data')
  t.is(changeText({ path: 'ports', before: [80, 443], after: [] }), 'ports: 80, 443 → none')
  t.is(changeText({ path: 'x', before: 'y' }), 'x: y → none')
  t.true(changeText({ path: 'x', after: 'y'.repeat(200) }).length < 70)
})
