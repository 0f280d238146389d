import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { recordOptionsOf, recordStoreOf } from '../../cli/record-options.ts'
import { createMongoStore } from '../../controllers/records/mongo-store.ts'

const limits = { recordsKeep: 1, recordsSize: 2 }

test('the record store is named by its URL; a password comes from a file, never from an argument', async t => {
  t.is(recordStoreOf(recordOptionsOf({ ...limits, records: 'mongodb://db.example/skystead' }))?.name, 'MongoDB')
  t.is(recordStoreOf(recordOptionsOf({ ...limits, records: 'sqlite:./records.db' }))?.name, 'SQLite')
  t.is(recordStoreOf(recordOptionsOf(limits)), undefined)
  t.throws(() => recordOptionsOf({ ...limits, records: 'mongodb://root:sesame@db.example/' }), {
    message: /--records-url-file or SKYSTEAD_RECORDS/,
  })
  t.throws(() => recordStoreOf(recordOptionsOf({ ...limits, records: 'postgres://db' })), {
    message: /must begin with mongodb:/,
  })
  const directory = await mkdtemp(join(tmpdir(), 'skystead-records-'))
  try {
    const file = join(directory, 'url')
    await writeFile(file, 'mongodb://root:sesame@db.example/skystead\n')
    const found = recordOptionsOf({ ...limits, recordsUrlFile: file })
    t.is(found.url, 'mongodb://root:sesame@db.example/skystead')
    t.throws(() => recordOptionsOf({ ...limits, records: 'sqlite:a', recordsUrlFile: file }), {
      message: /one of them/,
    })
    t.throws(() => recordOptionsOf({ ...limits, recordsUrlFile: join(directory, 'none') }), { message: /Cannot read/ })
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('what the driver of MongoDB complains about is told without the password', async t => {
  const store = createMongoStore({ url: 'mongodb://root:ses%41me@[/skystead' })
  const error = await t.throwsAsync(store.query({ limit: 1 }))
  t.regex(error?.message ?? '', /^Cannot use MongoDB: /)
  t.false(/ses(%41|A)me/.test(error?.stack ?? ''))
})
