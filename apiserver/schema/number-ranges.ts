/** Which numbers a type and a format have room for. */

import type { StructuralSchema } from './structural-schema.ts'

const ranges: Readonly<Record<string, readonly [least: number, most: number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  uint64: [0, 2 ** 64 - 1],
}

const longest = 2 ** 63
const largestFloat = 3.4028234663852886e38

/** Whether a number fits into the type and the format of a schema; others than numbers always do. */
export function fitsRange(value: number, { type, format = '' }: StructuralSchema): boolean {
  if (type !== 'integer') {
    return (format !== 'float' && format !== 'float32') || Math.abs(value) <= largestFloat
  }
  const [least, most] = ranges[format] ?? [-longest, longest]
  return Number.isInteger(value) && value >= least && value <= most
}

/** Says that a number does not fit; `what` is the value or one of its bounds. */
export function misfit(what: string, { type = 'number', format = '' }: StructuralSchema, path: string): string {
  const room = format === '' ? `${type} (default format)` : `${type} with format ${format}`
  return `${what} value must be of type ${room} in ${path}`
}

const formats: Readonly<Record<string, readonly string[]>> = {
  integer: ['int32', 'int64'],
  number: ['float', 'double'],
}

/** The format of a number where Kubernetes heeds it. */
export function numericFormat({ type, format = '' }: StructuralSchema): string | undefined {
  return type !== undefined && formats[type]?.includes(format) ? format : undefined
}
