/**
 * The OpenAPI v2 document in protobuf, which is all that kubectl takes: the messages of package openapi.v2 as
 * https://github.com/google/gnostic-models/blob/main/openapiv2/OpenAPIv2.proto numbers their fields.
 */

import { isRecord } from '../api-object.ts'
import type { BackwardWriter } from './backward-writer.ts'
import {
  double,
  type Encoder,
  each,
  encode,
  entries,
  flag,
  integer,
  message,
  part,
  text,
  utf8,
  yaml,
} from './protobuf-encoders.ts'

/** The media type of such documents. */
export const openAPIProtobuf = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

/** Encodes a document. */
export function encodeOpenAPIv2(document: object): Uint8Array {
  return encode(document, documentMessage)
}

const extensions = (number: number) => entries(number, yaml, name => name.startsWith('x-'))

const externalDocs = message({ description: text(1), url: text(2) }, extensions(3))

const types = each(1, utf8)
const type: Encoder = (value, writer) => types(Array.isArray(value) ? value : [value], writer)

const allowed = flag(2)
const allowedSchema = part(1, schema)
const additionalProperties: Encoder = (value, writer) => {
  const encoder = typeof value === 'boolean' ? allowed : allowedSchema
  encoder(value, writer)
}

const schemaMessage = message(
  {
    $ref: text(1),
    format: text(2),
    title: text(3),
    description: text(4),
    default: part(5, yaml),
    multipleOf: double(6),
    maximum: double(7),
    exclusiveMaximum: flag(8),
    minimum: double(9),
    exclusiveMinimum: flag(10),
    maxLength: integer(11),
    minLength: integer(12),
    pattern: text(13),
    maxItems: integer(14),
    minItems: integer(15),
    uniqueItems: flag(16),
    maxProperties: integer(17),
    minProperties: integer(18),
    required: each(19, utf8),
    enum: each(20, yaml),
    additionalProperties: part(21, additionalProperties),
    type: part(22, type),
    items: part(23, part(1, schema)),
    allOf: each(24, schema),
    properties: part(25, entries(1, schema)),
    externalDocs: part(29, externalDocs),
    example: part(30, yaml),
  },
  extensions(31),
)

/** Schemas hold schemas: they are looked up when they are written. */
function schema(value: unknown, writer: BackwardWriter): void {
  schemaMessage(value, writer)
}

const bodyParameter = message(
  { description: text(1), name: text(2), in: text(3), required: flag(4), schema: part(5, schema) },
  extensions(6),
)

const queryParameter = message(
  {
    required: flag(1),
    in: text(2),
    description: text(3),
    name: text(4),
    type: text(6),
    format: text(7),
    uniqueItems: flag(20),
  },
  extensions(23),
)

const pathParameter = message(
  {
    required: flag(1),
    in: text(2),
    description: text(3),
    name: text(4),
    type: text(5),
    format: text(6),
    uniqueItems: flag(19),
  },
  extensions(22),
)

const inBody = part(1, bodyParameter)
const inPath = part(2, part(4, pathParameter))
const inQuery = part(2, part(3, queryParameter))

const parameter: Encoder = (value, writer) => {
  const place = isRecord(value) ? value.in : ''
  const encoder = place === 'body' ? inBody : place === 'path' ? inPath : inQuery
  encoder(value, writer)
}

const reference = part(2, message({ $ref: text(1), description: text(2) }))
const whole = part(1, parameter)

const parameterOrReference: Encoder = (value, writer) => {
  const encoder = isRecord(value) && value.$ref !== undefined ? reference : whole
  encoder(value, writer)
}

const response = message({ description: text(1), schema: part(2, part(1, schema)) }, extensions(5))

const operation = message(
  {
    tags: each(1, utf8),
    summary: text(2),
    description: text(3),
    externalDocs: part(4, externalDocs),
    operationId: text(5),
    produces: each(6, utf8),
    consumes: each(7, utf8),
    parameters: each(8, parameterOrReference),
    responses: part(9, entries(1, part(1, response))),
    schemes: each(10, utf8),
    deprecated: flag(11),
  },
  extensions(13),
)

const pathItem = message(
  {
    get: part(2, operation),
    put: part(3, operation),
    post: part(4, operation),
    delete: part(5, operation),
    options: part(6, operation),
    head: part(7, operation),
    patch: part(8, operation),
    parameters: each(9, parameterOrReference),
  },
  extensions(10),
)

const scopes = each(1, utf8)

const apiKey = message({ type: text(1), name: text(2), in: text(3), description: text(4) }, extensions(5))

const documentMessage = message(
  {
    swagger: text(1),
    info: part(2, message({ title: text(1), version: text(2), description: text(3) })),
    paths: part(8, entries(2, pathItem)),
    definitions: part(9, entries(1, schema)),
    parameters: part(10, entries(1, parameter)),
    security: each(12, entries(1, scopes)),
    securityDefinitions: part(13, entries(1, part(2, apiKey))),
  },
  extensions(16),
)
