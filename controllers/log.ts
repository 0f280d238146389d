import { pino } from 'pino'
import type { Clock } from '../crds/environment.ts'

/** How much is written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** What is written to the log: fields and a static message. An error stands in the field `err`. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** A logger that adds fields to every line. */
  child(fields: object): Logger
}

/** Options of a logger. */
export interface LoggerOptions {
  readonly level: LogLevel
  /** Where the lines go. Default: standard error. */
  readonly stream?: { write(line: string): void }
  /** Whose time the lines carry. */
  readonly clock: Clock
}

/** Fields whose values never reach a log, however deep (four levels) they stand. */
const secrets = [
  'password',
  'passphrase',
  'secret',
  'token',
  'accessToken',
  'privateKey',
  'authorization',
  'Authorization',
  'userData',
  'credentials',
  'stringData',
  'clientKeyData',
  'client-key-data',
]
const depths = ['', '*.', '*.*.', '*.*.*.']

/** A logger that writes lines of JSON. */
export function createLogger({ level, stream, clock }: LoggerOptions): Logger {
  const paths = depths.flatMap(depth => secrets.map(name => `${depth}${name.includes('-') ? `["${name}"]` : name}`))
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
      redact: { paths: paths.map(path => path.replace('.[', '[')), censor: '[redacted]' },
    },
    stream ?? process.stderr,
  )
}
