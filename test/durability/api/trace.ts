/** What a process asked of the system, as strace tells it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** System calls by which files change, reach the disk, and answers leave. */
export const tracedCalls =
  'openat,close,write,writev,pwrite64,sendmsg,sendto,fsync,fdatasync,ftruncate,unlink,unlinkat,rename,renameat,renameat2'

/** One system call that succeeded. */
export interface Call {
  readonly name: string
  /** When it began and ended, in seconds. */
  readonly start: number
  readonly end: number
  /** The file descriptor that it was about, and what is behind it: a path, or the ends of a connection. */
  readonly descriptor: number
  readonly target: string
  /** Paths that it named. */
  readonly paths: readonly string[]
  /** What it wrote. */
  readonly data: Buffer
  /** The number after the data or the descriptor: an offset or a size. */
  readonly number: number
  readonly flags: string
  readonly result: number
}

/** How strace is to be run so that this can be read: a file for each thread, all strings in hexadecimal digits. */
export function straceArguments(prefix: string): readonly string[] {
  const shape = ['-f', '-ff', '-yy', '-ttt', '-T', '-xx', '-s', '131072', '--seccomp-bpf', '-e', 'signal=none']
  return [...shape, '-e', `trace=${tracedCalls}`, '-o', prefix]
}

/** Reads all threads of a trace, in the order in which calls began. */
export function readTrace(directory: string, prefix: string): readonly Call[] {
  const files = readdirSync(directory).filter(name => name.startsWith(`${prefix}.`))
  const calls = files.flatMap(name => readFileSync(join(directory, name), 'latin1').split('\n').flatMap(callOf))
  return calls.toSorted((left, right) => left.start - right.start)
}

const line =
  /^(?<start>\d+\.\d+) (?<name>\w+)\((?<rest>.*)\) = (?<result>\d+)(?:<(?<opened>[^>]*)>)?(?: .*)? <(?<took>\d+\.\d+)>$/
const first = /^(?<descriptor>\d+)<(?<target>(?:->|[^<>])*)>/

function callOf(text: string): readonly Call[] {
  const { start, name, rest, result, opened, took } = line.exec(text)?.groups ?? {}
  if (start === undefined || name === undefined || rest === undefined) return []
  const { descriptor, target = '' } = first.exec(rest)?.groups ?? {}
  const strings = [...rest.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = '']) => decoded(hex))
  const isOpening = name === 'openat'
  return [
    {
      name,
      start: Number(start),
      end: Number(start) + Number(took),
      descriptor: Number(isOpening ? result : descriptor),
      target: decoded(isOpening ? (opened ?? '') : target).toString('latin1'),
      paths: strings.map(bytes => bytes.toString('latin1')),
      data: Buffer.concat(strings),
      number: Number(/, (\d+)$/.exec(rest)?.[1] ?? Number.NaN),
      flags: isOpening ? rest : '',
      result: Number(result),
    },
  ]
}

/** Strings are escaped as a whole or not at all: connections are written as they are. */
function decoded(text: string): Buffer {
  return text.startsWith('\\x') ? Buffer.from(text.replaceAll('\\x', ''), 'hex') : Buffer.from(text, 'latin1')
}
