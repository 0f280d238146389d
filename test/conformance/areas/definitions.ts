import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { Bench, Definition } from '../case.ts'
import { area, like } from '../case.ts'
import { definition, objectSchema } from '../definitions.ts'

const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

/** A definition in a group of its own. */
function own(bench: Bench, more: object = {}, kind = 'Gear'): Definition {
  return definition(kind, { group: `${bench.name('def')}.skystead.test`, ...more })
}

/** Versions that differ in their names only, the first of them stored. */
function versions(...names: readonly string[]): readonly object[] {
  return names.map((name, index) => ({
    name,
    served: true,
    storage: index === 0,
    schema: { openAPIV3Schema: open },
  }))
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

async function conditionOf(bench: Bench, name: string, type: string): Promise<Condition | undefined> {
  const { body } = await bench.api.get(`${path}/${name}`)
  return body.status?.conditions?.find((condition: Condition) => condition.type === type)
}

/** Changes the spec of a definition, and expects that to be taken. */
async function change(bench: Bench, name: string, spec: object) {
  const answer = await bench.api.patch(`${path}/${name}`, 'merge', { spec })
  equal(answer.status, 200, answer.body.message)
  return answer.body
}

/** The path of the objects of a definition, in another version than its first. */
function objectsOf(made: Definition, objects: string, version: string): string {
  return objects.replace(`/${made.spec.group}/v1/`, `/${made.spec.group}/${version}/`)
}

function gear(made: Definition, version = 'v1', spec: object = {}, name = 'a'): object {
  return { apiVersion: `${made.spec.group}/${version}`, kind: made.spec.names.kind, metadata: { name }, spec }
}

export const definitions = area('definitions', {
  'a definition gets the names, the conversion and the scope that it leaves out': async bench => {
    const made = own(bench)
    const { kind, plural } = made.spec.names
    const { status, body } = await bench.api.post(path, { ...made, spec: { ...made.spec, names: { kind, plural } } })
    equal(status, 201)
    deepEqual(body.spec.names, { plural: 'gears', singular: 'gear', kind: 'Gear', listKind: 'GearList' })
    deepEqual(body.spec.conversion, { strategy: 'None' })
    await bench.api.remove(`${path}/${made.metadata.name}`)
  },

  'a definition becomes established': async bench => {
    const made = own(bench)
    await bench.install(made)
    const { name } = made.metadata
    const established = await bench.until('Established', async () => {
      const condition = await conditionOf(bench, name, 'Established')
      return condition?.status === 'True' && condition
    })
    like(established, { reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' })
    const names = await conditionOf(bench, name, 'NamesAccepted')
    like(names, { status: 'True', reason: 'NoConflicts', message: 'no conflicts found' })
  },

  'the status tells the accepted names and the stored versions': async bench => {
    const made = own(bench)
    await bench.install(made)
    const { body } = await bench.api.get(`${path}/${made.metadata.name}`)
    deepEqual(body.status.storedVersions, ['v1'])
    deepEqual(body.status.acceptedNames, { plural: 'gears', singular: 'gear', kind: 'Gear', listKind: 'GearList' })
  },

  'a definition counts its generation': async bench => {
    const made = own(bench)
    await bench.install(made)
    const { body: before } = await bench.api.get(`${path}/${made.metadata.name}`)
    equal(before.metadata.generation, 1)
    const body = await change(bench, made.metadata.name, { names: { ...made.spec.names, categories: ['all'] } })
    equal(body.metadata.generation, 2)
  },

  'the scope of what is established cannot change': async bench => {
    const made = own(bench)
    await bench.install(made)
    await bench.until('Established', async () => {
      return (await conditionOf(bench, made.metadata.name, 'Established'))?.status === 'True'
    })
    const { status, body } = await bench.api.patch(`${path}/${made.metadata.name}`, 'merge', {
      spec: { scope: 'Cluster' },
    })
    equal(status, 422)
    deepEqual(body.details.causes, [
      { reason: 'FieldValueInvalid', message: 'Invalid value: "Cluster": field is immutable', field: 'spec.scope' },
    ])
  },

  'the kind of what is established cannot change': async bench => {
    const made = own(bench)
    await bench.install(made)
    await bench.until('Established', async () => {
      return (await conditionOf(bench, made.metadata.name, 'Established'))?.status === 'True'
    })
    const names = { kind: 'Wheel', listKind: 'WheelList' }
    const { status, body } = await bench.api.patch(`${path}/${made.metadata.name}`, 'merge', { spec: { names } })
    equal(status, 422)
    like(body.details.causes, [{ field: 'spec.names.kind', message: 'Invalid value: "Wheel": field is immutable' }])
  },

  'names that another definition of the group has are not accepted': async bench => {
    const made = own(bench)
    await bench.install(made)
    const group = made.spec.group
    const rival = definition('Wheel', { group, spec: {} })
    const names = { plural: 'wheels', singular: 'wheel', kind: 'Gear', listKind: 'WheelList' }
    await bench.api.post(path, { ...rival, spec: { ...rival.spec, names } })
    const { name } = rival.metadata
    const refusal = await bench.until('NamesAccepted', () => conditionOf(bench, name, 'NamesAccepted'))
    like(refusal, { status: 'False', reason: 'KindConflict', message: '"Gear" is already in use' })
    like(await conditionOf(bench, name, 'Established'), {
      status: 'False',
      reason: 'NotAccepted',
      message: 'not all names are accepted',
    })
    equal((await bench.api.get(`/apis/${group}/v1/wheels`)).status, 404)
    await bench.api.remove(`${path}/${name}`)
  },

  'names are accepted once whoever had them is gone': async bench => {
    const made = own(bench)
    const { group } = made.spec
    await bench.api.post(path, made)
    await bench.until('Established', async () => {
      return (await conditionOf(bench, made.metadata.name, 'Established'))?.status === 'True'
    })
    const rival = definition('Wheel', { group })
    const names = { ...rival.spec.names, shortNames: ['gear'] }
    await bench.api.post(path, { ...rival, spec: { ...rival.spec, names } })
    const { name } = rival.metadata
    const refusal = await bench.until('NamesAccepted', () => conditionOf(bench, name, 'NamesAccepted'))
    like(refusal, { status: 'False', reason: 'ShortNamesConflict', message: '"gear" is already in use' })
    await bench.api.remove(`${path}/${made.metadata.name}`)
    await bench.until('Established', async () => {
      return (await conditionOf(bench, name, 'Established'))?.status === 'True'
    })
    await bench.api.remove(`${path}/${name}`)
  },

  'a new schema holds for what is written from then on': async bench => {
    const made = own(bench, { schema: objectSchema({ size: { type: 'integer' } }) })
    const objects = await bench.install(made)
    const [version] = made.spec.versions
    const schema = { openAPIV3Schema: objectSchema({ size: { type: 'integer', maximum: 3 } }) }
    await change(bench, made.metadata.name, { versions: [{ ...version, schema }] })
    const refusal = await bench.until('the new schema', async () => {
      const answer = await bench.api.post(`${objects}?dryRun=All`, gear(made, 'v1', { size: 4 }))
      return answer.status === 422 && answer.body
    })
    like(refusal.details.causes, [{ field: 'spec.size' }])
  },

  'a field that the schema forgets is no longer shown': async bench => {
    const made = own(bench, { schema: objectSchema({ a: { type: 'string' }, b: { type: 'string' } }) })
    const objects = await bench.install(made)
    await bench.api.post(objects, gear(made, 'v1', { a: 'x', b: 'y' }))
    const [version] = made.spec.versions
    const schema = { openAPIV3Schema: objectSchema({ a: { type: 'string' } }) }
    await change(bench, made.metadata.name, { versions: [{ ...version, schema }] })
    await bench.until('the new schema', async () => {
      const { body } = await bench.api.get(`${objects}/a`)
      return body.spec.b === undefined
    })
    // A server with caches may be filling them anew.
    const items = await bench.until('the object in the list', async () => {
      const { body } = await bench.api.get(objects)
      return body.items?.length === 1 && body.items
    })
    deepEqual(items[0].spec, { a: 'x' })
  },

  'a default that comes later shows in what is stored already': async bench => {
    const made = own(bench, { schema: objectSchema({ a: { type: 'string' } }) })
    const objects = await bench.install(made)
    const { body: created } = await bench.api.post(objects, gear(made))
    const [version] = made.spec.versions
    const schema = { openAPIV3Schema: objectSchema({ a: { type: 'string', default: 'x' } }) }
    await change(bench, made.metadata.name, { versions: [{ ...version, schema }] })
    const read = await bench.until('the default', async () => {
      const { body } = await bench.api.get(`${objects}/a`)
      return body.spec.a !== undefined && body
    })
    equal(read.spec.a, 'x')
    equal(read.metadata.resourceVersion, created.metadata.resourceVersion)
  },

  'a new version is served beside the old one, with the same objects': async bench => {
    const made = own(bench)
    const objects = await bench.install(made)
    await bench.api.post(objects, gear(made, 'v1', { size: 1 }))
    await change(bench, made.metadata.name, { versions: versions('v1', 'v2') })
    const other = objectsOf(made, objects, 'v2')
    const read = await bench.until('v2', async () => {
      const answer = await bench.api.get(`${other}/a`)
      return answer.status === 200 && answer.body
    })
    like(read, { apiVersion: `${made.spec.group}/v2`, kind: 'Gear', spec: { size: 1 } })
    const written = await bench.api.patch(`${other}/a`, 'merge', { spec: { size: 2 } })
    equal(written.body.apiVersion, `${made.spec.group}/v2`)
    const { body } = await bench.api.get(`${objects}/a`)
    like(body, { apiVersion: `${made.spec.group}/v1`, spec: { size: 2 } })
  },

  'another storage version is added to those that were': async bench => {
    const made = own(bench, { spec: { versions: versions('v1', 'v2') } })
    await bench.install(made)
    const [one, two] = versions('v1', 'v2')
    const swapped = [
      { ...one, storage: false },
      { ...two, storage: true },
    ]
    await change(bench, made.metadata.name, { versions: swapped })
    const { body } = await bench.api.get(`${path}/${made.metadata.name}`)
    deepEqual(body.status.storedVersions, ['v1', 'v2'])
  },

  'a version in which objects were stored cannot go': async bench => {
    const made = own(bench, { spec: { versions: versions('v1', 'v2') } })
    await bench.install(made)
    const { status, body } = await bench.api.patch(`${path}/${made.metadata.name}`, 'merge', {
      spec: { versions: versions('v2') },
    })
    equal(status, 422)
    like(body.details.causes, [{ reason: 'FieldValueInvalid', field: 'status.storedVersions[0]' }])
    match(body.details.causes[0].message, /missing from spec\.versions; v1 was previously a storage version/)
  },

  'a stored version is forgotten by the status, and may go then': async bench => {
    const made = own(bench, { spec: { versions: versions('v1', 'v2') } })
    await bench.install(made)
    const { name } = made.metadata
    const [one, two] = versions('v1', 'v2')
    await change(bench, name, {
      versions: [
        { ...one, storage: false },
        { ...two, storage: true },
      ],
    })
    const forgotten = await bench.api.patch(`${path}/${name}/status`, 'merge', { status: { storedVersions: ['v2'] } })
    equal(forgotten.status, 200)
    const body = await change(bench, name, { versions: versions('v2') })
    deepEqual(body.status.storedVersions, ['v2'])
  },

  'a version that is not served is NotFound': async bench => {
    const [one, two] = versions('v1', 'v2')
    const made = own(bench, { spec: { versions: [one, { ...two, served: false }] } })
    const objects = await bench.install(made)
    const { status, body } = await bench.api.get(objectsOf(made, objects, 'v2'))
    equal(status, 404)
    equal(body?.reason ?? 'NotFound', 'NotFound')
  },

  'who uses a deprecated version is warned': async bench => {
    const [one, two] = versions('v1', 'v2')
    const made = own(bench, { spec: { versions: [one, { ...two, deprecated: true }] } })
    const objects = await bench.install(made)
    const { headers } = await bench.api.get(objectsOf(made, objects, 'v2'))
    equal(headers.warning, `299 - "${made.spec.group}/v2 Gear is deprecated"`)
    equal((await bench.api.get(objects)).headers.warning, undefined)
  },

  'who uses a deprecated version is warned in its own words': async bench => {
    const [one, two] = versions('v1', 'v2')
    const deprecated = { ...two, deprecated: true, deprecationWarning: 'use "v1"' }
    const made = own(bench, { spec: { versions: [one, deprecated] } })
    const objects = await bench.install(made)
    const { headers } = await bench.api.post(objectsOf(made, objects, 'v2'), gear(made, 'v2'))
    equal(headers.warning, '299 - "use \\"v1\\""')
  },

  'a definition that goes takes its objects along': async bench => {
    const made = own(bench)
    const objects = await bench.install(made)
    await bench.api.post(objects, gear(made))
    const { status, body } = await bench.api.remove(`${path}/${made.metadata.name}`)
    equal(status, 200)
    equal(body.kind, 'CustomResourceDefinition')
    await bench.until('the end of the definition', async () => {
      return (await bench.api.get(`${path}/${made.metadata.name}`)).status === 404
    })
    await bench.until('the end of the kind', async () => (await bench.api.get(objects)).status === 404)
    await bench.install({ ...made, metadata: { ...made.metadata } })
  },

  'a definition waits for objects that have finalizers': async bench => {
    const made = own(bench)
    const objects = await bench.install(made)
    const held = { ...gear(made), metadata: { name: 'a', finalizers: ['skystead.test/hold'] } }
    await bench.api.post(objects, held)
    await bench.api.remove(`${path}/${made.metadata.name}`)
    await bench.until('the deletion of the object', async () => {
      return (await bench.api.get(`${objects}/a`)).body.metadata?.deletionTimestamp !== undefined
    })
    const terminating = await bench.until('Terminating', () => conditionOf(bench, made.metadata.name, 'Terminating'))
    equal(terminating.status, 'True')
    const { body } = await bench.api.get(`${path}/${made.metadata.name}`)
    ok(body.metadata.finalizers.includes('customresourcecleanup.apiextensions.k8s.io'))
    await bench.api.patch(`${objects}/a`, 'merge', { metadata: { finalizers: [] } })
    await bench.until('the end of the definition', async () => {
      return (await bench.api.get(`${path}/${made.metadata.name}`)).status === 404
    })
  },

  'nothing is created while a definition goes': async bench => {
    const made = own(bench)
    const objects = await bench.install(made)
    const held = { ...gear(made), metadata: { name: 'a', finalizers: ['skystead.test/hold'] } }
    await bench.api.post(objects, held)
    await bench.api.remove(`${path}/${made.metadata.name}`)
    const refusal = await bench.until('a refusal', async () => {
      const answer = await bench.api.post(`${objects}?dryRun=All`, gear(made, 'v1', {}, 'b'))
      return answer.status !== 201 && answer
    })
    equal(refusal.status, 403)
    const wrong = 'create not allowed while custom resource definition is terminating'
    equal(refusal.body.message, `gears.${made.spec.group} "b" is forbidden: ${wrong}`)
    await bench.api.patch(`${objects}/a`, 'merge', { metadata: { finalizers: [] } })
  },

  'a definition without columns shows the age': async bench => {
    const made = own(bench)
    const objects = await bench.install(made)
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const { body } = await bench.api.get(objects, { accept })
    deepEqual(
      body.columnDefinitions.map(({ name, type }: { name: string; type: string }) => `${name} ${type}`),
      ['Name string', 'Age date'],
    )
  },

  'columns show their values, with those of low priority marked': async bench => {
    const additionalPrinterColumns = [
      { name: 'Size', type: 'integer', jsonPath: '.spec.size', description: 'How large' },
      { name: 'Note', type: 'string', jsonPath: '.spec.note', priority: 1 },
    ]
    const made = own(bench, { version: { additionalPrinterColumns } })
    const objects = await bench.install(made)
    await bench.api.post(objects, gear(made, 'v1', { size: 3 }))
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const { body } = await bench.api.get(objects, { accept })
    like(body.columnDefinitions.slice(1), [
      { name: 'Size', type: 'integer', format: '', description: 'How large', priority: 0 },
      { name: 'Note', type: 'string', format: '', priority: 1 },
    ])
    deepEqual(body.rows[0].cells, ['a', 3, null])
  },
})
