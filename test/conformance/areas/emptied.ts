import { deepEqual, equal } from 'node:assert/strict'
import { applied, ownersOf } from '../applies.ts'
import { area } from '../case.ts'
import { definition, group, listMap, objectSchema, widget } from '../definitions.ts'

/** Kinds of lists and maps, of which none must be there. */
const bare = definition('Bare', {
  schema: objectSchema({
    other: { type: 'string' },
    parts: listMap('name'),
    filled: { type: 'array', default: ['z'], 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    map: { type: 'object', additionalProperties: { type: 'string' } },
  }),
})

export const emptied = area('emptied by apply', {
  'a list that its only applier empties goes, and comes back without owner': async bench => {
    const given = { size: 3, parts: [{ name: 'a' }], tags: ['x'] }
    const { path, body } = await applied(bench, ['a', given], ['a', { size: 3, parts: [], tags: [] }])
    deepEqual([body.spec.parts, body.spec.tags], [undefined, undefined])
    deepEqual(ownersOf(body), { a: { 'f:size': {} } })
    const again = await bench.api.apply(path, widget('a', { size: 3, parts: [], tags: [] }), { manager: 'a' })
    deepEqual([again.body.spec.parts, again.body.spec.tags], [[], []])
    deepEqual(ownersOf(again.body), { a: { 'f:size': {} } })
  },

  'what only lists were applied to goes with them': async bench => {
    const path = `${await bench.install(bare)}/a`
    const at = (spec: object) => bench.api.apply(path, { ...widget('a', spec), kind: 'Bare' }, { manager: 'a' })
    equal((await at({ parts: [{ name: 'a' }] })).status, 201)
    const emptied = await at({ parts: [] })
    equal(emptied.status, 200)
    deepEqual([emptied.body.spec, emptied.body.metadata.managedFields], [undefined, undefined])
  },

  'an object of empty lists is owned by nobody': async bench => {
    const path = `${await bench.install(bare)}/a`
    const { status, body } = await bench.api.apply(path, { ...widget('a', { parts: [] }), kind: 'Bare' })
    equal(status, 201)
    deepEqual([body.spec, body.metadata.managedFields], [{ filled: ['z'], parts: [] }, undefined])
  },

  'a list with a default gets it in the place of what its only applier empties': async bench => {
    const path = `${await bench.install(bare)}/a`
    const at = (spec: object) => bench.api.apply(path, { ...widget('a', spec), kind: 'Bare' }, { manager: 'a' })
    await at({ other: 'z', filled: ['a'] })
    const { body } = await at({ other: 'z', filled: [] })
    deepEqual(body.spec, { other: 'z', filled: ['z'] })
  },

  'a map that its only applier empties is refused, and goes when it is left out': async bench => {
    const path = `${await bench.install(bare)}/a`
    const at = (spec: object) => bench.api.apply(path, { ...widget('a', spec), kind: 'Bare' }, { manager: 'a' })
    await at({ other: 'z', map: { a: 'b' } })
    const refused = await at({ other: 'z', map: {} })
    equal(refused.status, 422)
    equal(
      refused.body.message,
      'Bare.GROUP "a" is invalid: spec.map: Invalid value: "null": spec.map in body must be of type object: "null"'.replace(
        'GROUP',
        group,
      ),
    )
    const { body } = await at({ other: 'z' })
    deepEqual(body.spec, { other: 'z', filled: ['z'] })
  },

  'a map of a built-in kind that its only applier empties is empty': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps/a`
    const given = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }
    equal((await bench.api.apply(path, { ...given, data: { a: '1' } }, { manager: 'a' })).status, 201)
    const { status, body, text } = await bench.api.apply(path, { ...given, data: {} }, { manager: 'a' })
    equal(status, 200, text)
    equal(body.data, undefined)
  },
})
