import { deepEqual, equal } from 'node:assert/strict'
import type { Bench } from '../case.ts'
import { area, like } from '../case.ts'
import { definition, group, objectSchema } from '../definitions.ts'

const text = { type: 'string' }

/** Every way in which a schema shapes what it gets. */
const shapes = definition('Shape', {
  schema: objectSchema({
    mode: { type: 'string', default: 'Safe' },
    deep: { type: 'object', default: {}, properties: { level: { type: 'integer', default: 3 }, note: text } },
    shallow: { type: 'object', properties: { level: { type: 'integer', default: 3 } } },
    list: { type: 'array', items: { type: 'object', properties: { a: text, size: { type: 'integer', default: 1 } } } },
    map: {
      type: 'object',
      additionalProperties: { type: 'object', properties: { size: { type: 'integer', default: 1 } } },
    },
    nullable: { type: 'string', nullable: true },
    nullableDefault: { type: 'string', nullable: true, default: 'x' },
    plain: text,
    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    half: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { closed: { type: 'object', properties: { a: text } } },
    },
    anything: { 'x-kubernetes-preserve-unknown-fields': true },
    port: { 'x-kubernetes-int-or-string': true },
    resource: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      properties: { spec: { type: 'object', properties: { a: text } } },
    },
    template: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      'x-kubernetes-preserve-unknown-fields': true,
    },
    formats: {
      type: 'object',
      properties: {
        uri: { type: 'string', format: 'uri' },
        ipv4: { type: 'string', format: 'ipv4' },
        ipv6: { type: 'string', format: 'ipv6' },
        cidr: { type: 'string', format: 'cidr' },
        mac: { type: 'string', format: 'mac' },
        uuid: { type: 'string', format: 'uuid' },
        email: { type: 'string', format: 'email' },
        hostname: { type: 'string', format: 'hostname' },
        byte: { type: 'string', format: 'byte' },
        date: { type: 'string', format: 'date' },
        duration: { type: 'string', format: 'duration' },
        moment: { type: 'string', format: 'date-time' },
        other: { type: 'string', format: 'no-such-format' },
      },
    },
  }),
})

function shape(spec: object): object {
  return { apiVersion: `${group}/v1`, kind: 'Shape', metadata: { name: 'a' }, spec }
}

/** The spec that becomes of a spec, without the defaults that every object has. */
async function shaped(bench: Bench, spec: object) {
  const path = await bench.install(shapes)
  const { status, body } = await bench.api.post(path, shape(spec))
  equal(status, 201, body.message)
  deepEqual((await bench.api.get(`${path}/a`)).body.spec, body.spec)
  const { mode: _mode, deep: _deep, nullableDefault: _nullableDefault, ...rest } = body.spec
  return rest
}

/** What is wrong with a spec. */
async function refused(bench: Bench, spec: object) {
  const path = await bench.install(shapes)
  const { status, body } = await bench.api.post(path, shape(spec))
  equal(status, 422)
  return body.details.causes
}

/** Makes a case of texts of a format that are taken, and texts that are refused. */
function format(name: string, good: readonly string[], bad: readonly string[]) {
  return async (bench: Bench) => {
    for (const value of good) {
      const path = await bench.install(shapes)
      const { status, body } = await bench.api.post(`${path}?dryRun=All`, shape({ formats: { [name]: value } }))
      equal(status, 201, `${value}: ${body.message}`)
    }
    for (const value of bad) {
      const causes = await refused(bench, { formats: { [name]: value } })
      like(causes, [{ field: `spec.formats.${name}` }])
    }
  }
}

export const schema = area('schema', {
  'defaults are set, also within defaults': async bench => {
    const path = await bench.install(shapes)
    const { body } = await bench.api.post(path, shape({}))
    deepEqual(body.spec, { mode: 'Safe', deep: { level: 3 }, nullableDefault: 'x' })
  },

  'defaults are not set in what is not there': async bench => {
    deepEqual(await shaped(bench, {}), {})
    const path = await bench.install(shapes)
    const { body } = await bench.api.patch(`${path}/a`, 'merge', { spec: { shallow: {} } })
    deepEqual(body.spec.shallow, { level: 3 })
  },

  'defaults are set in the elements of lists and the values of maps': async bench => {
    deepEqual(await shaped(bench, { list: [{ a: 'x' }, { size: 2 }], map: { k: {} } }), {
      list: [{ a: 'x', size: 1 }, { size: 2 }],
      map: { k: { size: 1 } },
    })
  },

  'defaults are set again where they are removed': async bench => {
    const path = await bench.install(shapes)
    await bench.api.post(path, shape({ mode: 'Fast' }))
    const { body } = await bench.api.patch(`${path}/a`, 'json', [{ op: 'remove', path: '/spec/mode' }])
    equal(body.spec.mode, 'Safe')
  },

  'an object without a spec gets none by the defaults within': async bench => {
    const path = await bench.install(shapes)
    const { spec: _spec, ...bare } = { spec: {}, ...shape({}) }
    const { body } = await bench.api.post(path, bare)
    equal(body.spec, undefined)
  },

  'null where a value has a default becomes the default': async bench => {
    const path = await bench.install(shapes)
    const { body } = await bench.api.post(path, shape({ mode: null, deep: { level: null } }))
    like(body.spec, { mode: 'Safe', deep: { level: 3 } })
  },

  'null where a value has none is dropped': async bench => {
    deepEqual(await shaped(bench, { plain: null, deep: { note: null } }), {})
  },

  'null is kept where it is allowed': async bench => {
    deepEqual(await shaped(bench, { nullable: null }), { nullable: null })
    const path = await bench.install(shapes)
    const { body } = await bench.api.post(path, { ...shape({ nullableDefault: null }), metadata: { name: 'b' } })
    equal(body.spec.nullableDefault, null)
  },

  'null in a list is of the wrong type': async bench => {
    like(await refused(bench, { list: [null] }), [{ reason: 'FieldValueTypeInvalid', field: 'spec.list[0]' }])
  },

  'unknown fields are dropped at every depth': async bench => {
    const spec = { other: 1, deep: { other: 1 }, list: [{ a: 'x', other: 1 }], map: { k: { other: 1 } } }
    deepEqual(await shaped(bench, spec), { list: [{ a: 'x', size: 1 }], map: { k: { size: 1 } } })
  },

  'unknown fields beside spec and status are dropped': async bench => {
    const path = await bench.install(shapes)
    const { status, body } = await bench.api.post(path, { ...shape({}), data: { a: 1 } })
    equal(status, 201)
    equal(body.data, undefined)
  },

  'unknown fields are kept where the schema says so': async bench => {
    const open = { a: 1, b: { c: [1, { d: null }] }, e: 1.5 }
    deepEqual(await shaped(bench, { open }), { open })
  },

  'known fields are pruned within what keeps unknown ones': async bench => {
    deepEqual(await shaped(bench, { half: { other: { x: 1 }, closed: { a: 'x', b: 'y' } } }), {
      half: { other: { x: 1 }, closed: { a: 'x' } },
    })
  },

  'a value of any type is kept where nothing is said of it': async bench => {
    for (const anything of [1, 'x', true, [1, 'x'], { a: { b: 1 } }]) {
      const path = await bench.install(shapes)
      const { body } = await bench.api.post(`${path}?dryRun=All`, shape({ anything }))
      deepEqual(body.spec.anything, anything)
    }
  },

  'an integer-or-string stays what it is': async bench => {
    deepEqual(await shaped(bench, { port: 80 }), { port: 80 })
    const path = await bench.install(shapes)
    const { body } = await bench.api.post(path, { ...shape({ port: 'http' }), metadata: { name: 'b' } })
    equal(body.spec.port, 'http')
  },

  'an embedded resource keeps apiVersion, kind and metadata, and is pruned otherwise': async bench => {
    const resource = {
      apiVersion: 'v1',
      kind: 'Thing',
      metadata: { name: 'x', labels: { a: 'b' }, other: 1 },
      spec: { a: 'x', b: 'y' },
      status: {},
    }
    deepEqual(await shaped(bench, { resource }), {
      resource: { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'x', labels: { a: 'b' } }, spec: { a: 'x' } },
    })
  },

  'an embedded resource needs an apiVersion and a kind': async bench => {
    const causes = await refused(bench, { template: { metadata: { name: 'x' } } })
    deepEqual(causes.map(({ field }: { field: string }) => field).sort(), [
      'spec.template.apiVersion',
      'spec.template.kind',
    ])
    like(causes[0], { reason: 'FieldValueRequired', message: 'Required value' })
  },

  'the metadata of an embedded resource is validated': async bench => {
    const template = { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'x', labels: { a: 'not a value!' } } }
    const causes = await refused(bench, { template })
    like(causes, [{ reason: 'FieldValueInvalid', field: 'spec.template.metadata.labels' }])
  },

  'a status is pruned and given defaults like the rest': async bench => {
    const own = `${bench.name('sch')}.skystead.test`
    const status = {
      type: 'object',
      properties: { phase: { type: 'string', default: 'New' }, count: { type: 'integer' } },
    }
    const path = await bench.install(definition('Shape', { group: own, schema: objectSchema({}, status) }))
    await bench.api.post(path, { ...shape({}), apiVersion: `${own}/v1` })
    const { body } = await bench.api.patch(`${path}/a/status`, 'merge', { status: { count: 1, other: 1 } })
    deepEqual(body.status, { phase: 'New', count: 1 })
  },

  'large integers and small fractions are kept': async bench => {
    const open = { large: 9007199254740991, small: 0.000001, negative: -5, zero: 0 }
    deepEqual(await shaped(bench, { open }), { open })
  },

  'the format uri is checked': format('uri', ['https://example.com/a?b', '/path'], ['no uri at all']),
  'the format ipv4 is checked': format('ipv4', ['10.0.0.1'], ['10.0.0.256', '::1']),
  'the format ipv6 is checked': format('ipv6', ['::1', 'fd00::1'], ['10.0.0.1', 'x']),
  'the format cidr is checked': format('cidr', ['10.0.0.0/8', 'fd00::/8'], ['10.0.0.0', '10.0.0.0/33']),
  'the format mac is checked': format('mac', ['00:11:22:33:44:55'], ['00:11:22:33:44', 'x']),
  'the format uuid is checked': format('uuid', ['123e4567-e89b-12d3-a456-426614174000'], ['123e4567']),
  'the format email is checked': format('email', ['a@example.com'], ['example.com']),
  'the format hostname is checked': format('hostname', ['a.example.com', 'a'], ['-a', 'a b']),
  'the format byte is checked': format('byte', ['aGVsbG8='], ['a', '###']),
  'the format date is checked': format('date', ['2026-01-31'], ['2026-02-30', '31.1.2026']),
  'the format duration is checked': format('duration', ['1h30m', '1500ms', '0s'], ['1 fortnight', 'x']),
  'the format date-time is checked': format(
    'moment',
    ['2026-01-31T01:02:03Z', '2026-01-31T01:02:03.5+01:00'],
    ['2026-01-31', '2026-01-31T25:00:00Z'],
  ),
  'an unknown format is not checked': format('other', ['anything'], []),
})
