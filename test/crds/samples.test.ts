import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import { parseAllDocuments } from 'yaml'
import { kinds } from '../../crds/kinds.ts'
import { objectsOf, refusals } from './schemas.ts'

const samples = new URL('../../manifests/samples/', import.meta.url)

test('every kind has a sample, and there is no other', t => {
  t.deepEqual(readdirSync(samples).sort(), kinds.map(kind => `${kind.kind.toLowerCase()}.yaml`).sort())
})

for (const kind of kinds) {
  test(`the sample of ${kind.kind} is accepted`, t => {
    const objects = objectsOf(`manifests/samples/${kind.kind.toLowerCase()}.yaml`)
    t.true(objects.length > 0)
    for (const object of objects) {
      t.is(`${object.apiVersion} ${object.kind}`, `${kind.apiVersion} ${kind.kind}`)
      t.is(object.metadata.namespace !== undefined, kind.scope === 'Namespaced')
      t.deepEqual(refusals(object), [])
    }
  })
}

test('the quickstart is accepted as it stands', t => {
  const objects = objectsOf('manifests/quickstart/quickstart.yaml')
  const ours = objects.filter(object => object.kind !== 'Namespace')
  t.is(ours.length, 20)
  for (const object of ours) t.deepEqual(refusals(object), [], `${object.kind} ${object.metadata.name}`)
})

test('a manifest with a field that no kind has is refused by its path', t => {
  for (const object of objectsOf('manifests/quickstart/quickstart.yaml')) {
    if (object.kind === 'Namespace') continue
    t.deepEqual(refusals({ ...object, spec: { ...object.spec, colour: 'red' } }), ['spec.colour: unknown field'])
  }
})

test('the quickstart names nothing that it does not define', t => {
  const text = readFileSync(new URL('../../manifests/quickstart/quickstart.yaml', import.meta.url), 'utf8')
  const names = new Set(parseAllDocuments(text).map(document => document.getIn(['metadata', 'name'])))
  const references = [...text.matchAll(/\b[a-zA-Z]+Name: ([a-z0-9-]+)/g)].map(match => match[1])
  t.true(references.length >= 20)
  t.deepEqual(
    references.filter(name => !names.has(name)),
    [],
  )
})
