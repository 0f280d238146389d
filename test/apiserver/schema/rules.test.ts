import test from 'ava'
import { compileSchema } from '../../../apiserver/schema/compiled-schema.ts'
import { SchemaError } from '../../../apiserver/schema/schema-error.ts'
import type { StructuralSchema, ValidationRule } from '../../../apiserver/schema/structural-schema.ts'

function compile(spec: StructuralSchema, ...rules: readonly ValidationRule[]) {
  return compileSchema({
    type: 'object',
    properties: { spec: { ...spec, 'x-kubernetes-validations': rules } },
  })
}

const sized: StructuralSchema = {
  type: 'object',
  properties: {
    size: { type: 'integer' },
    name: { type: 'string' },
    tags: { type: 'array', items: { type: 'string' } },
  },
}

test('a failed rule reports its message at its node', t => {
  const schema = compile(sized, { rule: 'self.size < 3', message: 'must be small' })
  t.deepEqual(schema.validate({ spec: { size: 3 } }), [
    { type: 'FieldValueInvalid', field: 'spec', message: 'Invalid value: must be small' },
  ])
  t.deepEqual(schema.validate({ spec: { size: 2 } }), [])
})

test('without a message the rule itself is named', t => {
  const schema = compile(sized, { rule: ' self.size < 3 ' })
  t.is(schema.validate({ spec: { size: 3 } })[0]?.message, 'Invalid value: failed rule: self.size < 3')
})

test('the message can be an expression, and falls back where that fails', t => {
  const schema = compile(sized, {
    rule: 'self.size < 3',
    message: 'must be small',
    messageExpression: '"size " + string(self.size) + " of " + self.name',
  })
  t.is(schema.validate({ spec: { size: 5, name: 'x' } })[0]?.message, 'Invalid value: size 5 of x')
  t.is(schema.validate({ spec: { size: 5 } })[0]?.message, 'Invalid value: must be small')
})

const reasons = [
  ['FieldValueForbidden', 'Forbidden: no'],
  ['FieldValueRequired', 'Required value: no'],
  ['FieldValueDuplicate', 'Duplicate value'],
  ['FieldValueInvalid', 'Invalid value: no'],
] as const

for (const [reason, message] of reasons) {
  test(`reason ${reason} and fieldPath are reported`, t => {
    const schema = compile(sized, { rule: 'false', message: 'no', reason, fieldPath: '.size' })
    const [error] = schema.validate({ spec: { size: 1 } })
    t.like(error, { type: reason, field: 'spec.size', message })
  })
}

test('a fieldPath must name a field', t => {
  const error = t.throws(() => compile(sized, { rule: 'true', fieldPath: '.other' }), { instanceOf: SchemaError })
  t.deepEqual(error.problems, [
    {
      field: 'properties[spec].x-kubernetes-validations[0].fieldPath',
      message: 'Invalid value: ".other": must be a valid path',
    },
  ])
})

test('a misspelt field is found when the schema is compiled, with its place', t => {
  const error = t.throws(() => compile(sized, { rule: 'has(self.size) && self.siez > 1' }), { instanceOf: SchemaError })
  t.is(
    error.problems[0]?.message,
    'Invalid value: "has(self.size) && self.siez > 1": compilation failed: ERROR: <input>:1:23: undefined field \'siez\'\n' +
      ' | has(self.size) && self.siez > 1\n' +
      ' | ......................^',
  )
  t.throws(() => compile(sized, { rule: 'has(self.siez)' }), { instanceOf: SchemaError })
})

test('a rule must yield a bool and a messageExpression a text', t => {
  const error = t.throws(() => compile(sized, { rule: 'self.size', messageExpression: '1' }), {
    instanceOf: SchemaError,
  })
  t.deepEqual(
    error.problems.map(problem => problem.message),
    [
      'Invalid value: "self.size": cel expression must evaluate to a bool',
      'Invalid value: "1": messageExpression must evaluate to a string',
    ],
  )
})

test('transition rules run on update only', t => {
  const schema = compile(sized, { rule: 'self.size >= oldSelf.size', message: 'may not shrink' })
  t.deepEqual(schema.validate({ spec: { size: 1 } }), [])
  t.is(schema.validate({ spec: { size: 1 } }, { spec: { size: 2 } })[0]?.message, 'Invalid value: may not shrink')
  t.deepEqual(schema.validate({ spec: { size: 3 } }, { spec: { size: 2 } }), [])
})

test('with optionalOldSelf a transition rule runs on creation too', t => {
  const rule = 'oldSelf.hasValue() ? self.size >= oldSelf.value().size : self.size == 1'
  const schema = compile(sized, { rule, optionalOldSelf: true, message: 'no' })
  t.deepEqual(schema.validate({ spec: { size: 1 } }), [])
  t.is(schema.validate({ spec: { size: 2 } }).length, 1)
  t.deepEqual(schema.validate({ spec: { size: 2 } }, { spec: { size: 1 } }), [])
  t.is(schema.validate({ spec: { size: 0 } }, { spec: { size: 1 } }).length, 1)
})

test('a mention of oldSelf in a text is no transition rule', t => {
  const schema = compile(sized, { rule: 'self.name != "oldSelf"', message: 'no' })
  t.is(schema.validate({ spec: { name: 'oldSelf' } }).length, 1)
})

const immutable: readonly ValidationRule[] = [{ rule: 'self == oldSelf', message: 'is immutable' }]

test('elements of list maps are compared by key, those of other lists cannot be', t => {
  const items: StructuralSchema = {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string' }, mac: { type: 'string', 'x-kubernetes-validations': immutable } },
  }
  const map: StructuralSchema = {
    type: 'array',
    items,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  }
  const before = {
    spec: [
      { name: 'a', mac: '1' },
      { name: 'b', mac: '2' },
    ],
  }
  const after = {
    spec: [
      { name: 'new', mac: '9' },
      { name: 'b', mac: '3' },
      { name: 'a', mac: '1' },
    ],
  }
  const compiled = compileSchema({ type: 'object', properties: { spec: map } })
  t.deepEqual(
    compiled.validate(after, before).map(({ field, message }) => `${field}: ${message}`),
    ['spec[1].mac: Invalid value: "3": is immutable'],
  )
  const atomic = { type: 'object', properties: { spec: { type: 'array', items } } } as const
  const error = t.throws(() => compileSchema(atomic), { instanceOf: SchemaError })
  t.regex(
    error.message,
    /oldSelf cannot be used on the uncorrelatable portion of the schema within properties\[spec\]$/,
  )
})

test('values of maps are compared by key, and reported in brackets', t => {
  const spec: StructuralSchema = {
    type: 'object',
    additionalProperties: { type: 'string', 'x-kubernetes-validations': immutable },
  }
  const compiled = compileSchema({ type: 'object', properties: { spec } })
  const errors = compiled.validate({ spec: { 'a.b': 'x', c: 'new' } }, { spec: { 'a.b': 'y' } })
  t.deepEqual(
    errors.map(({ field }) => field),
    ['spec[a.b]'],
  )
})

test('the order of a list set does not make it another', t => {
  const spec: StructuralSchema = {
    type: 'array',
    items: { type: 'string' },
    'x-kubernetes-list-type': 'set',
    'x-kubernetes-validations': immutable,
  }
  const compiled = compileSchema({ type: 'object', properties: { spec } })
  t.deepEqual(compiled.validate({ spec: ['a', 'b'] }, { spec: ['b', 'a'] }), [])
  t.is(compiled.validate({ spec: ['a', 'c'] }, { spec: ['b', 'a'] }).length, 1)
})

test('rules wait until the value is valid in itself', t => {
  const schema = compile(sized, { rule: 'self.size < 3' })
  t.deepEqual(
    schema.validate({ spec: { size: 'x' } }).map(({ field, message }) => `${field}: ${message}`),
    [
      'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
      '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
    ],
  )
})

test('a rule that reads what is not there fails with the reason', t => {
  const schema = compile(sized, { rule: 'self.name == "x"', message: 'no' })
  t.is(schema.validate({ spec: {} })[0]?.message, 'Invalid value: "object": no such key: name evaluating rule: no')
})

test('a rule that failed before is forgiven while its value stays', t => {
  const schema = compile(sized, { rule: 'self.size < 3', message: 'no' })
  t.deepEqual(schema.validate({ metadata: { name: 'b' }, spec: { size: 5 } }, { spec: { size: 5 } }), [])
  t.is(schema.validate({ spec: { size: 6 } }, { spec: { size: 5 } }).length, 1)
})

test('rules of the whole resource read its name', t => {
  const schema = compileSchema({
    type: 'object',
    properties: { spec: sized },
    'x-kubernetes-validations': [{ rule: 'self.metadata.name == self.spec.name', message: 'no' }],
  })
  t.deepEqual(schema.validate({ metadata: { name: 'a', labels: {} }, spec: { name: 'a' } }), [])
  t.is(schema.validate({ metadata: { name: 'a' }, spec: { name: 'b' } })[0]?.field, '<nil>')
})

test('a hostile text cannot make a match run long', t => {
  const schema = compile(sized, { rule: "self.name.matches('^(a+)+$')", message: 'no' })
  const calls = `${'a'.repeat(50_000)}!`
  t.is(schema.validate({ spec: { name: calls } }).length, 1)
  t.deepEqual(schema.validate({ spec: { name: 'aaaa' } }), [])
})

test('a call in a text is no call', t => {
  const schema = compile(sized, { rule: `self.name != ".matches(x) has(y)" // .matches(`, message: 'no' })
  t.is(schema.validate({ spec: { name: '.matches(x) has(y)' } }).length, 1)
})

/** Functions beyond what was recorded: rule and whether it holds. */
const functions: readonly (readonly [string, boolean])[] = [
  ['"aXbXc".replace("X", "-", 1) == "a-bXc"', true],
  ['"%s|%d|%.2f|%x|%b|%%".format(["a", 3, 1.5, 255, 5]) == "a|3|1.50|ff|101|%"', true],
  ['"a1b22c333".findAll("[0-9]+", 2) == ["1", "22"]', true],
  ['"foobar".find("foo|foobar") == "foo"', true],
  ['"foobar".find("foobar|foo") == "foobar"', true],
  ['"aaa".find("a+?") == "a"', true],
  ['"x-12".find("\\\\b[0-9]+$") == "12"', true],
  ['"abc".findAll("") == ["", "", "", ""]', true],
  ['quantity("1.5Gi") == quantity("1536Mi")', true],
  ['sign(quantity("-1")) == -1 && sign(quantity("0")) == 0', true],
  ['quantity("2").sub(quantity("500m")) == quantity("1500m")', true],
  ['isQuantity("1.5 Gi") || isQuantity("Gi") || isQuantity("1KiB")', false],
  ['ip("2001:DB8::1") == ip("2001:db8:0::1") && !ip.isCanonical("2001:DB8::1")', true],
  ['isIP("::ffff:1.2.3.4") || isIP("fe80::1%eth0") || isIP("010.0.0.1")', false],
  ['cidr("10.1.2.3/8").masked() == cidr("10.0.0.0/8")', true],
  ['cidr("fd00::/8").containsCIDR("fd00:1::/32") && !cidr("fd00::/8").containsIP("10.0.0.1")', true],
  ['url("https://user@host:1/p?a=1&a=2").getQuery()["a"] == ["1", "2"]', true],
  ['[3, 1, 2].max() == 3 && [3, 1, 2].min() == 1 && ![3, 1, 2].isSorted()', true],
  ['[duration("1m"), duration("30s")].sum() == duration("90s")', true],
  ['sets.contains(["a", "b"], ["b"]) && !sets.intersects([1], [2])', true],
  ['format.named("nothing").hasValue()', false],
  ['format.dns1123Label().validate("-a").value().size() == 1', true],
  ['optional.of(2).optMap(x, x + 1).value() == 3 && !optional.none().optMap(x, x).hasValue()', true],
  ['optional.of(2).optFlatMap(x, optional.of(x * 2)).value() == 4', true],
  ['string(timestamp("2026-01-01T00:00:00Z")) == "2026-01-01T00:00:00Z"', true],
  ['9007199254740993 + 0 == 9007199254740993', true],
]

for (const [rule, holds] of functions) {
  test(`${rule} is ${holds}`, t => {
    const schema = compile({ type: 'object' }, { rule, message: 'no' })
    t.deepEqual(
      schema.validate({ spec: {} }).map(error => error.message),
      holds ? [] : ['Invalid value: no'],
    )
  })
}
