import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { RecordStore } from '../../../controllers/records/record-store.ts'
import { createSQLiteStore } from '../../../controllers/records/sqlite-store.ts'
import { operationRecord } from './samples.ts'

async function inDirectory(use: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'skystead-records-'))
  try {
    await use(join(directory, 'records.db'))
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function idsOf(store: RecordStore, query: Partial<Parameters<RecordStore['query']>[0]> = {}) {
  return (await store.query({ limit: 100, ...query })).map(({ id }) => id)
}

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`

test('records are kept over a restart, whole, in order of time, and for the owner alone', t =>
  inDirectory(async path => {
    const store = createSQLiteStore({ path })
    t.false(existsSync(path), 'nothing is made before the first record')
    await store.append([operationRecord('2', at(2)), operationRecord('1', at(1))])
    await store.close()
    const again = createSQLiteStore({ path })
    t.deepEqual(await again.query({ limit: 10 }), [operationRecord('1', at(1)), operationRecord('2', at(2))])
    t.is((await stat(path)).mode & 0o777, 0o600)
    await again.close()
  }))

test('a record takes the place of the one with its id', t =>
  inDirectory(async path => {
    const store = createSQLiteStore({ path })
    const { endedAt: _, outcome: __, ...begun } = operationRecord('1', at(1))
    await store.append([begun])
    await store.append([operationRecord('1', at(1))])
    t.deepEqual(await store.query({ limit: 10 }), [operationRecord('1', at(1))])
    await store.close()
  }))

test('records are found by object, type and time; a gap is about every object', t =>
  inDirectory(async path => {
    const store = createSQLiteStore({ path })
    const { namespace: _, ...host } = operationRecord('3', at(3), { kind: 'Host', name: 'host-1' })
    const gap = { type: 'Gap', id: 'g', at: at(4), until: at(5), lost: 7 } as const
    await store.append([operationRecord('1', at(1)), operationRecord('2', at(2), { name: 'web-2' }), host, gap])
    t.deepEqual(await idsOf(store, { subject: { kind: 'VirtualMachine', namespace: 'shop', name: 'web-2' } }), [
      '2',
      'g',
    ])
    t.deepEqual(await idsOf(store, { subject: { kind: 'Host', name: 'host-1' } }), ['3', 'g'])
    t.deepEqual(await idsOf(store, { types: ['Operation'], limit: 2 }), ['2', '3'])
    t.deepEqual(await idsOf(store, { since: '2026-01-01T00:00:02Z', until: '2026-01-01T00:00:04Z' }), ['2', '3'])
    await store.close()
  }))

test('what is older than wanted goes, and so do the oldest when there is too much', t =>
  inDirectory(async path => {
    const store = createSQLiteStore({ path, mostBytes: 400_000 })
    await store.append([operationRecord('old', '2025-01-01T00:00:00.000Z'), operationRecord('new', at(1))])
    await store.prune('2025-06-01T00:00:00.000Z')
    t.deepEqual(await idsOf(store), ['new'])
    for (let batch = 0; batch < 40; batch++) {
      const ids = Array.from({ length: 50 }, (_each, index) => `${100 + batch}-${100 + index}`)
      await store.append(ids.map(id => operationRecord(id, at(batch), { message: 'x'.repeat(300) })))
    }
    const left = await idsOf(store, { limit: 5_000 })
    t.true(left.length > 200 && left.length < 1_500, `${left.length} of 2,000 are left`)
    t.is(left.at(-1), '139-149', 'the newest stay')
    t.true((await stat(path)).size < 1_000_000)
    await store.close()
  }))

test('a damaged file is put aside and a new one begun', t =>
  inDirectory(async path => {
    await writeFile(path, 'this is no database, however long one looks at it '.repeat(100))
    const store = createSQLiteStore({ path })
    await store.append([operationRecord('1', at(1))])
    t.deepEqual(await idsOf(store), ['1'])
    t.true(existsSync(`${path}.damaged`))
    await store.close()
  }))

test('a file that is removed while it is written is made anew', t =>
  inDirectory(async path => {
    const store = createSQLiteStore({ path })
    await store.append([operationRecord('1', at(1))])
    for (const suffix of ['', '-wal', '-shm']) await rm(`${path}${suffix}`, { force: true })
    await store.append([operationRecord('2', at(2))])
    t.deepEqual(await idsOf(store), ['2'])
    t.true(existsSync(path))
    await store.close()
  }))

test('a place that cannot be written is refused by name, again and again, until it can', t =>
  inDirectory(async path => {
    const store = createSQLiteStore({ path: join(path, 'missing', 'records.db') })
    await t.throwsAsync(store.append([operationRecord('1', at(1))]), { message: /Cannot use .*records\.db: / })
    await t.throwsAsync(store.append([operationRecord('1', at(1))]), { message: /Cannot use .*records\.db: / })
    await store.close()
  }))
