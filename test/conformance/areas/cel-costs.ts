import { deepEqual, equal } from 'node:assert/strict'
import type { Bench, Definition } from '../case.ts'
import { area } from '../case.ts'
import { definition } from '../definitions.ts'

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const schemaField = 'spec.validation.openAPIV3Schema'
const text = { type: 'string', maxLength: 10 }
const mend =
  'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared'

/** A kind the spec of which has these properties and rules. */
function costly(bench: Bench, properties: object, rules: readonly object[] = []): Definition {
  const spec = { type: 'object', properties, ...(rules.length > 0 && { 'x-kubernetes-validations': rules }) }
  const schema = { type: 'object', properties: { spec } }
  return definition('Costly', { group: `${bench.name('cost')}.skystead.test`, schema })
}

/** For what a definition is refused. */
async function refused(bench: Bench, made: Definition) {
  const { status, body } = await bench.api.post(`${definitions}?dryRun=All`, made)
  equal(status, 422, body.message)
  return body.details.causes
}

async function taken(bench: Bench, made: Definition): Promise<void> {
  const { status, body } = await bench.api.post(`${definitions}?dryRun=All`, made)
  equal(status, 201, body.message)
}

/** A rule on every element of a list of so many. */
function each(rule: string, maxItems?: number, element: object = text) {
  const items = { ...element, 'x-kubernetes-validations': [{ rule }] }
  return { list: { type: 'array', items, ...(maxItems !== undefined && { maxItems }) } }
}

function tooCostly(field: string, factor: string, what = 'estimated rule cost') {
  return {
    reason: 'FieldValueForbidden',
    message: `Forbidden: ${what} exceeds budget by factor of ${factor} (${mend})`,
    field: `${schemaField}.${field}`,
  }
}

const elementRule = 'properties[spec].properties[list].items.x-kubernetes-validations[0].rule'
const specRule = 'properties[spec].x-kubernetes-validations[0].rule'

const numbers = { list: { type: 'array', items: { type: 'integer' }, maxItems: 1000 } }
const pairs = 'self.list.all(x, self.list.all(y, x != y || x > -1))'

async function create(bench: Bench, path: string, count: number) {
  const [, , group] = path.split('/')
  const spec = { list: Array.from({ length: count }, (_, index) => index) }
  return await bench.api.post(path, {
    apiVersion: `${group}/v1`,
    kind: 'Costly',
    metadata: { name: `a${count}` },
    spec,
  })
}

export const celCosts = area('cel-costs', {
  'a rule over texts without bounds is refused, with how much it costs too much': async bench => {
    const causes = await refused(bench, costly(bench, { a: { type: 'string' } }, [{ rule: 'self.a.contains(self.a)' }]))
    deepEqual(causes, [
      tooCostly(specRule, 'more than 100x'),
      {
        reason: 'FieldValueForbidden',
        message: 'Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
        field: `${schemaField}.${specRule}`,
      },
      {
        reason: 'FieldValueForbidden',
        message: `Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (${mend})`,
        field: schemaField,
      },
    ])
  },

  'the same rule is taken where texts are short': async bench => {
    await taken(bench, costly(bench, { a: text }, [{ rule: 'self.a.contains(self.a)' }]))
  },

  'a rule on elements costs as often as there may be elements': async bench => {
    await taken(bench, costly(bench, each("self.startsWith('a')", 4_000_000)))
    const causes = await refused(bench, costly(bench, each("self.startsWith('a')", 6_000_000)))
    deepEqual(causes, [tooCostly(elementRule, '1.200000x')])
  },

  'how many elements there may be without a bound follows from how small they may be': async bench => {
    const rule = 'self.a > 1 && self.a < 9 && self.a < 8 && self.a < 7'
    const element = (...names: readonly string[]) => {
      const properties = Object.fromEntries(names.map(name => [name, { type: 'integer' }]))
      return { type: 'object', required: names, properties }
    }
    await taken(bench, costly(bench, each(rule, undefined, element('a'))))
    const causes = await refused(
      bench,
      costly(bench, each(rule.replaceAll('self.a', 'self'), undefined, { type: 'integer' })),
    )
    deepEqual(causes, [tooCostly(elementRule, '1.258291x')])
  },

  'a rule on the values of a map costs as often as there may be values': async bench => {
    const map = (maxProperties: number) => ({
      map: {
        type: 'object',
        maxProperties,
        additionalProperties: { ...text, 'x-kubernetes-validations': [{ rule: "self.endsWith('a')" }] },
      },
    })
    await taken(bench, costly(bench, map(5_000_000)))
    const causes = await refused(bench, costly(bench, map(10_000_000)))
    deepEqual(causes, [
      tooCostly('properties[spec].properties[map].additionalProperties.x-kubernetes-validations[0].rule', '2.0x'),
    ])
  },

  'loops within loops multiply': async bench => {
    const list = { type: 'array', items: { type: 'integer' }, maxItems: 500 }
    const rule = 'self.list.all(x, self.list.exists(y, x == y))'
    await taken(bench, costly(bench, { list }, [{ rule }]))
    const causes = await refused(bench, costly(bench, { list: { ...list, maxItems: 2000 } }, [{ rule }]))
    deepEqual(causes, [tooCostly(specRule, '2.4x')])
  },

  'an enum and a format bound a text too': async bench => {
    const rule = "self.level.matches('^[a-z]+$') && self.when > timestamp('2020-01-01T00:00:00Z')"
    const when = { type: 'string', format: 'date-time' }
    await taken(bench, costly(bench, { level: { type: 'string', enum: ['low', 'high'] }, when }, [{ rule }]))
  },

  'a messageExpression costs like a rule': async bench => {
    const messageExpression = "self.a.replace('', self.a)"
    const rule = { rule: 'self.a.size() > 3', messageExpression }
    await taken(bench, costly(bench, { a: text }, [rule]))
    const long = "self.a.matches(self.a) ? 'a' : 'b'"
    const causes = await refused(
      bench,
      costly(bench, { a: { type: 'string', maxLength: 10_000 } }, [{ rule: 'true', messageExpression: long }]),
    )
    const field = 'properties[spec].x-kubernetes-validations[0].messageExpression'
    deepEqual(causes, [tooCostly(field, '4.0x', 'estimated messageExpression cost')])
  },

  'rules that are cheap each may cost too much together': async bench => {
    const rules = Array.from({ length: 12 }, (_, index) => ({ rule: `self.list.all(x, x.contains('${index}'))` }))
    const list = { type: 'array', items: { type: 'string', maxLength: 50 }, maxItems: 350_000 }
    const causes = await refused(bench, costly(bench, { list }, rules))
    deepEqual(
      causes.map(({ field }: { field: string }) => field),
      [0, 1, 2, 3]
        .map(index => `${schemaField}.properties[spec].x-kubernetes-validations[${index}].rule`)
        .concat(schemaField),
    )
    equal(
      causes[4].message,
      `Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of 1.008000x (${mend})`,
    )
  },

  'a default is judged by the rules as it is given': async bench => {
    const range = {
      type: 'object',
      default: { least: 5, most: 3 },
      properties: { least: { type: 'integer' }, most: { type: 'integer' } },
      'x-kubernetes-validations': [{ rule: 'self.least <= self.most', message: 'least is more than most' }],
    }
    const causes = await refused(bench, costly(bench, { range }))
    deepEqual(causes, [
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: least is more than most',
        field: `${schemaField}.properties[spec].properties[range].default`,
      },
    ])
  },

  'defaults below a default do not complete it': async bench => {
    const range = {
      type: 'object',
      default: {},
      properties: { least: { type: 'integer', default: 1 }, most: { type: 'integer', default: 3 } },
      'x-kubernetes-validations': [{ rule: 'self.least <= self.most' }],
    }
    const [cause] = await refused(bench, costly(bench, { range }))
    deepEqual(cause, {
      reason: 'FieldValueInvalid',
      message: 'Invalid value: "object": no such key: least evaluating rule: self.least <= self.most',
      field: `${schemaField}.properties[spec].properties[range].default`,
    })
  },

  'defaults below a default do not bring what it requires': async bench => {
    const range = {
      type: 'object',
      default: {},
      required: ['least'],
      properties: { least: { type: 'integer', default: 1 } },
    }
    const [cause] = await refused(bench, costly(bench, { range }))
    deepEqual(cause, {
      reason: 'FieldValueRequired',
      message: 'Required value',
      field: `${schemaField}.properties[spec].properties[range].default.least`,
    })
  },

  'a rule that costs too much when it runs is stopped, and so are those behind it': async bench => {
    const rules = [{ rule: pairs }, { rule: 'self.list.size() < 5' }]
    const path = await bench.install(costly(bench, numbers, rules))
    equal((await create(bench, path, 4)).status, 201)
    const { status, body } = await create(bench, path, 1000)
    equal(status, 422)
    deepEqual(body.details.causes, [
      {
        reason: 'FieldValueInvalid',
        message: `Invalid value: "object": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: ${pairs}`,
        field: 'spec',
      },
    ])
  },

  'rules that cost too much together when they run are stopped': async bench => {
    const rules = Array.from({ length: 12 }, (_, index) => ({ rule: `${pairs} || self.list.size() == ${index}` }))
    const path = await bench.install(costly(bench, numbers, rules))
    equal((await create(bench, path, 200)).status, 201)
    const { status, body } = await create(bench, path, 390)
    equal(status, 422)
    deepEqual(body.details.causes, [
      {
        reason: 'FieldValueInvalid',
        message:
          'Invalid value: "object": validation failed due to running out of cost budget, no further validation rules will be run',
        field: 'spec',
      },
    ])
  },
})
