/** Writes JSON as protobuf messages (https://protobuf.dev/programming-guides/encoding), each described by its fields. */

import { stringify } from 'yaml'
import { isRecord } from '../api-object.ts'
import { BackwardWriter } from './backward-writer.ts'

/** Writes a value: a message, a string, or one or more whole fields with their numbers. */
export type Encoder = (value: unknown, writer: BackwardWriter) => void

const variable = 0
const fixed64 = 1
const delimited = 2

/** The bytes of a message. */
export function encode(value: unknown, encoder: Encoder): Uint8Array {
  const writer = new BackwardWriter()
  encoder(value, writer)
  return writer.finish()
}

/** A message by the members of an object, in the order in which they are written; others are left out. */
export function message(fields: Readonly<Record<string, Encoder>>, extensions?: Encoder): Encoder {
  const backward = Object.entries(fields).toReversed()
  return (value, writer) => {
    if (!isRecord(value)) return
    extensions?.(value, writer)
    for (const [name, field] of backward) if (value[name] !== undefined) field(value[name], writer)
  }
}

/** A field with a message. */
export function part(number: number, encoder: Encoder): Encoder {
  return (value, writer) => {
    const end = writer.length
    encoder(value, writer)
    writer.varint(writer.length - end)
    writer.varint(number * 8 + delimited)
  }
}

/** As many fields as the list has items. */
export function each(number: number, encoder: Encoder): Encoder {
  const field = part(number, encoder)
  return (value, writer) => {
    if (Array.isArray(value)) for (const item of value.toReversed()) field(item, writer)
  }
}

/** As many fields as the object has members whose names are accepted: messages of a name (1) and a value (2). */
export function entries(number: number, encoder: Encoder, accepts: (name: string) => boolean = () => true): Encoder {
  const [name, member] = [text(1), part(2, encoder)]
  const entry = part(number, (value, writer) => {
    if (!Array.isArray(value)) return
    member(value[1], writer)
    name(value[0], writer)
  })
  return (value, writer) => {
    if (!isRecord(value)) return
    for (const pair of Object.entries(value).toReversed()) if (accepts(pair[0])) entry(pair, writer)
  }
}

/** A field with a string. */
export function text(number: number): Encoder {
  const field = part(number, utf8)
  return (value, writer) => {
    if (value !== '') field(value, writer)
  }
}

/** The bytes of a string. */
export function utf8(value: unknown, writer: BackwardWriter): void {
  writer.utf8(String(value))
}

/** A field with true or false. */
export function flag(number: number): Encoder {
  return (value, writer) => {
    if (value !== true) return
    writer.varint(1)
    writer.varint(number * 8 + variable)
  }
}

/** A field with a whole number that is not negative. */
export function integer(number: number): Encoder {
  return (value, writer) => {
    if (value === 0) return
    writer.varint(Number(value))
    writer.varint(number * 8 + variable)
  }
}

/** A field with a number of double precision. */
export function double(number: number): Encoder {
  return (value, writer) => {
    if (value === 0) return
    writer.double(Number(value))
    writer.varint(number * 8 + fixed64)
  }
}

const yamlText = text(2)

/** Any value, as YAML (field 2). */
export function yaml(value: unknown, writer: BackwardWriter): void {
  yamlText(stringify(value, { sortMapEntries: true, lineWidth: 0, indentSeq: false, singleQuote: true }), writer)
}
