import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { LogRecord } from '../../../apiserver/storage/durable-log.ts'
import { openSQLiteLogFile } from '../../../apiserver/storage/sqlite-log-file.ts'
import { readSQLiteLog } from '../../../apiserver/storage/sqlite-log-reader.ts'
import { seededRandom } from '../../../drivers/simulator/seeded-random.ts'
import { DiskModel } from '../../durability/api/disk-model.ts'
import type { Call } from '../../durability/api/trace.ts'
import { type Answer, type TracedRun, traceRun } from '../../durability/api/traced-run.ts'
import { skipped } from '../../skipped.ts'

const losses = 300

/** How far the clocks of the client and of strace may be apart, in seconds. */
const tolerance = 0.000_3

if (spawnSync('strace', ['-V']).status !== 0) skipped(test, 'what a loss of power leaves', ['strace'])
else {
  const recorded = record()
  test.after.always(async () => rmSync(dirname((await recorded).home), { recursive: true, force: true }))

  test('before each answer of a server under load its write had been synced to the disk, and its mark written', async t => {
    t.timeout(240_000)
    const run = await recorded
    const { answers, calls } = run
    t.is(answers.length, 3 * 8 * 60)
    t.deepEqual(unsafeAnswers(run), [])
    // Without the syncs the same eyes see that every answer came too early.
    t.true(unsafeAnswers({ ...run, calls: calls.filter(isNoSyncOfLog) }).length > 0.9 * answers.filter(isMarked).length)
  })

  test('whatever a loss of power leaves of what was not synced: all that was answered is there, and every start succeeds', async t => {
    t.timeout(240_000)
    losesNothing(t, await recorded)
  })
}

/** A first start that is killed, a second on what it left, which ends in order, and a third. */
function record(): Promise<TracedRun> {
  const directory = mkdtempSync(join(tmpdir(), 'skystead-trace-'))
  return traceRun({ directory, lanes: 8, writes: 60, ends: ['SIGKILL', 'SIGTERM', 'SIGKILL'] })
}

function losesNothing(t: ExecutionContext, run: TracedRun): void {
  const random = seededRandom(7)
  const chance = () => random.next()
  const disk = new DiskModel(run.home, run.calls)
  const [begin, end] = [run.calls[0]?.start ?? 0, run.calls.at(-1)?.end ?? 0]
  for (let loss = 0; loss < losses; loss++) {
    // Right after an answer, or at any time.
    const answer = run.answers[Math.floor(chance() * run.answers.length)]
    const time = loss % 2 === 0 && answer !== undefined ? answer.at : begin + chance() * (end - begin)
    const kept = [0, 0.5, 0.9, 1][loss % 4] ?? 0
    t.deepEqual(wrongAfter(run, disk.after(time, kept, chance), time), [], `loss ${loss} at ${time}, ${kept} kept`)
  }
  // On a disk that is never told to sync its log, the same eyes see what is lost.
  const unsynced = new DiskModel(run.home, run.calls.filter(isNoSyncOfLog))
  t.true(wrongAfter(run, unsynced.after(end, 0, chance), end).length > 0)
}

function isSync(name: string): boolean {
  return name === 'fsync' || name === 'fdatasync'
}

function isNoSyncOfLog({ name, target }: Call): boolean {
  return !(isSync(name) && /objects\.db(-wal)?$/.test(target))
}

function isMarked(answer: Answer): answer is Answer & { readonly marker: string } {
  return answer.marker !== undefined
}

/** Answers that left before a sync of the log that began after their write, or before the mark was raised to them. */
function unsafeAnswers({ answers, calls }: TracedRun): readonly string[] {
  const writes = calls.filter(({ name, target }) => name === 'pwrite64' && target.endsWith('objects.db-wal'))
  const marks = calls.filter(({ name, target }) => name === 'pwrite64' && target.endsWith('objects.db-mark'))
  const syncs = calls.filter(({ name, target }) => isSync(name) && target.endsWith('objects.db-wal'))
  const sends = calls.filter(({ name, target }) => name.startsWith('write') && target.startsWith('TCP'))
  const firstWrites = byMarker(writes)
  return answers.filter(isMarked).flatMap(answer => {
    const sent = sends.findLast(({ target, start }) => isTo(target, answer.port) && start <= answer.at + tolerance)
    const written = firstWrites.get(answer.marker)
    if (sent === undefined || written === undefined) return [`${answer.marker}: its write or its answer was not seen`]
    const isSynced = syncs.some(({ start, end }) => written.end <= start && end <= sent.start)
    const raised = marks.some(({ data, end }) => end <= sent.start && versionOf(data) >= answer.version)
    if (!isSynced) return [`${answer.marker}: answered before it was synced`]
    return raised ? [] : [`${answer.marker}: answered before the mark was raised`]
  })
}

/** The first write that holds each marker. */
function byMarker(writes: readonly Call[]): ReadonlyMap<string, Call> {
  const first = new Map<string, Call>()
  for (const call of writes.toReversed()) {
    for (const [marker] of call.data.toString('latin1').matchAll(/\(p\d+-l\d+-\d+\)/g)) first.set(marker, call)
  }
  return first
}

function versionOf(data: Buffer): number {
  return Number.parseInt(data.toString('latin1'), 10)
}

function isTo(target: string, port: number): boolean {
  return target.endsWith(`:${port}]`)
}

/** What is missing or wrong on a disk after a loss of power. */
function wrongAfter(run: TracedRun, files: ReadonlyMap<string, Buffer>, time: number): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'skystead-loss-'))
  try {
    for (const [path, content] of files) {
      const copy = join(directory, path.slice(run.home.length))
      mkdirSync(dirname(copy), { recursive: true })
      writeFileSync(copy, content)
    }
    const answered = run.answers.filter(({ at }) => at <= time)
    const latest = new Map<string, LogRecord>()
    const path = join(directory, 'objects.db')
    openSQLiteLogFile(
      path,
      readSQLiteLog(path, record =>
        latest.set(record.key, { ...record, value: record.value && Buffer.from(record.value) }),
      ),
    ).close()
    return [...missing(answered, latest), ...broken(answered, files, run)]
  } catch (error) {
    return [String(error)]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function missing(answered: readonly Answer[], latest: ReadonlyMap<string, LogRecord>): readonly string[] {
  const last = new Map(answered.map(answer => [answer.name, answer]))
  return [...last.values()].flatMap(({ name, marker, version }) => {
    const record = latest.get(`default/${name}`)
    // Its deletion may be dropped already; what comes after an answer may be there as well.
    if (marker === undefined) return record?.value === undefined ? [] : [`${name} is there again`]
    if (record === undefined) return [`${name} is gone`]
    if (record.version > version) return []
    const isWhole = record.value !== undefined && Buffer.from(record.value).includes(marker)
    return record.version === version && isWhole ? [] : [`${name} is older than ${marker}`]
  })
}

/** Keys and certificates are what they were when the first answer came. */
function broken(answered: readonly Answer[], files: ReadonlyMap<string, Buffer>, run: TracedRun): readonly string[] {
  if (answered.length === 0) return []
  const keys = ['ca.crt', 'ca.key', 'token', 'accounts.key'].map(name => join(run.home, 'pki', name))
  const final = finalFiles(run)
  return keys.flatMap(path =>
    files.get(path)?.equals(final.get(path) ?? Buffer.alloc(0)) ? [] : [`${path} is not whole`],
  )
}

const lastFiles = new WeakMap<readonly Call[], ReadonlyMap<string, Buffer>>()

function finalFiles({ home, calls }: TracedRun): ReadonlyMap<string, Buffer> {
  const known = lastFiles.get(calls) ?? new DiskModel(home, calls).after(Number.POSITIVE_INFINITY, 1, () => 0)
  lastFiles.set(calls, known)
  return known
}
