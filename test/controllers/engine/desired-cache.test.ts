import test from 'ava'
import fc from 'fast-check'
import { DesiredCache, desiredTopics, type ObjectChange } from '../../../controllers/engine/desired-cache.ts'
import type { Resource } from '../../../crds/meta.ts'
import { defineIndex, defineTotals } from '../../../reconcilers/world.ts'
import {
  specOf,
  Widget,
  type WidgetSpec,
  type WidgetStatus,
  widget,
  widgetKey,
  widgetManifest,
  wishTopic,
} from './samples.ts'

const byGroup = defineIndex(Widget, 'byGroup', ({ spec }) => (spec.group === undefined ? [] : [spec.group]))
const sizes = defineTotals(Widget, 'sizes', ({ spec }) =>
  spec.group === undefined ? [] : [{ key: spec.group, amounts: { size: spec.size ?? 0, count: 1 } }],
)
const now = '2026-01-01T00:00:00Z'

function fixture() {
  const told: string[] = []
  const changes: ObjectChange[] = []
  const cache = new DesiredCache({
    kinds: [Widget],
    notify: topic => told.push(topic),
    changed: change => changes.push(change),
  })
  const heard = () => told.splice(0)
  return { cache, heard, changes }
}

function statusOf(object: Resource | undefined): unknown {
  return object?.status
}

function names(objects: readonly Resource[]): readonly string[] {
  return objects.map(({ metadata }) => metadata.name)
}

test('an assumed creation is there at once, unconfirmed, and confirmed by the API’s answer', t => {
  const { cache, heard } = fixture()
  const assumption = cache.assumeCreated(Widget, widgetManifest('a', { size: 1 }), now)
  t.deepEqual(specOf(cache, 'a'), { size: 1 })
  t.false(cache.isConfirmed(Widget, widgetKey('a')))
  t.deepEqual(heard(), [wishTopic('a')])
  assumption?.confirm(widget('a', { size: 1 }, { resourceVersion: '5' }))
  t.true(cache.isConfirmed(Widget, widgetKey('a')))
  t.deepEqual(heard(), [wishTopic('a')], 'whoever waits for the confirmation is woken')
})

test('an assumed creation that is withdrawn was never there; the name is free again', t => {
  const { cache } = fixture()
  cache.assumeCreated(Widget, widgetManifest('a'), now)?.withdraw()
  t.is(cache.get(Widget, widgetKey('a')), undefined)
  t.not(cache.assumeCreated(Widget, widgetManifest('a'), now), undefined)
})

test('a name that is taken, assumed or not, cannot be assumed to be created', t => {
  const { cache } = fixture()
  cache.upsert(Widget, widget('a'))
  cache.assumeCreated(Widget, widgetManifest('b'), now)
  t.is(cache.assumeCreated(Widget, widgetManifest('a'), now), undefined)
  t.is(cache.assumeCreated(Widget, widgetManifest('b'), now), undefined)
})

test('an assumed update shows the new spec until it is withdrawn, then the old one', t => {
  const { cache } = fixture()
  cache.upsert(Widget, widget('a', { size: 1 }))
  const assumption = cache.assumeUpdated(Widget, { name: 'a' }, { size: 2 })
  t.deepEqual(specOf(cache, 'a'), { size: 2 })
  t.false(cache.isConfirmed(Widget, widgetKey('a')))
  t.is(cache.assumeUpdated(Widget, { name: 'a' }, { size: 3 }), undefined, 'one at a time')
  assumption?.withdraw()
  t.deepEqual(specOf(cache, 'a'), { size: 1 })
  t.true(cache.isConfirmed(Widget, widgetKey('a')))
})

test('an assumed update that changes nothing is confirmed by an answer of the same version', t => {
  const { cache } = fixture()
  cache.upsert(Widget, widget('a', { size: 1 }))
  cache.assumeUpdated(Widget, { name: 'a' }, { size: 1 })?.confirm(widget('a', { size: 1 }))
  t.true(cache.isConfirmed(Widget, widgetKey('a')))
})

test('a withdrawal leaves alone what the API has shown meanwhile', t => {
  const { cache } = fixture()
  const creation = cache.assumeCreated(Widget, widgetManifest('a'), now)
  cache.upsert(Widget, widget('a', { size: 7 }))
  creation?.withdraw()
  t.deepEqual(specOf(cache, 'a'), { size: 7 })
  const update = cache.assumeUpdated(Widget, { name: 'a' }, { size: 8 })
  cache.upsert(Widget, widget('a', { size: 9 }, { resourceVersion: '2', generation: 2 }))
  update?.withdraw()
  t.deepEqual(specOf(cache, 'a'), { size: 9 })
})

test('no older watch event moves an object back: not after an answer, not under an assumed update', t => {
  const { cache } = fixture()
  cache.written(Widget, widget('a', { size: 2 }, { resourceVersion: '10', generation: 2 }))
  cache.upsert(Widget, widget('a', { size: 1 }, { resourceVersion: '9' }))
  t.deepEqual(specOf(cache, 'a'), { size: 2 })
  cache.assumeUpdated(Widget, { name: 'a' }, { size: 3 })
  cache.upsert(Widget, widget('a', { size: 1 }, { resourceVersion: '9' }))
  cache.upsert(Widget, widget('a', { size: 2 }, { resourceVersion: '10', generation: 2 }))
  t.deepEqual(specOf(cache, 'a'), { size: 3 })
})

test('no watch event of an object’s predecessor comes in its place', t => {
  const { cache } = fixture()
  cache.written(Widget, widget('a', { size: 2 }, { uid: 'second', resourceVersion: '10' }))
  cache.upsert(Widget, widget('a', { size: 1 }, { uid: 'first', resourceVersion: '8' }))
  cache.remove(Widget, { name: 'a', uid: 'first' })
  t.deepEqual(specOf(cache, 'a'), { size: 2 })
  cache.upsert(Widget, widget('a', { size: 3 }, { uid: 'third', resourceVersion: '12' }))
  t.deepEqual(specOf(cache, 'a'), { size: 3 })
})

test('what we have deleted does not come back by older events, and its name may be taken anew', t => {
  const { cache } = fixture()
  cache.upsert(Widget, widget('a', { size: 1 }))
  cache.deleted(Widget, { name: 'a', uid: 'uid-a' })
  cache.upsert(Widget, widget('a', { size: 1 }, { resourceVersion: '2' }))
  t.is(cache.get(Widget, widgetKey('a')), undefined)
  cache.upsert(Widget, widget('a', { size: 5 }, { uid: 'next', resourceVersion: '4' }))
  cache.remove(Widget, { name: 'a', uid: 'uid-a' })
  t.deepEqual(specOf(cache, 'a'), { size: 5 })
})

test('a complete list takes away what is gone, and neither what is assumed nor what is younger than the list', t => {
  const { cache } = fixture()
  cache.upsert(Widget, widget('gone'))
  cache.upsert(Widget, widget('stays'))
  cache.assumeCreated(Widget, widgetManifest('assumed'), now)
  cache.written(Widget, widget('younger', {}, { resourceVersion: '21' }))
  cache.replace(Widget, [widget('stays')], '20')
  t.deepEqual(names([...cache.all(Widget)]).toSorted(), ['assumed', 'stays', 'younger'])
})

test('a list that no longer has what we deleted ends the memory of it', t => {
  const { cache } = fixture()
  cache.upsert(Widget, widget('a'))
  cache.deleted(Widget, { name: 'a', uid: 'uid-a' })
  cache.replace(Widget, [widget('a')], '1')
  t.is(cache.get(Widget, widgetKey('a')), undefined, 'the list is older than the deletion')
  cache.replace(Widget, [], '5')
  cache.upsert(Widget, widget('a', { size: 2 }, { resourceVersion: '6' }))
  t.deepEqual(specOf(cache, 'a'), { size: 2 })
})

test('an index finds members oldest first, and answers with the same reference until one of them changes', t => {
  const { cache, heard } = fixture()
  cache.upsert(Widget, widget('young', { group: 'g' }, { creationTimestamp: '2026-01-02T00:00:00Z' }))
  cache.upsert(Widget, widget('old', { group: 'g' }))
  const answer = cache.list(byGroup, 'g')
  t.deepEqual(names(answer), ['old', 'young'])
  cache.upsert(Widget, widget('other', { group: 'h' }))
  t.is(cache.list(byGroup, 'g'), answer)
  heard()
  cache.upsert(Widget, widget('old', { group: 'h' }, { resourceVersion: '2', generation: 2 }))
  t.deepEqual(names(cache.list(byGroup, 'g')), ['young'])
  t.deepEqual(names(cache.list(byGroup, 'h')), ['old', 'other'])
  const topics = heard()
  t.true(topics.includes(desiredTopics.index(byGroup, 'g')))
  t.true(topics.includes(desiredTopics.index(byGroup, 'h')))
})

test('of those made in the same second the first by name comes first, whatever their uids, and also before the API has answered', t => {
  const { cache } = fixture()
  cache.upsert(Widget, widget('b', { group: 'g' }, { uid: '1' }))
  cache.upsert(Widget, widget('a', { group: 'g' }, { uid: '2' }))
  const { creationTimestamp } = cache.get(Widget, widgetKey('a'))?.metadata ?? { creationTimestamp: '' }
  const manifest = { apiVersion: Widget.apiVersion, kind: Widget.kind, metadata: { name: 'c' }, spec: { group: 'g' } }
  cache.assumeCreated(Widget, manifest, creationTimestamp)
  t.deepEqual(names(cache.list(byGroup, 'g')), ['a', 'b', 'c'])
})

test('a status that moves tells readers of the status, not readers of the wish or of an index', t => {
  const { cache, heard } = fixture()
  cache.upsert(Widget, widget('a', { group: 'g' }))
  cache.list(byGroup, 'g')
  heard()
  const seen: Resource<WidgetSpec, WidgetStatus> = {
    ...widget('a', { group: 'g' }, { resourceVersion: '2' }),
    status: { seen: 1 },
  }
  cache.upsert(Widget, seen)
  t.deepEqual(heard(), [desiredTopics.status(Widget, widgetKey('a'))])
  t.deepEqual(statusOf(cache.list(byGroup, 'g')[0]), { seen: 1 })
})

test('labels, annotations and a deletion’s beginning are parts of the wish; finalizers are not', t => {
  const { cache, heard } = fixture()
  cache.upsert(Widget, widget('a'))
  const steps = [
    { labels: { rack: 'a' }, resourceVersion: '2' },
    { labels: { rack: 'a' }, annotations: { note: 'b' }, resourceVersion: '3' },
    { labels: { rack: 'a' }, annotations: { note: 'b' }, finalizers: ['x'], resourceVersion: '4' },
    { labels: { rack: 'a' }, annotations: { note: 'b' }, deletionTimestamp: now, resourceVersion: '5' },
  ]
  const told = steps.map(metadata => {
    heard()
    cache.upsert(Widget, widget('a', {}, metadata))
    return heard().includes(wishTopic('a'))
  })
  t.deepEqual(told, [true, true, false, true])
})

test('sums tell only of a sum that is another one', t => {
  const { cache, heard } = fixture()
  cache.total(sizes, 'g')
  cache.upsert(Widget, widget('a', { group: 'g', size: 1 }))
  t.deepEqual(cache.total(sizes, 'g'), { size: 1, count: 1 })
  heard()
  cache.upsert(Widget, widget('a', { group: 'g', size: 1, phase: 'x' }, { resourceVersion: '2', generation: 2 }))
  t.false(heard().includes(desiredTopics.total(sizes, 'g')))
  cache.upsert(Widget, widget('a', { group: 'g', size: 2 }, { resourceVersion: '3', generation: 3 }))
  t.true(heard().includes(desiredTopics.total(sizes, 'g')))
})

interface Write {
  readonly step: 'Upsert' | 'Written'
  readonly name: string
  readonly spec: WidgetSpec
  /** How much older than the newest it is. */
  readonly back: number
}

interface Assumed {
  readonly step: 'Create' | 'Update'
  readonly name: string
  readonly spec: WidgetSpec
  readonly end: 'Confirm' | 'Withdraw' | 'Leave'
}

type Step = Write | Assumed | { readonly step: 'Remove' | 'Deleted'; readonly name: string }

const name = fc.constantFrom('a', 'b', 'c', 'd')
const spec = fc.record(
  { size: fc.integer({ min: 0, max: 3 }), group: fc.constantFrom('g', 'h') },
  { requiredKeys: ['size'], noNullPrototype: true },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    step: fc.constantFrom('Upsert' as const, 'Written' as const),
    name,
    spec,
    back: fc.integer({ min: 0, max: 2 }),
  }),
  fc.record({
    step: fc.constantFrom('Create' as const, 'Update' as const),
    name,
    spec,
    end: fc.constantFrom('Confirm' as const, 'Withdraw' as const, 'Leave' as const),
  }),
  fc.record({ step: fc.constantFrom('Remove' as const, 'Deleted' as const), name }),
)

function carryOut(cache: DesiredCache, each: Step, version: number): void {
  const metadata = { resourceVersion: String(version), generation: version }
  const known = cache.get(Widget, widgetKey(each.name))?.metadata
  const uid = known === undefined || known.uid.startsWith('assumed') ? `uid-${each.name}-${version}` : known.uid
  if ('back' in each) {
    const older = { ...metadata, uid, resourceVersion: String(version - each.back * 3) }
    if (each.step === 'Upsert') cache.upsert(Widget, widget(each.name, each.spec, older))
    else cache.written(Widget, widget(each.name, each.spec, older))
    return
  }
  if (!('end' in each)) {
    if (each.step === 'Remove') cache.remove(Widget, { name: each.name, uid })
    else cache.deleted(Widget, { name: each.name, uid })
    return
  }
  const assumption =
    each.step === 'Create'
      ? cache.assumeCreated(Widget, widgetManifest(each.name, each.spec), now)
      : cache.assumeUpdated(Widget, { name: each.name }, each.spec)
  if (each.end === 'Confirm') assumption?.confirm(widget(each.name, each.spec, { ...metadata, uid }))
  if (each.end === 'Withdraw') assumption?.withdraw()
}

test('after any history, sums and indexes are what counting everything anew gives', t => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const { cache } = fixture()
      cache.total(sizes, 'g')
      cache.list(byGroup, 'g')
      steps.forEach((each, index) => {
        carryOut(cache, each, index + 1)
        for (const group of ['g', 'h']) {
          const members = [...cache.all(Widget)].filter(({ spec }) => (spec as WidgetSpec).group === group)
          const size = members.reduce((sum, { spec }) => sum + ((spec as WidgetSpec).size ?? 0), 0)
          const expected = members.length === 0 ? {} : { size, count: members.length }
          t.deepEqual({ ...cache.total(sizes, group) }, expected)
          t.deepEqual(names(cache.list(byGroup, group)).toSorted(), names(members).toSorted())
        }
      })
    }),
  )
})
