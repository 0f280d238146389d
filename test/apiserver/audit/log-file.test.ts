import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { AuditEvent } from '../../../apiserver/audit/event.ts'
import { AuditLogFile, type AuditLogOptions } from '../../../apiserver/audit/log-file.ts'
import { type VirtualEnvironment, virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'

const day = 24 * 3_600_000

function event(auditID: string): AuditEvent {
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID,
    stage: 'ResponseComplete',
    requestURI: `/${'x'.repeat(100)}`,
    verb: 'get',
    user: {},
    requestReceivedTimestamp: '',
    stageTimestamp: '',
  }
}

interface Opened {
  readonly log: AuditLogFile
  readonly path: string
  readonly directory: string
  readonly environment: VirtualEnvironment
  readonly said: string[]
}

function openLog(t: ExecutionContext, options: Partial<AuditLogOptions> = {}): Opened {
  const directory = mkdtempSync(join(tmpdir(), 'skystead-audit-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'audit.log')
  const environment = virtualEnvironment()
  const said: string[] = []
  const logger = { error: (_fields: object, message: string) => void said.push(message) }
  const { clock } = environment
  const log = new AuditLogFile({ path, clock, logger, maxSize: 1_000_000, maxAge: 0, maxBackups: 0, ...options })
  return { log, path, directory, environment, said }
}

function idsIn(path: string): readonly string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line).auditID)
}

/** Lets the clock go on until a condition holds; writing takes real time. */
async function until({ environment }: Opened, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('it did not come about')
    await environment.advance(1_000)
    await new Promise(resolve => setImmediate(resolve))
  }
}

test('events are written in batches, for the owner only', async t => {
  const opened = openLog(t)
  const { log, path } = opened
  for (const id of ['a', 'b', 'c']) log.write(event(id))
  await until(opened, () => readdirSync(opened.directory).length > 0 && readFileSync(path).length > 0)
  t.deepEqual(idsIn(path), ['a', 'b', 'c'])
  t.is(statSync(path).mode & 0o777, 0o600)
  log.write(event('d'))
  await log.close()
  t.deepEqual(idsIn(path), ['a', 'b', 'c', 'd'])
  t.is(log.lost, 0)
})

test('a file that others could read is closed to them, and half a line in it stays alone', async t => {
  const { log, path } = openLog(t)
  writeFileSync(path, '{"auditID":"old"}\n{"audit', { mode: 0o644 })
  log.write(event('a'))
  await log.close()
  t.is(statSync(path).mode & 0o777, 0o600)
  const lines = readFileSync(path, 'utf8').split('\n')
  t.deepEqual([lines[0], lines[1], lines.length], ['{"auditID":"old"}', '{"audit', 4])
})

test('a full file is put aside, and only so many old ones are kept', async t => {
  const opened = openLog(t, { maxSize: 400, maxBackups: 2 })
  const { log, path, directory, environment } = opened
  for (let count = 0; count < 12; count++) {
    log.write(event(`${count}`))
    await until(opened, () => log.pending === 0)
    await environment.advance(1_000)
  }
  await log.close()
  const old = readdirSync(directory)
    .filter(name => name !== 'audit.log')
    .sort()
  t.is(old.length, 2)
  for (const name of old) {
    t.regex(name, /^audit-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log$/)
    t.true(statSync(join(directory, name)).size <= 400)
    t.is(statSync(join(directory, name)).mode & 0o777, 0o600)
  }
  const kept = [...old.map(name => join(directory, name)), path].flatMap(idsIn)
  t.deepEqual(kept, ['8', '9', '10', '11'].slice(-kept.length))
})

test('old files go when they are too old, others of the directory stay', async t => {
  const opened = openLog(t, { maxAge: 3 * day })
  const { log, directory, environment } = opened
  writeFileSync(join(directory, 'audit-notes.log'), '')
  for (let count = 0; count < 8; count++) {
    log.write(event(`${count}`))
    await until(opened, () => log.pending === 0)
    await environment.advance(day)
  }
  await log.close()
  const names = readdirSync(directory)
  t.true(names.includes('audit-notes.log'))
  // One for each day that is kept, and the one that the last day was put aside as.
  t.true(names.length >= 5 && names.length <= 6, names.join())
})

test('a full disk loses events, says so once, and is tried again', async t => {
  const opened = openLog(t, { maxPending: 1_000 })
  const { log, path, said } = opened
  symlinkSync('/dev/full', path)
  for (let count = 0; count < 20; count++) log.write(event(`${count}`))
  await until(opened, () => log.failing)
  t.true(log.lost > 10 && log.lost < 20)
  await opened.environment.advance(10_000)
  t.deepEqual(said, ['cannot write the audit log: events may be lost'])
  rmSync(path)
  await until(opened, () => !log.failing)
  t.deepEqual(said.at(-1), 'the audit log can be written again')
  t.is(idsIn(path).length, 20 - log.lost)
  t.is(statSync('/dev/full').mode & 0o777, 0o666)
  await log.close()
})

test('what cannot be written at the end is counted', async t => {
  const { log, path } = openLog(t)
  symlinkSync('/dev/full', path)
  log.write(event('a'))
  log.write(event('b'))
  await log.close()
  t.is(log.lost, 2)
  log.write(event('c'))
  t.is(log.lost, 3)
})
