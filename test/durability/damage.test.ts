import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'ava'
import { judge, logName, type RecordedRun, type RunOptions, recordRun, writeFiles } from './api/damage.ts'
import { damageAll } from './api/damage-all.ts'

const small: RunOptions = { batches: 6, batchSize: 3, valueSize: 300 }
/** Large enough that SQLite carries its write-ahead log over to the file in between. */
const large: RunOptions = { batches: 60, batchSize: 50, valueSize: 2_000 }

/** Damages every file at places so many bytes apart: what became wrong, and whether both other outcomes were seen. */
function everyPlace(run: RecordedRun, stride: number) {
  const { wrong, whole, refused } = damageAll(run, stride)
  return { wrong, isBoth: whole > 0 && refused > 0 }
}

test('a log that is cut off or changed at any place is whole, or refused and left as it was found', t => {
  t.timeout(120_000)
  t.deepEqual(everyPlace(recordRun(small), 1_999), { wrong: [], isBoth: true })
})

test('so is a large log, which was carried over to its file in between', t => {
  t.timeout(120_000)
  t.deepEqual(everyPlace(recordRun(large), 299_999), { wrong: [], isBoth: true })
})

function inDirectory(t: { teardown(action: () => void): void }, state: 'killed' | 'closed') {
  const run = recordRun(small)
  const directory = mkdtempSync(join(tmpdir(), 'skystead-damage-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  writeFiles(directory, run[state])
  return { directory, start: () => judge(directory, run.answered) }
}

test('a log without its file, its write-ahead log or its mark is refused, and says which is missing', t => {
  const removed = (name: string, state: 'killed' | 'closed') => {
    const { directory, start } = inDirectory(t, state)
    unlinkSync(join(directory, name))
    return start()
  }
  const file = removed(logName, 'closed')
  t.is(file.outcome, 'refused')
  t.regex(file.message, /is missing or empty, and 18 versions were answered; restore a backup with "skystead restore"/)
  const wal = removed(`${logName}-wal`, 'killed')
  t.is(wal.outcome, 'refused')
  t.regex(wal.message, /18 versions were answered|file is damaged/)
  const mark = removed(`${logName}-mark`, 'closed')
  t.is(mark.outcome, 'refused')
  t.regex(mark.message, /objects\.db-mark is missing/)
})

test('an older copy of the log beside a newer mark is refused: it has gone back in time', t => {
  const older = recordRun({ ...small, batches: 3 }).closed.get(logName) ?? Buffer.alloc(0)
  const { directory, start } = inDirectory(t, 'closed')
  writeFileSync(join(directory, logName), older)
  const { outcome, message } = start()
  t.is(outcome, 'refused')
  t.regex(message, /writes that were answered are missing \(versions 10 to 18\)/)
})

test('a log of another layout is refused by its number', t => {
  const directory = mkdtempSync(join(tmpdir(), 'skystead-damage-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  writeFiles(directory, new Map([[logName, otherLayout()]]))
  t.regex(judge(directory, []).message, /its layout is 1, this version reads 2/)
})

function otherLayout(): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'skystead-damage-'))
  try {
    const path = join(directory, logName)
    const database = new DatabaseSync(path)
    database.exec('CREATE TABLE log (version INTEGER PRIMARY KEY, resource TEXT, key TEXT, value BLOB)')
    database.close()
    return readFileSync(path)
  } finally {
    rmSync(directory, { recursive: true })
  }
}
