/** The OpenAPI v3 document of one API group and version. */

import { apiVersionOf, type ResourceDefinition } from '../resource-definition.ts'
import { type DocumentSchema, mapSchema } from './document-schema.ts'
import { builtinNode, kindNames, kindSchema, listSchema } from './kind-schemas.ts'
import { embedded, metaSchemas } from './meta-schemas.ts'
import { type Operation, type Route, routesOf, statusTexts } from './operations.ts'
import type { Parameter } from './parameters.ts'

/**
 * The document served as `/openapi/v3/apis/<group>/<version>` (`/openapi/v3/api/v1` for the core group, whose name is '').
 * Definitions of other groups and versions are left out.
 */
export function openAPIv3(group: string, version: string, definitions: readonly ResourceDefinition[]): object {
  const told = definitions.filter(each => each.group === group && each.version === version)
  const schemas = told.flatMap(definition => {
    const { kind, list } = kindNames(definition)
    return [[kind, node(kindSchema(definition))] as const, [list, node(listSchema(definition))] as const]
  })
  return {
    openapi: '3.0.0',
    info: { title: 'Skystead', version: apiVersionOf({ group, version }) },
    paths: Object.fromEntries(told.flatMap(routesOf).map(route => [route.path, pathItem(route)])),
    components: { schemas: { ...Object.fromEntries(schemas), ...commonSchemas } },
  }
}

const commonSchemas = Object.fromEntries(
  Object.entries(metaSchemas).map(([name, schema]) => [name, node(mapSchema(schema, builtinNode))]),
)

function node(schema: DocumentSchema): DocumentSchema {
  return mapSchema(schema, inVersionThree)
}

function inVersionThree(schema: DocumentSchema): object {
  const { $ref, ...rest } = schema
  if ($ref !== undefined) {
    const there = { $ref: `#/components/schemas/${$ref}` }
    // Beside a reference nothing else is read.
    return Object.keys(rest).length === 0 ? there : { ...rest, allOf: [there] }
  }
  if (schema['x-kubernetes-int-or-string'] === true && schema.anyOf === undefined) {
    return { ...schema, anyOf: [{ type: 'integer' }, { type: 'string' }] }
  }
  return schema['x-kubernetes-embedded-resource'] === true ? embedded(schema) : schema
}

function pathItem({ parameters, operations }: Route): object {
  return {
    parameters: parameters.map(parameterObject),
    ...Object.fromEntries(operations.map(each => [each.method, operationObject(each)])),
  }
}

function operationObject(operation: Operation): object {
  const { id, tag, description, parameters, body, answer, answerTypes, codes, action, about } = operation
  const answers = codes.map(code => [code, { description: statusTexts[code], content: content(answerTypes, answer) }])
  return {
    operationId: id,
    tags: [tag],
    description,
    ...(parameters.length > 0 && { parameters: parameters.map(parameterObject) }),
    ...(body && {
      requestBody: { content: content(body.types, body.schema), ...(body.required && { required: true }) },
    }),
    responses: { ...Object.fromEntries(answers), 401: { description: statusTexts[401] } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': about,
  }
}

function parameterObject({ name, in: place, type, description }: Parameter): object {
  const required = place === 'path' ? { required: true } : {}
  return { name, in: place, description, ...required, schema: { type, uniqueItems: true } }
}

function content(types: readonly string[], schema: string): object {
  const reference = { schema: { $ref: `#/components/schemas/${schema}` } }
  return Object.fromEntries(types.map(type => [type, reference]))
}
