/** Damages the files of a log in every way that one place of a file can be damaged, and looks what a start makes of it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LogRecord, StorageError } from '../../../apiserver/storage/durable-log.ts'
import { openSQLiteLogFile } from '../../../apiserver/storage/sqlite-log-file.ts'
import { readSQLiteLog } from '../../../apiserver/storage/sqlite-log-reader.ts'

/** The name of a log in its directory; its other files' names begin with it. */
export const logName = 'objects.db'

/** The files of a log, by name. */
export type Files = ReadonlyMap<string, Buffer>

/** A log that was written, as it lies on the disk, and what of it was answered. */
export interface RecordedRun {
  /** As a kill leaves it: with a write-ahead log. */
  readonly killed: Files
  /** As an orderly end leaves it. */
  readonly closed: Files
  /** Every record that was answered and not dropped since, each as a line. */
  readonly answered: readonly string[]
}

/** How much is written. */
export interface RunOptions {
  /** Batches of writes, each answered as a whole. */
  readonly batches: number
  readonly batchSize: number
  /** Bytes of a value. */
  readonly valueSize: number
}

/** One place of one file, damaged in one way. */
export interface Damage {
  readonly file: string
  readonly offset: number
  readonly how: 'cut' | 'flipped'
}

/** What a start makes of a damaged log. */
export interface Verdict {
  /** Everything answered is there; the start is refused with a clear word; or neither, which must not be. */
  readonly outcome: 'whole' | 'refused' | 'wrong'
  readonly message: string
}

/** Writes a log as the server does: creates, changes, deletes, and drops what was replaced. */
export function recordRun({ batches, batchSize, valueSize }: RunOptions): RecordedRun {
  const directory = mkdtempSync(join(tmpdir(), 'skystead-damage-'))
  const path = join(directory, logName)
  try {
    const file = openSQLiteLogFile(
      path,
      readSQLiteLog(path, () => {}),
    )
    const kept = new Map<number, string>()
    let version = 0
    for (let batch = 0; batch < batches; batch++) {
      const records = Array.from({ length: batchSize }, () => recordOf(++version, valueSize))
      file.append(records)
      for (const record of records) kept.set(record.version, lineOf(record))
      if (batch % 4 !== 3) continue
      const dropped = records.slice(0, Math.ceil(batchSize / 2)).map(record => record.version)
      file.forget(dropped, version)
      for (const each of dropped) kept.delete(each)
    }
    const killed = readFiles(directory)
    file.close()
    return { killed, closed: readFiles(directory), answered: [...kept.values()] }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** A directory with the files of a log, to be damaged again and again. */
export class DamagedLog implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'skystead-damage-'))
  readonly #files: Files
  readonly #answered: readonly string[]

  constructor(files: Files, answered: readonly string[]) {
    this.#files = files
    this.#answered = answered
    writeFiles(this.#directory, files)
  }

  /** Starts on the damaged files, writes on where that is possible, and starts again. */
  start({ file, offset, how }: Damage): Verdict {
    const content = this.#files.get(file) ?? Buffer.alloc(0)
    const damaged = how === 'cut' ? content.subarray(0, offset) : flipped(content, offset)
    writeFileSync(join(this.#directory, file), damaged)
    const verdict = judge(this.#directory, this.#answered)
    if (verdict.outcome === 'refused') {
      const changed = this.#changed(new Map([...this.#files, [file, damaged]]))
      writeFileSync(join(this.#directory, file), content)
      return changed ?? verdict
    }
    const next = verdict.outcome === 'whole' ? writeOn(this.#directory, this.#answered) : verdict
    rmSync(this.#directory, { recursive: true })
    writeFiles(this.#directory, this.#files)
    return next
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** What is refused must lie there as it was found: whoever has the lost rest may put it back. */
  #changed(found: Files): Verdict | undefined {
    for (const [name, content] of found) {
      if (readFileSync(join(this.#directory, name)).equals(content)) continue
      return { outcome: 'wrong', message: `${name} was changed by a start that was refused` }
    }
    return undefined
  }
}

function flipped(content: Buffer, offset: number): Buffer {
  const copy = Buffer.from(content)
  copy.writeUInt8(copy.readUInt8(offset) ^ (1 << (offset % 8)), offset)
  return copy
}

/** Opens a log and says whether it holds exactly what was answered. */
export function judge(directory: string, answered: readonly string[]): Verdict {
  const found: string[] = []
  try {
    const path = join(directory, logName)
    openSQLiteLogFile(
      path,
      readSQLiteLog(path, record => found.push(lineOf(record))),
    ).close()
  } catch (error) {
    if (error instanceof StorageError && error.code === 'Corrupt') return { outcome: 'refused', message: error.message }
    return { outcome: 'wrong', message: `refused with no clear word: ${String(error)}` }
  }
  const difference = firstDifference(found, answered)
  return difference === undefined ? { outcome: 'whole', message: '' } : { outcome: 'wrong', message: difference }
}

function writeOn(directory: string, answered: readonly string[]): Verdict {
  const path = join(directory, logName)
  const known = readSQLiteLog(path, () => {})
  const record = recordOf(known.last + 1, 100)
  const file = openSQLiteLogFile(path, known)
  file.append([record])
  file.close()
  return judge(directory, [...answered, lineOf(record)])
}

function readFiles(directory: string): Files {
  // The index of a write-ahead log is made anew by whoever opens it.
  const names = readdirSync(directory).filter(name => !name.endsWith('-shm'))
  return new Map(names.map(name => [name, readFileSync(join(directory, name))]))
}

/** Puts files into a directory. */
export function writeFiles(directory: string, files: Files): void {
  mkdirSync(directory, { recursive: true })
  for (const [name, content] of files) writeFileSync(join(directory, name), content)
}

function recordOf(version: number, size: number): LogRecord {
  const value = version % 5 === 0 ? undefined : Buffer.from(`${version} `.padEnd(size, 'x'))
  return { version, resource: 'samples', key: `default/sample-${version % 7}`, value }
}

/** A record as a line that any change of it changes. */
function lineOf({ version, resource, key, value }: LogRecord): string {
  return `${version} ${resource} ${key} ${value === undefined ? 'deleted' : Buffer.from(value).toString('latin1')}`
}

function firstDifference(found: readonly string[], answered: readonly string[]): string | undefined {
  for (let index = 0; index < Math.max(found.length, answered.length); index++) {
    if (found[index] === answered[index]) continue
    const [wanted, there] = [answered[index], found[index]].map(line => line?.slice(0, 60) ?? 'nothing')
    return `record ${index}: ${wanted} was answered, ${there} is there`
  }
  return undefined
}
