import test from 'ava'
import fc from 'fast-check'
import { apply, configuration, fieldsOf, update } from './applies.ts'

const letter = fc.constantFrom('a', 'b', 'c')
const spec = fc.record(
  {
    size: fc.integer({ min: 1, max: 3 }),
    name: letter,
    atomicMap: fc.dictionary(letter, letter, { maxKeys: 2 }),
    map: fc.dictionary(letter, letter, { maxKeys: 3 }),
    atomicList: fc.array(letter, { maxLength: 3 }),
    set: fc.uniqueArray(letter),
    nics: fc.uniqueArray(fc.record({ name: letter, mac: letter }, { requiredKeys: ['name'] }), {
      selector: nic => nic.name,
    }),
  },
  { requiredKeys: [] },
)

/** What is applied empty in the place of something goes first, and comes with the next apply, as with Kubernetes. */
const isFilled = (value: object) => {
  const parts = Object.values(value)
  return parts.length > 0 && parts.every(part => typeof part !== 'object' || Object.keys(part).length > 0)
}

test('applying twice is applying once', t => {
  t.notThrows(() =>
    fc.assert(
      fc.property(spec, spec, spec.filter(isFilled), (other, before, now) => {
        const live = update(undefined, configuration(other), { manager: 'other' })
        const first = apply(live, configuration(before), { force: true })
        const second = apply(first, configuration(now), { force: true, time: '2026-02-01T00:00:00Z' })
        return apply(second, configuration(now), { time: '2026-03-01T00:00:00Z' }) === second
      }),
    ),
  )
})

test('a manager alone has exactly what it applied last', t => {
  t.notThrows(() =>
    fc.assert(
      fc.property(spec, spec, (before, now) => {
        const live = apply(undefined, configuration(before))
        const object = apply(live, configuration(now))
        const fresh = apply(undefined, configuration(now))
        return JSON.stringify(fieldsOf(object, 'kubectl')) === JSON.stringify(fieldsOf(fresh, 'kubectl'))
      }),
    ),
  )
})

test('nothing that is handed in is changed', t => {
  t.notThrows(() =>
    fc.assert(
      fc.property(spec, spec, (before, now) => {
        const live = apply(undefined, configuration(before), { manager: 'one' })
        const applied = configuration(now)
        const texts = [JSON.stringify(live), JSON.stringify(applied)]
        apply(live, applied, { manager: 'two', force: true })
        update(live, { ...live, spec: now }, { manager: 'three' })
        return JSON.stringify(live) === texts[0] && JSON.stringify(applied) === texts[1]
      }),
    ),
  )
})
