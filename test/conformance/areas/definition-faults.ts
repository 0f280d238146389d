import { deepEqual, equal, match } from 'node:assert/strict'
import type { Bench, Definition } from '../case.ts'
import { area, like } from '../case.ts'
import { definition, objectSchema } from '../definitions.ts'

const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

const schemaField = 'spec.validation.openAPIV3Schema'

/** A definition in a group of its own. */
function own(bench: Bench, more: object = {}, kind = 'Gear'): Definition {
  return definition(kind, { group: `${bench.name('def')}.skystead.test`, ...more })
}

/** Versions that differ in their names only, the first of them stored. */
function versions(...names: readonly string[]): readonly object[] {
  const schema = { openAPIV3Schema: { type: 'object' } }
  return names.map((name, index) => ({ name, served: true, storage: index === 0, schema }))
}

/** The causes for which a definition is refused. */
async function refused(bench: Bench, wrong: object) {
  const { status, body } = await bench.api.post(`${path}?dryRun=All`, wrong)
  equal(status, 422, body.message)
  equal(body.reason, 'Invalid')
  return body.details.causes
}

export const definitionFaults = area('definition-faults', {
  'the name must be the plural and the group': async bench => {
    const made = own(bench)
    const causes = await refused(bench, { ...made, metadata: { name: `other.${made.spec.group}` } })
    deepEqual(causes, [
      {
        reason: 'FieldValueInvalid',
        message: `Invalid value: "other.${made.spec.group}": must be spec.names.plural+"."+spec.group`,
        field: 'metadata.name',
      },
    ])
  },

  'a group needs a dot': async bench => {
    const causes = await refused(bench, definition('Gear', { group: 'single' }))
    deepEqual(causes, [
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: "single": should be a domain with at least one dot',
        field: 'spec.group',
      },
    ])
  },

  'a scope must be Cluster or Namespaced': async bench => {
    const causes = await refused(bench, own(bench, { spec: { scope: 'Everywhere' } }))
    deepEqual(causes, [
      {
        reason: 'FieldValueNotSupported',
        message: 'Unsupported value: "Everywhere": supported values: "Cluster", "Namespaced"',
        field: 'spec.scope',
      },
    ])
  },

  'a kind may not be its list’s kind': async bench => {
    const made = own(bench)
    const names = { ...made.spec.names, listKind: 'Gear' }
    const causes = await refused(bench, { ...made, spec: { ...made.spec, names } })
    deepEqual(causes, [
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: "Gear": kind and listKind may not be the same',
        field: 'spec.names.listKind',
      },
    ])
  },

  'a kind must be a label apart from its case': async bench => {
    const made = own(bench)
    const names = { ...made.spec.names, kind: 'Not_A_Kind' }
    const [cause] = await refused(bench, { ...made, spec: { ...made.spec, names } })
    like(cause, { reason: 'FieldValueInvalid', field: 'spec.names.kind' })
    match(
      cause.message,
      /^Invalid value: "Not_A_Kind": may have mixed case, but should otherwise match: a DNS-1035 label/,
    )
  },

  'short names must be labels': async bench => {
    const made = own(bench)
    const names = { ...made.spec.names, shortNames: ['g', 'G'] }
    const causes = await refused(bench, { ...made, spec: { ...made.spec, names } })
    like(causes, [{ reason: 'FieldValueInvalid', field: 'spec.names.shortNames[1]' }])
  },

  'a schema is required': async bench => {
    const causes = await refused(bench, own(bench, { version: { schema: undefined } }))
    deepEqual(causes, [
      { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.versions[0].schema.openAPIV3Schema' },
    ])
  },

  'exactly one version is stored': async bench => {
    const made = own(bench)
    const both = versions('v1', 'v2').map(version => ({ ...version, storage: true }))
    const [cause] = await refused(bench, { ...made, spec: { ...made.spec, versions: both } })
    like(cause, { reason: 'FieldValueInvalid', field: 'spec.versions' })
    match(cause.message, /must have exactly one version marked as storage version$/)
  },

  'version names are unique': async bench => {
    const made = own(bench)
    const [cause] = await refused(bench, { ...made, spec: { ...made.spec, versions: versions('v1', 'v1') } })
    like(cause, { reason: 'FieldValueInvalid', field: 'spec.versions' })
    match(cause.message, /must contain unique version names$/)
  },

  'a field of a schema needs a type': async bench => {
    const causes = await refused(bench, own(bench, { schema: objectSchema({ size: {} }) }))
    deepEqual(causes, [
      {
        reason: 'FieldValueRequired',
        message: 'Required value: must not be empty for specified object fields',
        field: `${schemaField}.properties[spec].properties[size].type`,
      },
    ])
  },

  'a list of a schema needs items': async bench => {
    const causes = await refused(bench, own(bench, { schema: objectSchema({ sizes: { type: 'array' } }) }))
    const wrong = { field: `${schemaField}.properties[spec].properties[sizes].items` }
    like(causes, [{ ...wrong, reason: 'FieldValueRequired', message: 'Required value: must be specified' }])
  },

  'an unknown type is told with those that there are': async bench => {
    const schema = objectSchema({ size: { type: 'text' } })
    const causes = await refused(bench, own(bench, { schema }))
    const unsupported = causes.find(({ reason }: { reason: string }) => reason === 'FieldValueNotSupported')
    deepEqual(unsupported, {
      reason: 'FieldValueNotSupported',
      message:
        'Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"',
      field: `${schemaField}.properties[spec].properties[size].type`,
    })
  },

  'properties and additionalProperties exclude each other': async bench => {
    const both = { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'string' } }
    const [cause] = await refused(bench, own(bench, { schema: objectSchema({ both }) }))
    like(cause, {
      reason: 'FieldValueForbidden',
      field: `${schemaField}.properties[spec].properties[both].additionalProperties`,
    })
    match(cause.message, /mutual(ly)? exclusive/)
  },

  'the keys of a list map must be required or have a default': async bench => {
    const items = { type: 'object', properties: { name: { type: 'string' } } }
    const map = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }
    const causes = await refused(
      bench,
      own(bench, { schema: objectSchema({ parts: { type: 'array', items, ...map } }) }),
    )
    deepEqual(causes, [
      {
        reason: 'FieldValueRequired',
        message:
          'Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        field: `${schemaField}.properties[spec].properties[parts].items.properties[name].default`,
      },
    ])
  },

  'the keys of a list map must be properties': async bench => {
    const items = { type: 'object', required: ['name'], properties: { name: { type: 'string' } } }
    const map = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['id'] }
    const causes = await refused(
      bench,
      own(bench, { schema: objectSchema({ parts: { type: 'array', items, ...map } }) }),
    )
    deepEqual(causes, [
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: ["id"]: entries must all be names of item properties',
        field: `${schemaField}.properties[spec].properties[parts].x-kubernetes-list-map-keys`,
      },
    ])
  },

  'unique items are not allowed': async bench => {
    const tags = { type: 'array', items: { type: 'string' }, uniqueItems: true }
    const causes = await refused(bench, own(bench, { schema: objectSchema({ tags }) }))
    like(causes, [
      {
        reason: 'FieldValueForbidden',
        message: 'Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      },
    ])
  },

  'a default must be valid itself': async bench => {
    const size = { type: 'integer', maximum: 3, default: 4 }
    const [cause] = await refused(bench, own(bench, { schema: objectSchema({ size }) }))
    like(cause, {
      reason: 'FieldValueInvalid',
      field: `${schemaField}.properties[spec].properties[size].default`,
    })
    match(cause.message, /should be less than or equal to 3$/)
  },

  'a pattern must be a regular expression': async bench => {
    const [cause] = await refused(bench, own(bench, { schema: objectSchema({ a: { type: 'string', pattern: '(' } }) }))
    match(cause.field, /properties\[spec\]\.properties\[a\]\.pattern$/)
    match(cause.message, /must be a valid regular expression, but isn't/)
  },

  'parts of anyOf leave the types to the schema around them': async bench => {
    const size = { type: 'integer', anyOf: [{ type: 'integer', minimum: 3 }] }
    const causes = await refused(bench, own(bench, { schema: objectSchema({ size }) }))
    deepEqual(causes, [
      {
        reason: 'FieldValueForbidden',
        message: 'Forbidden: must be empty to be structural',
        field: `${schemaField}.properties[spec].properties[size].anyOf[0].type`,
      },
    ])
  },

  'metadata may restrict nothing but the name': async bench => {
    const metadata = { type: 'object', properties: { labels: { type: 'object' } } }
    const [cause] = await refused(bench, own(bench, { schema: { type: 'object', properties: { metadata } } }))
    like(cause, {
      reason: 'FieldValueForbidden',
      field: `${schemaField}.properties[metadata]`,
      message:
        'Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
    })
  },

  'faults of versions that differ are told version by version': async bench => {
    const made = own(bench)
    const [one, two] = versions('v1', 'v2')
    const wrong = { ...two, schema: { openAPIV3Schema: objectSchema({ size: {} }) } }
    const causes = await refused(bench, { ...made, spec: { ...made.spec, versions: [one, wrong] } })
    like(causes, [{ field: 'spec.versions[1].schema.openAPIV3Schema.properties[spec].properties[size].type' }])
  },

  'a column needs a known type and a simple path': async bench => {
    const additionalPrinterColumns = [
      { name: 'A', type: 'text', jsonPath: '.spec.a' },
      { name: 'B', type: 'string', jsonPath: 'spec.b' },
    ]
    const causes = await refused(bench, own(bench, { version: { additionalPrinterColumns } }))
    deepEqual(causes, [
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: "text": must be one of boolean,date,integer,number,string',
        field: 'spec.additionalPrinterColumns[0].type',
      },
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: "spec.b": must be a simple json path starting with .',
        field: 'spec.additionalPrinterColumns[1].JSONPath',
      },
    ])
  },

  'a selectable field must be a text, a truth value or an integer of the schema': async bench => {
    const schema = objectSchema({ list: { type: 'array', items: { type: 'string' } }, a: { type: 'string' } })
    const selectableFields = [{ jsonPath: '.spec.list' }, { jsonPath: '.spec.none' }, { jsonPath: '.spec.a' }]
    const causes = await refused(bench, own(bench, { schema, version: { selectableFields } }))
    like(causes, [
      { reason: 'FieldValueInvalid', field: 'spec.selectableFields[0].jsonPath' },
      { reason: 'FieldValueInvalid', field: 'spec.selectableFields[1].jsonPath' },
    ])
    match(causes[0].message, /: must point to a field of type string, boolean or integer\./)
    match(causes[1].message, /^Invalid value: "\.spec\.none": is an invalid path: /)
  },

  'a selectable field may not be named twice': async bench => {
    const selectableFields = [{ jsonPath: '.spec.a' }, { jsonPath: '.spec.a' }]
    const schema = objectSchema({ a: { type: 'string' } })
    const causes = await refused(bench, own(bench, { schema, version: { selectableFields } }))
    deepEqual(causes, [
      {
        reason: 'FieldValueDuplicate',
        message: 'Duplicate value: ".spec.a"',
        field: 'spec.selectableFields[1].jsonPath',
      },
    ])
  },

  'unknown fields cannot be kept by the whole definition': async bench => {
    const causes = await refused(bench, own(bench, { spec: { preserveUnknownFields: true } }))
    like(causes, [
      {
        reason: 'FieldValueInvalid',
        field: 'spec.preserveUnknownFields',
        message:
          'Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      },
    ])
  },

  'a warning of deprecation needs a deprecated version': async bench => {
    const causes = await refused(bench, own(bench, { version: { deprecationWarning: 'old' } }))
    deepEqual(causes, [
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: "old": can only be set for deprecated versions',
        field: 'spec.versions[0].deprecationWarning',
      },
    ])
  },
})
