/**
 * The OpenAPI v2 document: all groups in one. kubectl before 1.29 validates by it, and clients are generated from it.
 * Structural schemas are reduced as Kubernetes does it: what version 2 cannot say is left out, and where kubectl's reader
 * of version 2 would refuse what the server takes, a field may be anything.
 */

import type { ResourceDefinition } from '../resource-definition.ts'
import { type DocumentSchema, mapSchema } from './document-schema.ts'
import { builtinNode, kindNames, kindSchema, listSchema } from './kind-schemas.ts'
import { embedded, metaSchemas } from './meta-schemas.ts'
import { type Operation, type Route, routesOf, statusTexts } from './operations.ts'
import type { Parameter } from './parameters.ts'

/** The document served as `/openapi/v2`. */
export function openAPIv2(definitions: readonly ResourceDefinition[], version: string): object {
  const schemas = definitions.flatMap(definition => {
    const { kind, list } = kindNames(definition)
    return [[kind, reducedKind(kindSchema(definition))] as const, [list, reduced(listSchema(definition))] as const]
  })
  const shared = new Map<string, object>()
  const paths = definitions.flatMap(routesOf).map(route => [route.path, pathItem(route, shared)] as const)
  return {
    swagger: '2.0',
    info: { title: 'Skystead', version },
    paths: Object.fromEntries(paths.toSorted(byName)),
    definitions: Object.fromEntries([...schemas, ...commonSchemas].toSorted(byName)),
    parameters: Object.fromEntries([...shared].toSorted(byName)),
    securityDefinitions: {
      BearerToken: {
        description: 'Bearer Token authentication',
        type: 'apiKey',
        name: 'authorization',
        in: 'header',
      },
    },
    security: [{ BearerToken: [] }],
  }
}

const commonSchemas = Object.entries(metaSchemas).map(
  ([name, schema]) => [name, reduced(mapSchema(schema, builtinNode))] as const,
)

function byName([left]: readonly [string, object], [right]: readonly [string, object]): number {
  return left < right ? -1 : 1
}

/** A kind that may hold anything is told to have no fields at all: kubectl would refuse every field beside those told. */
function reducedKind(schema: DocumentSchema): DocumentSchema {
  if (schema['x-kubernetes-preserve-unknown-fields'] !== true) return reduced(schema)
  const about = 'x-kubernetes-group-version-kind'
  const fields = 'x-kubernetes-selectable-fields'
  return {
    type: 'object',
    ...(schema[about] && { [about]: schema[about] }),
    ...(schema[fields] && { [fields]: schema[fields] }),
  }
}

function reduced(schema: DocumentSchema): DocumentSchema {
  return mapSchema(schema, inVersionTwo)
}

function inVersionTwo(schema: DocumentSchema): DocumentSchema {
  const { allOf, anyOf, oneOf, not, default: defaulted, nullable, $ref, required, ...rest } = schema
  if ($ref !== undefined) return { ...rest, $ref: `#/definitions/${$ref}` }
  const needed = requiredFields(schema)
  const node = { ...rest, ...(needed.length > 0 && { required: needed }) }
  const isOpen = node['x-kubernetes-preserve-unknown-fields'] === true
  if (nullable === true || isOpen) return untyped(node)
  return node['x-kubernetes-embedded-resource'] === true ? embedded(node) : node
}

/** What may be of any kind: nothing is said of what stands below it either. */
function untyped({ type, properties, items, ...rest }: DocumentSchema): DocumentSchema {
  return rest
}

/** A field that may be null may be missing too, as far as version 2 can say it. */
function requiredFields({ required = [], properties = {}, additionalProperties }: DocumentSchema): readonly string[] {
  if (typeof additionalProperties === 'object' && additionalProperties.nullable === true) return []
  return required.filter(name => properties[name]?.nullable !== true)
}

function pathItem({ parameters, operations }: Route, shared: Map<string, object>): object {
  return {
    ...Object.fromEntries(operations.map(each => [each.method, operationObject(each, shared)])),
    parameters: parameters.map(each => parameterObject(each, shared)),
  }
}

function operationObject(operation: Operation, shared: Map<string, object>): object {
  const { id, tag, description, parameters, body, answer, answerTypes, codes, action, about } = operation
  const bodies = body
    ? [{ name: 'body', in: 'body', ...(body.required && { required: true }), schema: reference(body.schema) }]
    : []
  const all = [...bodies, ...parameters.map(each => parameterObject(each, shared))]
  const answers = codes.map(code => [code, { description: statusTexts[code], schema: reference(answer) }])
  return {
    description,
    consumes: body?.types ?? ['application/json', 'application/yaml'],
    produces: answerTypes,
    schemes: ['https'],
    tags: [tag],
    operationId: id,
    ...(all.length > 0 && { parameters: all }),
    responses: { ...Object.fromEntries(answers), 401: { description: statusTexts[401] } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': about,
  }
}

/** kubectl looks for these where the operation stands, not where a reference leads to. */
const lookedFor = ['dryRun', 'fieldValidation', 'name']

function parameterObject({ name, in: place, type, description }: Parameter, shared: Map<string, object>): object {
  const required = place === 'path' ? { required: true } : {}
  const parameter = { name, in: place, type, description, uniqueItems: true, ...required }
  if (lookedFor.includes(name)) return parameter
  shared.set(name, parameter)
  return { $ref: `#/parameters/${name}` }
}

function reference(schema: string): object {
  return { $ref: `#/definitions/${schema}` }
}
