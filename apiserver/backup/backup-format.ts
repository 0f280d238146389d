/**
 * A backup as a file: lines of JSON. The first says what it is, then come files of the home, then objects, each under its
 * version, and the last holds the SHA-256 of all lines before it.
 */

import { createHash } from 'node:crypto'
import { isRecord } from '../api-object.ts'

const format = 'skystead-backup'
const formatVersion = 1

/** What a backup says of itself. */
export interface BackupHeader {
  /** RFC 3339. */
  readonly createdAt: string
  /** The version of the last write that it holds: it is the state of the store after exactly that one. */
  readonly last: number
}

/** An object in its stored form. */
export interface StoredObject {
  readonly resource: string
  readonly key: string
  readonly version: number
  /** JSON. */
  readonly bytes: Uint8Array
}

/** What a backup holds. */
export interface Backup extends BackupHeader {
  /** Files of the home by their paths in it. */
  readonly files: ReadonlyMap<string, Buffer>
  /** In the order of their versions. */
  readonly objects: readonly StoredObject[]
}

/** A backup that cannot be used, and why. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
}

/** Encodes a backup, a piece at a time. */
export function* encodeBackup(
  { createdAt, last }: BackupHeader,
  files: ReadonlyMap<string, Uint8Array>,
  objects: Iterable<StoredObject>,
): Generator<Buffer> {
  const hash = createHash('sha256')
  let lines = 0
  const line = (...parts: readonly (string | Uint8Array)[]) => {
    const bytes = Buffer.concat([...parts, '\n'].map(part => Buffer.from(part)))
    hash.update(bytes)
    lines += 1
    return bytes
  }
  yield line(JSON.stringify({ format, version: formatVersion, createdAt, last }))
  for (const [file, content] of files) {
    yield line(JSON.stringify({ file, content: Buffer.from(content).toString('base64') }))
  }
  for (const { resource, key, version, bytes } of objects) {
    yield line(JSON.stringify({ resource, key, version }).slice(0, -1), beforeObject, bytes, '}')
  }
  yield Buffer.from(`${JSON.stringify({ lines, sha256: hash.digest('hex') })}\n`)
}

/** Reads a backup; throws a BackupError unless it is whole. */
export function readBackup(bytes: Buffer): Backup {
  const body = withoutTrailer(bytes)
  const [head, ...rest] = linesOf(body)
  const { format: found, version, createdAt, last } = parsed(head)
  if (found !== format) throw new BackupError('it is no backup of Skystead')
  if (version !== formatVersion) {
    throw new BackupError(`its format is ${String(version)}, this version reads ${formatVersion}`)
  }
  const files = new Map<string, Buffer>()
  const objects: StoredObject[] = []
  for (const line of rest) {
    const value = parsed(line)
    if (typeof value.file === 'string') files.set(value.file, Buffer.from(String(value.content), 'base64'))
    else objects.push(objectOf(value, line, Number(last)))
  }
  objects.sort((left, right) => left.version - right.version)
  return { createdAt: String(createdAt), last: Number(last), files, objects }
}

/** The lines before the last, which says what they must be. */
function withoutTrailer(bytes: Buffer): Buffer {
  const start = bytes.subarray(0, -1).lastIndexOf('\n') + 1
  const body = bytes.subarray(0, start)
  const { sha256, lines } = start === 0 ? {} : parsed(bytes.subarray(start, -1))
  if (typeof sha256 !== 'string' || bytes.at(-1) !== '\n'.charCodeAt(0)) throw new BackupError('its end is missing')
  if (createHash('sha256').update(body).digest('hex') !== sha256) {
    throw new BackupError(`it is damaged: its ${String(lines)} lines are not those that were written`)
  }
  return body
}

function linesOf(body: Buffer): readonly Buffer[] {
  const lines: Buffer[] = []
  for (let start = 0; start < body.length; ) {
    const end = body.indexOf('\n', start)
    lines.push(body.subarray(start, end))
    start = end + 1
  }
  return lines
}

function parsed(line: Buffer | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line?.toString() ?? '')
    if (isRecord(value)) return value
  } catch {
    // What is no JSON is no line of a backup either.
  }
  throw new BackupError('it is no backup of Skystead, or its end is missing')
}

const beforeObject = ',"object":'

function objectOf(value: Readonly<Record<string, unknown>>, line: Buffer, last: number): StoredObject {
  const { resource, key, version, object } = value
  const metadata = isRecord(object) && isRecord(object.metadata) ? object.metadata : {}
  const { namespace, name, resourceVersion } = metadata
  const isWhole =
    key === (namespace === undefined ? name : `${String(namespace)}/${String(name)}`) &&
    resourceVersion === String(version) &&
    Number(version) <= last
  if (!isWhole) throw new BackupError(`${String(resource)} ${String(key)} in it is not what its line says`)
  const bytes = line.subarray(line.indexOf(beforeObject) + beforeObject.length, -1)
  return { resource: String(resource), key: String(key), version: Number(version), bytes }
}
