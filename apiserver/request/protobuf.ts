/** Request bodies in Kubernetes' protobuf: client-go sends built-in kinds so. Answers are JSON, which it takes too. */

import type { JSONObject } from '../api-object.ts'
import { badRequest, unsupportedMediaType } from '../status-error.ts'
import type { Field, Message } from './protobuf-messages.ts'
import { envelope, messageOf } from './protobuf-messages.ts'

/** The media type of such bodies. */
export const protobufType = 'application/vnd.kubernetes.protobuf'

/** What every body begins with. */
const magic = Buffer.from('k8s\0')

/** Decodes a body; throws 400 where it is damaged, 415 for a kind that is known in JSON only. */
export function decodeProtobuf(body: Uint8Array): JSONObject {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (!bytes.subarray(0, magic.length).equals(magic)) throw damaged()
  const { typeMeta, raw } = read(new Reader(bytes.subarray(magic.length)), envelope)
  if (!isTypeMeta(typeMeta) || !(raw === undefined || Buffer.isBuffer(raw))) throw damaged()
  const { apiVersion, kind } = typeMeta
  const message = messageOf(apiVersion, kind)
  if (message === undefined) throw unsupportedMediaType(['application/json', 'application/yaml'])
  return { apiVersion, kind, ...read(new Reader(raw ?? Buffer.alloc(0)), message) }
}

function read(reader: Reader, message: Message): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  while (!reader.atEnd) {
    const tag = reader.varint()
    const field = message[Math.floor(tag / 8)]
    if (field === undefined) reader.skip(tag % 8)
    else readField(reader, tag % 8, field, object)
  }
  return object
}

const variable = 0
const delimited = 2

function readField(reader: Reader, wire: number, field: Field, object: Record<string, unknown>): void {
  const { name, type } = field
  if (type === 'number' || type === 'boolean') {
    if (wire !== variable) throw damaged()
    const value = reader.varint()
    object[name] = type === 'boolean' ? value !== 0 : value
    return
  }
  if (wire !== delimited) throw damaged()
  const bytes = reader.bytes()
  if (type === 'map') {
    const map = object[name] ?? {}
    object[name] = { ...map, ...entryOf(bytes, field.binary === true) }
    return
  }
  const value = decodeField(bytes, field)
  if (field.repeated === true) object[name] = [...listOf(object[name]), value]
  // Strings and times that were never set travel as empty ones.
  else if (value !== undefined && (value !== '' || field.optional === true)) object[name] = value
}

function decodeField(bytes: Buffer, { type, message, fraction }: Field): unknown {
  if (type === 'string') return bytes.toString()
  if (type === 'bytes') return bytes
  if (type === 'time') return timeOf(bytes, fraction === true)
  return read(new Reader(bytes), message ?? {})
}

function entryOf(bytes: Buffer, binary: boolean): Record<string, string> {
  const { key = '', value } = read(new Reader(bytes), {
    1: { name: 'key', type: 'string' },
    2: { name: 'value', type: 'bytes' },
  })
  const content = Buffer.isBuffer(value) ? value : Buffer.alloc(0)
  return { [String(key)]: content.toString(binary ? 'base64' : 'utf8') }
}

function timeOf(bytes: Buffer, fraction: boolean): string | undefined {
  if (bytes.length === 0) return undefined
  const { seconds = 0, nanos = 0 } = read(new Reader(bytes), {
    1: { name: 'seconds', type: 'number' },
    2: { name: 'nanos', type: 'number' },
  })
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  const micros = String(Math.floor(Number(nanos) / 1000)).padStart(6, '0')
  return fraction ? `${whole}.${micros}Z` : `${whole}Z`
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  varint(): number {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw damaged()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number(BigInt.asIntN(64, value))
    }
    throw damaged()
  }

  bytes(): Buffer {
    const length = this.varint()
    const end = this.#at + length
    if (length < 0 || end > this.#bytes.length) throw damaged()
    const bytes = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return bytes
  }

  skip(wire: number): void {
    if (wire === variable) this.varint()
    else if (wire === delimited) this.bytes()
    else if (wire === 1) this.#at += 8
    else if (wire === 5) this.#at += 4
    else throw damaged()
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isTypeMeta(value: unknown): value is { apiVersion: string; kind: string } {
  if (typeof value !== 'object' || value === null) return false
  return (
    'apiVersion' in value && typeof value.apiVersion === 'string' && 'kind' in value && typeof value.kind === 'string'
  )
}

function damaged(): Error {
  return badRequest('the body of the request is not valid protobuf')
}
