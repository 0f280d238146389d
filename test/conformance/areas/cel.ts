import { deepEqual, equal, match } from 'node:assert/strict'
import type { Bench, Definition } from '../case.ts'
import { area, failure, like } from '../case.ts'
import { definition } from '../definitions.ts'

const text = { type: 'string', maxLength: 40 }
const named = { type: 'object', required: ['name'], properties: { name: text, weight: { type: 'integer' } } }

const properties = {
  size: { type: 'integer', minimum: 0 },
  text,
  note: text,
  texts: { type: 'array', maxItems: 5, items: text },
  labels: { type: 'object', maxProperties: 5, additionalProperties: text },
  set: { type: 'array', maxItems: 5, items: text, 'x-kubernetes-list-type': 'set' },
  port: { 'x-kubernetes-int-or-string': true },
  parts: {
    type: 'array',
    maxItems: 5,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: named,
  },
}

/** A kind of its own, the spec of which has these rules. */
function ruled(bench: Bench, rules: readonly object[], more: object = {}): Definition {
  return specified(bench, {
    spec: { type: 'object', properties: { ...properties, ...more }, 'x-kubernetes-validations': rules },
  })
}

function specified(bench: Bench, members: object, root: object = {}): Definition {
  const schema = { type: 'object', properties: { status: { type: 'object' }, ...members }, ...root }
  return definition('Ruled', { group: `${bench.name('cel')}.skystead.test`, schema })
}

function ruledObject(path: string, spec: object, more: object = {}): object {
  const [, , group, version] = path.split('/')
  return { apiVersion: `${group}/${version}`, kind: 'Ruled', metadata: { name: 'a' }, spec, ...more }
}

async function create(bench: Bench, path: string, spec: object) {
  return await bench.api.post(path, ruledObject(path, spec))
}

async function change(bench: Bench, path: string, spec: object) {
  return await bench.api.patch(`${path}/a`, 'merge', { spec })
}

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** Why a definition with a rule is refused. */
async function refusal(bench: Bench, rule: object, more: object = {}) {
  const { status, body } = await bench.api.post(`${definitions}?dryRun=All`, ruled(bench, [rule], more))
  equal(status, 422)
  equal(body.reason, 'Invalid')
  return body.details.causes[0]
}

const firstRule = 'spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0]'

export const cel = area('cel', {
  'an object that keeps to a rule is taken': async bench => {
    const path = await bench.install(ruled(bench, [{ rule: 'self.size < 3' }]))
    equal((await create(bench, path, { size: 2 })).status, 201)
  },

  'an object that breaks a rule is invalid, with the rule’s message': async bench => {
    const path = await bench.install(ruled(bench, [{ rule: 'self.size < 3', message: 'must be small' }]))
    const { status, body } = await create(bench, path, { size: 3 })
    equal(status, 422)
    const [, , group] = path.split('/')
    deepEqual(
      body,
      failure({
        message: `Ruled.${group} "a" is invalid: spec: Invalid value: must be small`,
        reason: 'Invalid',
        details: {
          name: 'a',
          group,
          kind: 'Ruled',
          causes: [{ reason: 'FieldValueInvalid', message: 'Invalid value: must be small', field: 'spec' }],
        },
        code: 422,
      }),
    )
  },

  'a rule without a message is named itself': async bench => {
    const path = await bench.install(ruled(bench, [{ rule: 'self.size < 3' }]))
    const { body } = await create(bench, path, { size: 3 })
    equal(body.details.causes[0].message, 'Invalid value: failed rule: self.size < 3')
  },

  'a messageExpression makes the message from the object': async bench => {
    const messageExpression = "self.text + ' is not small'"
    const path = await bench.install(ruled(bench, [{ rule: 'self.size < 3', message: 'other', messageExpression }]))
    const { body } = await create(bench, path, { size: 3, text: 'three' })
    equal(body.details.causes[0].message, 'Invalid value: three is not small')
  },

  'the message stands in where the messageExpression fails': async bench => {
    const rule = { rule: 'self.size < 3', message: 'must be small', messageExpression: 'self.text' }
    const path = await bench.install(ruled(bench, [rule]))
    const { body } = await create(bench, path, { size: 3 })
    equal(body.details.causes[0].message, 'Invalid value: must be small')
  },

  'the message stands in where the messageExpression yields an empty text': async bench => {
    const rule = { rule: 'self.size < 3', message: 'must be small', messageExpression: "''" }
    const path = await bench.install(ruled(bench, [rule]))
    const { body } = await create(bench, path, { size: 3 })
    equal(body.details.causes[0].message, 'Invalid value: must be small')
  },

  'reason and fieldPath say what is wrong and where': async bench => {
    const rule = { rule: '!has(self.text)', message: 'not here', reason: 'FieldValueForbidden', fieldPath: '.text' }
    const path = await bench.install(ruled(bench, [rule]))
    const { body } = await create(bench, path, { text: 'x' })
    deepEqual(body.details.causes, [
      { reason: 'FieldValueForbidden', message: 'Forbidden: not here', field: 'spec.text' },
    ])
  },

  'the reasons Required and Duplicate have words of their own': async bench => {
    const required = { rule: 'has(self.text)', message: 'wanted', reason: 'FieldValueRequired', fieldPath: '.text' }
    const duplicate = { rule: 'self.size != 3', message: 'twice', reason: 'FieldValueDuplicate', fieldPath: '.size' }
    const path = await bench.install(ruled(bench, [required, duplicate]))
    const { body } = await create(bench, path, { size: 3 })
    deepEqual(body.details.causes, [
      { reason: 'FieldValueRequired', message: 'Required value: wanted', field: 'spec.text' },
      { reason: 'FieldValueDuplicate', message: 'Duplicate value', field: 'spec.size' },
    ])
  },

  'a fieldPath may name a key of a map': async bench => {
    const rule = { rule: "!('bad' in self.labels)", message: 'no', fieldPath: ".labels['bad']" }
    const path = await bench.install(ruled(bench, [rule]))
    const { body } = await create(bench, path, { labels: { bad: 'x' } })
    match(body.details.causes[0].field, /^spec\.labels(\.|\[)bad\]?$/)
  },

  'every rule that is broken is told': async bench => {
    const path = await bench.install(ruled(bench, [{ rule: 'self.size < 3' }, { rule: "self.text != 'x'" }]))
    const { body } = await create(bench, path, { size: 3, text: 'x' })
    deepEqual(
      body.details.causes.map((cause: { message: string }) => cause.message),
      ['Invalid value: failed rule: self.size < 3', `Invalid value: failed rule: self.text != 'x'`],
    )
  },

  'a rule of list elements names the element': async bench => {
    const items = { ...text, 'x-kubernetes-validations': [{ rule: "self.startsWith('x')", message: 'no x' }] }
    const path = await bench.install(ruled(bench, [], { names: { type: 'array', maxItems: 5, items } }))
    const { body } = await create(bench, path, { names: ['xa', 'ya'] })
    deepEqual(body.details.causes, [
      { reason: 'FieldValueInvalid', message: 'Invalid value: "ya": no x', field: 'spec.names[1]' },
    ])
  },

  'a rule of the values of a map names the key': async bench => {
    const additionalProperties = { ...text, 'x-kubernetes-validations': [{ rule: "self != ''", message: 'empty' }] }
    const more = { notes: { type: 'object', maxProperties: 5, additionalProperties } }
    const path = await bench.install(ruled(bench, [], more))
    const { body } = await create(bench, path, { notes: { a: 'x', b: '' } })
    deepEqual(body.details.causes, [
      { reason: 'FieldValueInvalid', message: 'Invalid value: "": empty', field: 'spec.notes[b]' },
    ])
  },

  'rules are not run where fields are missing or of the wrong type': async bench => {
    const path = await bench.install(ruled(bench, [{ rule: 'self.size < 3' }]))
    const { body } = await create(bench, path, { size: 'x' })
    const wrong =
      'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'
    like(body.details.causes, [
      { reason: 'FieldValueTypeInvalid', field: 'spec.size' },
      { reason: 'FieldValueInvalid', field: '<nil>', message: `Invalid value: null: ${wrong}` },
    ])
  },

  'an expression that fails on an object makes it invalid': async bench => {
    const path = await bench.install(ruled(bench, [{ rule: 'self.texts[1] == self.text' }]))
    const { status, body } = await create(bench, path, { texts: ['a'], text: 'a' })
    equal(status, 422)
    const message = 'Invalid value: "object": index out of bounds: 1 evaluating rule: self.texts[1] == self.text'
    deepEqual(body.details.causes, [{ reason: 'FieldValueInvalid', message, field: 'spec' }])
  },

  'a field that is not there cannot be read': async bench => {
    const path = await bench.install(ruled(bench, [{ rule: 'self.size < 3' }]))
    const { body } = await create(bench, path, { text: 'a' })
    equal(body.details.causes[0].message, 'Invalid value: "object": no such key: size evaluating rule: self.size < 3')
  },

  'a rule of something optional runs only where it is there': async bench => {
    const more = { extra: { ...text, 'x-kubernetes-validations': [{ rule: "self == 'x'" }] } }
    const path = await bench.install(ruled(bench, [], more))
    equal((await create(bench, path, { size: 1 })).status, 201)
    equal((await change(bench, path, { extra: 'y' })).status, 422)
  },

  'a rule at the root sees the name': async bench => {
    const rules = [{ rule: "self.metadata.name.startsWith('b')", message: 'wrong name' }]
    const schema = specified(bench, { spec: { type: 'object' } }, { 'x-kubernetes-validations': rules })
    const path = await bench.install(schema)
    const { body } = await create(bench, path, {})
    deepEqual(body.details.causes, [
      { reason: 'FieldValueInvalid', message: 'Invalid value: wrong name', field: '<nil>' },
    ])
  },

  'defaults are set before rules run': async bench => {
    const more = { level: { type: 'integer', default: 7 } }
    const path = await bench.install(ruled(bench, [{ rule: 'self.level == 7' }], more))
    equal((await create(bench, path, {})).status, 201)
  },

  'rules of the status hold for writes of the status': async bench => {
    const status = {
      type: 'object',
      properties: { count: { type: 'integer' } },
      'x-kubernetes-validations': [{ rule: 'self.count < 3', message: 'too many' }],
    }
    const path = await bench.install(specified(bench, { spec: { type: 'object' }, status }))
    await create(bench, path, {})
    const wrong = await bench.api.patch(`${path}/a/status`, 'merge', { status: { count: 3 } })
    equal(wrong.status, 422)
    equal(wrong.body.details.causes[0].field, 'status')
    equal((await bench.api.patch(`${path}/a/status`, 'merge', { status: { count: 2 } })).status, 200)
  },

  'rules hold for what is applied': async bench => {
    const path = await bench.install(ruled(bench, [{ rule: 'self.size < 3' }]))
    const { status } = await bench.api.apply(`${path}/a`, ruledObject(path, { size: 3 }))
    equal(status, 422)
  },

  'an integer-or-string is told apart by its type': async bench => {
    const rule = { rule: "type(self.port) == int ? self.port < 10 : self.port == 'http'" }
    const path = await bench.install(ruled(bench, [rule]))
    equal((await create(bench, path, { port: 11 })).status, 422)
    equal((await create(bench, path, { port: 'http' })).status, 201)
    equal((await change(bench, path, { port: 9 })).status, 200)
    equal((await change(bench, path, { port: 'other' })).status, 422)
  },

  'names that CEL cannot say are escaped': async bench => {
    const more = { 'a-b': text, 'x.y': text, 'p/q': text, if: text, c__d: text }
    const rule =
      "self.a__dash__b == '1' && self.x__dot__y == '2' && self.p__slash__q == '3' && self.__if__ == '4' && self.c__underscores__d == '5'"
    const path = await bench.install(ruled(bench, [{ rule }], more))
    const { body } = await create(bench, path, { 'a-b': '1', 'x.y': '2', 'p/q': '3', if: '4', c__d: '5' })
    equal(body.metadata?.name, 'a', body.message)
  },

  'sets are equal whatever their order': async bench => {
    const path = await bench.install(ruled(bench, [{ rule: 'self.set == oldSelf.set' }]))
    await create(bench, path, { set: ['a', 'b'] })
    equal((await change(bench, path, { set: ['b', 'a'] })).status, 200)
    equal((await change(bench, path, { set: ['b', 'c'] })).status, 422)
  },

  'lists of parts by key are equal whatever their order': async bench => {
    const path = await bench.install(ruled(bench, [{ rule: 'self.parts == oldSelf.parts' }]))
    const [one, two] = [{ name: 'a', weight: 1 }, { name: 'b' }]
    await create(bench, path, { parts: [one, two] })
    equal((await change(bench, path, { parts: [two, one] })).status, 200)
    equal((await change(bench, path, { parts: [two, { name: 'a', weight: 2 }] })).status, 422)
  },

  'plain lists are equal in the same order only': async bench => {
    const path = await bench.install(ruled(bench, [{ rule: 'self.texts == oldSelf.texts' }]))
    await create(bench, path, { texts: ['a', 'b'] })
    equal((await change(bench, path, { texts: ['b', 'a'] })).status, 422)
  },

  'a transition rule does not run on creation and refuses changes': async bench => {
    const more = { fixed: { ...text, 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'is fixed' }] } }
    const path = await bench.install(ruled(bench, [], more))
    equal((await create(bench, path, { fixed: 'x' })).status, 201)
    const { status, body } = await change(bench, path, { fixed: 'y' })
    equal(status, 422)
    deepEqual(body.details.causes, [
      { reason: 'FieldValueInvalid', message: 'Invalid value: "y": is fixed', field: 'spec.fixed' },
    ])
    equal((await change(bench, path, { size: 1 })).status, 200)
  },

  'a transition rule of a field does not see its removal': async bench => {
    const more = { fixed: { ...text, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] } }
    const path = await bench.install(ruled(bench, [], more))
    await create(bench, path, { fixed: 'x' })
    equal((await change(bench, path, { fixed: null })).status, 200)
    equal((await change(bench, path, { fixed: 'y' })).status, 200)
  },

  'a transition rule at the parent keeps a field from being removed': async bench => {
    const path = await bench.install(ruled(bench, [{ rule: '!has(oldSelf.text) || has(self.text)', message: 'kept' }]))
    await create(bench, path, { text: 'x' })
    const { body } = await change(bench, path, { text: null })
    equal(body.details.causes[0].message, 'Invalid value: kept')
  },

  'a transition rule compares the elements of a list by their keys': async bench => {
    const rules = [{ rule: 'self.weight >= oldSelf.weight', message: 'lighter' }]
    const items = { ...named, 'x-kubernetes-validations': rules }
    const path = await bench.install(ruled(bench, [], { parts: { ...properties.parts, items } }))
    await create(bench, path, {
      parts: [
        { name: 'a', weight: 1 },
        { name: 'b', weight: 5 },
      ],
    })
    const moved = await change(bench, path, {
      parts: [
        { name: 'b', weight: 6 },
        { name: 'c', weight: 0 },
      ],
    })
    equal(moved.status, 200)
    const { body } = await change(bench, path, {
      parts: [
        { name: 'c', weight: 0 },
        { name: 'b', weight: 4 },
      ],
    })
    like(body.details.causes, [{ field: 'spec.parts[1]', message: 'Invalid value: lighter' }])
  },

  'a transition rule with optionalOldSelf runs on creation too': async bench => {
    const rule = {
      rule: 'oldSelf.hasValue() ? self.size >= oldSelf.value().size : self.size == 1',
      message: 'starts with one and grows',
      optionalOldSelf: true,
    }
    const path = await bench.install(ruled(bench, [rule]))
    equal((await create(bench, path, { size: 2 })).status, 422)
    equal((await create(bench, path, { size: 1 })).status, 201)
    equal((await change(bench, path, { size: 3 })).status, 200)
    equal((await change(bench, path, { size: 2 })).status, 422)
  },

  'an optional old value is read through': async bench => {
    const rule = { rule: 'self.size > oldSelf.?size.orValue(0)', optionalOldSelf: true }
    const path = await bench.install(ruled(bench, [rule]))
    equal((await create(bench, path, { size: 0 })).status, 422)
    equal((await create(bench, path, { size: 1 })).status, 201)
    equal((await change(bench, path, { size: 1, text: 'x' })).status, 422)
    equal((await change(bench, path, { size: 2 })).status, 200)
  },

  'what broke a rule before the rule came may stay as it is': async bench => {
    const loose = ruled(bench, [])
    const path = await bench.install(loose)
    await create(bench, path, { labels: { a: 'x' }, text: 'bad' })
    const extra = { ...text, 'x-kubernetes-validations': [{ rule: "self != 'bad'", message: 'bad text' }] }
    const strict = ruled(bench, [], { text: extra })
    const { spec } = { ...strict, spec: { ...strict.spec, group: loose.spec.group } }
    await bench.api.patch(`${definitions}/${loose.metadata.name}`, 'merge', { spec: { versions: spec.versions } })
    await bench.until('the new rule', async () => {
      const probe = { ...ruledObject(path, { text: 'bad' }), metadata: { name: 'probe' } }
      return (await bench.api.post(`${path}?dryRun=All`, probe)).status === 422
    })
    equal((await change(bench, path, { size: 4 })).status, 200)
    equal((await change(bench, path, { text: 'good' })).status, 200)
    equal((await change(bench, path, { text: 'bad' })).status, 422)
  },

  'a definition with a rule that does not parse is refused': async bench => {
    const cause = await refusal(bench, { rule: 'self.size ==' })
    like(cause, { reason: 'FieldValueInvalid', field: `${firstRule}.rule` })
    match(cause.message, /^Invalid value: .*: compilation failed: ERROR: <input>:1:13: Syntax error: /s)
  },

  'a definition with a rule about an unknown field is refused': async bench => {
    const cause = await refusal(bench, { rule: 'self.none == 1' })
    like(cause, { reason: 'FieldValueInvalid', field: `${firstRule}.rule` })
    match(
      cause.message,
      /compilation failed: ERROR: <input>:1:5: undefined field 'none'\n \| self\.none == 1\n \| \.\.\.\.\^$/,
    )
  },

  'a definition with a rule about an unknown variable is refused': async bench => {
    const { message } = await refusal(bench, { rule: 'none == 1' })
    match(message, /compilation failed: ERROR: <input>:1:1: undeclared reference to 'none' \(in container ''\)/)
  },

  'a definition with a rule that compares different types is refused': async bench => {
    const { message } = await refusal(bench, { rule: "self.size == 'x'" })
    match(message, /ERROR: <input>:1:11: found no matching overload for '_==_' applied to '\(int, string\)'/)
  },

  'a definition with a rule that is no bool is refused': async bench => {
    const cause = await refusal(bench, { rule: 'self.size' })
    like(cause, { reason: 'FieldValueInvalid', field: `${firstRule}.rule` })
    match(cause.message, /: cel expression must evaluate to a bool$/)
  },

  'a definition with an empty rule is refused': async bench => {
    const cause = await refusal(bench, { rule: ' ' })
    like(cause, {
      reason: 'FieldValueRequired',
      field: `${firstRule}.rule`,
      message: 'Required value: rule is not specified',
    })
  },

  'a definition with a messageExpression that is no text is refused': async bench => {
    const cause = await refusal(bench, { rule: 'true', messageExpression: 'self.size' })
    like(cause, { reason: 'FieldValueInvalid', field: `${firstRule}.messageExpression` })
    match(cause.message, /messageExpression must evaluate to a string$/)
  },

  'a definition with a message of several lines is refused': async bench => {
    const cause = await refusal(bench, { rule: 'true', message: 'one\ntwo' })
    deepEqual(cause, {
      reason: 'FieldValueInvalid',
      message: 'Invalid value: "one\\ntwo": must not contain line breaks',
      field: `${firstRule}.message`,
    })
  },

  'a definition with an unknown reason is refused': async bench => {
    const cause = await refusal(bench, { rule: 'true', reason: 'Whatever' })
    like(cause, { reason: 'FieldValueNotSupported', field: `${firstRule}.reason` })
    match(cause.message, /^Unsupported value: "Whatever": supported values: "FieldValueDuplicate", /)
  },

  'a definition with a fieldPath to nowhere is refused': async bench => {
    const cause = await refusal(bench, { rule: 'true', fieldPath: '.none' })
    like(cause, { reason: 'FieldValueInvalid', field: `${firstRule}.fieldPath` })
    match(cause.message, /^Invalid value: "\.none": must be a valid path/)
  },

  'a definition with optionalOldSelf in a rule without oldSelf is refused': async bench => {
    const cause = await refusal(bench, { rule: 'true', optionalOldSelf: true })
    like(cause, { field: `${firstRule}.optionalOldSelf` })
    match(cause.message, /may not be set if oldSelf is not used in rule/)
  },

  'a definition with a transition rule in a plain list is refused': async bench => {
    const items = { ...text, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] }
    const list = { type: 'array', maxItems: 5, items }
    const { status, body } = await bench.api.post(`${definitions}?dryRun=All`, ruled(bench, [], { names: list }))
    equal(status, 422)
    match(body.message, /oldSelf cannot be used on the uncorrelatable portion of the schema within /)
  },

  'a definition with a regular expression that is none is refused': async bench => {
    const { message } = await refusal(bench, { rule: "self.text.matches('(')" })
    match(message, /ERROR: <input>:1:19: invalid matches argument/)
  },

  'a rule cannot read what a schema only preserves': async bench => {
    const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { known: text } }
    const { message } = await refusal(bench, { rule: "self.open.other == 'x'" }, { open })
    match(message, /undefined field 'other'/)
  },

  'a rule cannot read labels at the root': async bench => {
    const rules = [{ rule: "self.metadata.labels['a'] == 'b'" }]
    const wrong = specified(bench, { spec: { type: 'object' } }, { 'x-kubernetes-validations': rules })
    const { status, body } = await bench.api.post(`${definitions}?dryRun=All`, wrong)
    equal(status, 422)
    match(body.message, /undefined field 'labels'/)
  },

  'a rule that reads a whole nested list is affordable where sizes are bounded': async bench => {
    const path = await bench.install(ruled(bench, [{ rule: 'self.texts.all(a, self.texts.exists_one(b, a == b))' }]))
    equal((await create(bench, path, { texts: ['a', 'b'] })).status, 201)
    equal((await change(bench, path, { texts: ['a', 'a'] })).status, 422)
  },
})
