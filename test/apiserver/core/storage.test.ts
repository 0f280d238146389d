import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'ava'
import type { APIObject } from '../../../apiserver/api-object.ts'
import type { DurableLog, LogRecord } from '../../../apiserver/storage/durable-log.ts'
import { memoryLog, StorageError } from '../../../apiserver/storage/durable-log.ts'
import { openSQLiteLog } from '../../../apiserver/storage/sqlite-log.ts'
import { Store } from '../../../apiserver/storage/store.ts'
import { configMap, configMaps, namesOf, startServer, startWithThings, thing, things } from './harness.ts'

function object(name: string, more: object = {}): APIObject {
  return { apiVersion: 'v1', kind: 'Sample', metadata: { name, uid: `uid-${name}` }, ...more }
}

/** A log whose appends wait until they are told how to end. */
function heldLog() {
  const waiting: { readonly records: readonly LogRecord[]; readonly end: (error?: Error) => void }[] = []
  const log: DurableLog = {
    ...memoryLog(),
    append: records =>
      new Promise((resolve, reject) => {
        waiting.push({ records, end: error => (error === undefined ? resolve() : reject(error)) })
      }),
  }
  const turn = () => new Promise(setImmediate)
  const next = async () => {
    while (waiting.length === 0) await turn()
    return waiting.shift()
  }
  return { log, next, turn }
}

function temporaryHome(t: { teardown(action: () => void): void }): string {
  const home = mkdtempSync(join(tmpdir(), 'skystead-storage-'))
  t.teardown(() => rmSync(home, { recursive: true, force: true }))
  return home
}

test('a write is seen by nobody before it is durable', async t => {
  const { log, next, turn } = heldLog()
  const store = await Store.open(log)
  let answered = false
  const write = store.put('samples', 'a', object('a')).then(() => {
    answered = true
  })
  const append = await next()
  await turn()
  t.false(answered)
  t.is(store.get('samples', 'a'), undefined)
  t.is(store.version, 0)
  t.is(store.latest('samples', 'a')?.name, 'a')
  append?.end()
  await write
  t.is(store.get('samples', 'a')?.version, 1)
})

test('writes that wait for the disk are stored together, those after them in the next batch', async t => {
  const { log, next } = heldLog()
  const store = await Store.open(log)
  const first = [store.put('samples', 'a', object('a')), store.put('samples', 'b', object('b'))]
  const one = await next()
  t.is(one?.records.length, 2)
  const second = [store.put('samples', 'c', object('c')), store.delete('samples', 'a')]
  one?.end()
  await Promise.all(first)
  const two = await next()
  t.deepEqual(
    two?.records.map(record => [record.key, record.value === undefined]),
    [
      ['c', false],
      ['a', true],
    ],
  )
  two?.end()
  await Promise.all(second)
  t.deepEqual([...store.collection('samples').entries.keys()], ['b', 'c'])
})

test('a batch that cannot be stored fails with all that came after it, and later writes go on', async t => {
  const { log, next } = heldLog()
  const store = await Store.open(log)
  const first = store.put('samples', 'a', object('a'))
  const failing = await next()
  const second = store.put('samples', 'a', object('a', { size: 2 }))
  failing?.end(new StorageError('Full', 'Cannot write: the disk is full'))
  await t.throwsAsync(first, { instanceOf: StorageError, message: /disk is full/ })
  await t.throwsAsync(second, { instanceOf: StorageError })
  t.is(store.latest('samples', 'a'), undefined)
  const third = store.put('samples', 'a', object('a', { size: 3 }))
  ;(await next())?.end()
  t.is((await third).object.size, 3)
})

test('a full disk refuses writes with 507 and still answers reads and watches', async t => {
  let full = false
  const log = {
    ...memoryLog(),
    append: async () => {
      if (full) throw new StorageError('Full', 'Cannot write objects.db: the disk is full')
    },
  }
  const { post, get, watch, settle } = await startServer({ log })
  await post(configMaps, configMap('a'))
  const events = await watch(
    `${configMaps}?watch=true&resourceVersion=${(await get(configMaps)).body.metadata.resourceVersion}`,
  )
  full = true
  const refused = await post(configMaps, configMap('b'))
  t.is(refused.status, 507)
  t.true(refused.body.message.includes('the disk is full'))
  t.deepEqual(namesOf(await get(configMaps)), ['a'])
  full = false
  t.is((await post(configMaps, configMap('b'))).status, 201)
  await settle()
  t.deepEqual(events.names(), ['ADDED b'])
})

test('above the limit of its size nothing is created and nothing grows, until enough is deleted', async t => {
  let usedBytes = 0
  const log = { ...memoryLog(), usedBytes: () => usedBytes }
  const { post, merge, remove, get } = await startServer({ log, store: { sizeLimit: 1024 ** 2 } })
  const finalizers = ['example.com/held']
  await post(configMaps, { ...configMap('a'), data: { size: 'long' } })
  await post(configMaps, { ...configMap('held'), metadata: { name: 'held', finalizers } })
  usedBytes = 1024 ** 2 + 1
  const refused = await post(configMaps, configMap('b'))
  t.is(refused.status, 507)
  t.regex(refused.body.message, /the objects take 2 MiB, and may take 1 MiB; delete some.*database space exceeded/)
  t.is((await merge(`${configMaps}/a`, { data: { size: 'longer' } })).status, 507)
  t.is((await merge(`${configMaps}/a`, { data: null })).status, 200)
  // What waits for a finalizer grows by its mark, and goes.
  t.is((await remove(`${configMaps}/held`)).status, 200)
  t.is((await merge(`${configMaps}/held`, { metadata: { finalizers: null } })).status, 200)
  t.deepEqual(namesOf(await get(configMaps)), ['a'])
  usedBytes = 1024 ** 2
  t.is((await post(configMaps, configMap('b'))).status, 201)
})

test('space that dropped records leave is given back to the disk', async t => {
  const path = join(temporaryHome(t), 'objects.db')
  const log = await openSQLiteLog(path)
  const store = await Store.open(log, { compactionThreshold: 20 })
  const padding = 'x'.repeat(50_000)
  await Promise.all(
    Array.from({ length: 200 }, (_, index) => store.put('samples', `s${index}`, object(`s${index}`, { padding }))),
  )
  const before = store.usage.usedBytes
  await Promise.all(Array.from({ length: 200 }, (_, index) => store.delete('samples', `s${index}`)))
  // Each compaction gives a piece back.
  for (let index = 0; index < 400; index++) await store.put('samples', 'a', object('a', { index }))
  t.true(store.usage.usedBytes < before / 4)
  await store.close()
  t.true(statSync(path).size < before / 2)
})

test('a refusal that rests on a write in flight waits for that write', async t => {
  const { log, next, turn } = heldLog()
  const starting = startServer({ log })
  let coming = next()
  // What a server writes at its start is none of this.
  for (;;) {
    const append = await Promise.race([coming, starting.then(() => undefined)])
    if (append === undefined) break
    append.end()
    coming = next()
  }
  const { post } = await starting
  const first = post(configMaps, configMap('a'))
  const append = await coming
  let refused = false
  const second = post(configMaps, configMap('a')).then(answer => {
    refused = true
    return answer
  })
  await turn()
  t.false(refused)
  append?.end()
  t.is((await first).status, 201)
  t.is((await second).status, 409)
})

test('waiting for what is staged does not wait for what is staged later', async t => {
  const { log, next } = heldLog()
  const store = await Store.open(log)
  const first = store.put('samples', 'a', object('a'))
  const append = await next()
  const settled = store.settled()
  append?.end()
  await first
  store.put('samples', 'b', object('b'))
  await settled
  t.is(store.get('samples', 'b'), undefined)
})

test('objects, versions and watches go on after a restart', async t => {
  const path = join(temporaryHome(t), 'objects.db')
  const before = await startWithThings({ log: await openSQLiteLog(path) })
  const { body: first } = await before.post(things, thing('a', { size: 1 }))
  await before.post(things, thing('b'))
  await before.merge(`${things}/a`, { spec: { size: 2 } })
  await before.remove(`${things}/b`)
  const { body: kept } = await before.get(`${things}/a`)
  await before.server.close()

  const after = await startServer({ log: await openSQLiteLog(path) })
  t.deepEqual((await after.get(`${things}/a`)).body, kept)
  t.is((await after.get(`${things}/b`)).status, 404)
  const events = await after.watch(`${things}?watch=true&resourceVersion=${first.metadata.resourceVersion}`)
  const { body: next } = await after.post(things, thing('c'))
  t.true(Number(next.metadata.resourceVersion) > Number(kept.metadata.resourceVersion))
  await after.settle()
  t.deepEqual(events.names(), ['ADDED b', 'MODIFIED a', 'DELETED b', 'ADDED c'])
  await after.server.close()
})

test('what a restart interrupts is carried on: namespaces drain, garbage goes', async t => {
  const path = join(temporaryHome(t), 'objects.db')
  const store = await Store.open(await openSQLiteLog(path))
  const deletionTimestamp = '2026-01-01T00:00:00Z'
  await store.put('namespaces', 'team', {
    ...object('team'),
    kind: 'Namespace',
    metadata: { name: 'team', uid: 'u1', deletionTimestamp },
    spec: { finalizers: ['kubernetes'] },
  })
  await store.put('configmaps', 'team/a', {
    ...object('a'),
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'team', uid: 'u2' },
  })
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: 'u9' }]
  await store.put('configmaps', 'default/b', {
    ...object('b'),
    kind: 'ConfigMap',
    metadata: { name: 'b', namespace: 'default', uid: 'u3', ownerReferences },
  })
  await store.close()
  const { get, server, environment } = await startServer({ log: await openSQLiteLog(path) })
  const deadline = Date.now() + 5_000
  const isDone = async () =>
    (await get('/api/v1/namespaces/team')).status === 404 && namesOf(await get('/api/v1/configmaps')).length === 0
  while (!(await isDone()) && Date.now() < deadline) await environment.flush()
  t.true(await isDone(), 'what was under way is carried on')
  await server.close()
})

test('compaction drops replaced records and forgets their history', async t => {
  const path = join(temporaryHome(t), 'objects.db')
  const store = await Store.open(await openSQLiteLog(path), { compactionThreshold: 20 })
  await store.put('samples', 'still', object('still'))
  for (let index = 0; index < 100; index++) await store.put('samples', 'a', object('a', { index }))
  await store.put('samples', 'b', object('b'))
  await store.delete('samples', 'b')
  await store.close()
  const log = await openSQLiteLog(path)
  const records: LogRecord[] = []
  const { forgotten } = await log.load(record => records.push(record))
  t.true(records.length < 30)
  t.true(forgotten > 50)
  await log.close()
  const reopened = await Store.open(await openSQLiteLog(path))
  t.is(reopened.get('samples', 'a')?.object.index, 99)
  t.is(reopened.get('samples', 'still')?.version, 1)
  t.is(reopened.get('samples', 'b'), undefined)
  t.false(reopened.collection('samples').history.knows(forgotten - 1))
  t.true(reopened.collection('samples').history.knows(forgotten))
  t.true(reopened.version >= 103)
  await reopened.close()
})

test('the log is readable by its owner only, and held by one process', async t => {
  const path = join(temporaryHome(t), 'objects.db')
  const log = await openSQLiteLog(path)
  t.is(statSync(path).mode & 0o777, 0o600)
  await t.throwsAsync(openSQLiteLog(path), {
    instanceOf: StorageError,
    message: `Cannot open ${path}: another process is using it`,
  })
  await log.close()
  await (await openSQLiteLog(path)).close()
})

test('a damaged log is refused with what to do', async t => {
  const path = join(temporaryHome(t), 'objects.db')
  writeFileSync(path, 'this is not a database at all, but it is long enough to look like a page of one'.repeat(100))
  await t.throwsAsync(openSQLiteLog(path), { instanceOf: StorageError, message: /damaged.*restore a backup/ })
})

test('an answered write survives kill -9', async t => {
  const home = temporaryHome(t)
  const path = join(home, 'objects.db')
  const answered = new Set<string>()
  for (let round = 0; round < 3; round++) {
    const writer = spawn(process.execPath, [join(import.meta.dirname, 'killed-writer.ts'), path, String(round)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for await (const line of createInterface({ input: writer.stdout })) {
      answered.add(line)
      if (answered.size === (round + 1) * 300) writer.kill('SIGKILL')
    }
    if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit')
  }
  const store = await Store.open(await openSQLiteLog(path))
  const lost = [...answered].filter(name => store.get('samples', name) === undefined)
  t.deepEqual(lost, [])
  t.true(answered.size >= 900)
  await store.close()
})
