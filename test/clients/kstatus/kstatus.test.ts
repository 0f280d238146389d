import test from 'ava'
import { kinds } from '../../../crds/kinds.ts'
import { conditionOf, isTrue, type Resource } from '../../../crds/meta.ts'
import { kstatusOf } from './kstatus.ts'
import { recordedLife } from './recorded-life.ts'

let life: readonly Resource[] = []

test.before(async () => {
  life = await recordedLife()
})

function named({ kind, metadata, status }: Resource): string {
  return `${kind} ${metadata.name} (generation ${metadata.generation}): ${JSON.stringify(status)}`
}

test('every kind is seen, and every status', t => {
  const withStatus = kinds.filter(({ statusSubresource }) => statusSubresource !== false)
  t.deepEqual([...new Set(life.map(({ kind }) => kind))].toSorted(), withStatus.map(({ kind }) => kind).toSorted())
  t.deepEqual([...new Set(life.map(kstatusOf))].toSorted(), ['Current', 'Failed', 'InProgress', 'Terminating'])
})

test('what nobody has judged as it is now is in progress', t => {
  const unjudged = life.filter(object => {
    const isJudged = conditionOf(object, 'Ready')?.observedGeneration === object.metadata.generation
    return !isJudged && object.metadata.deletionTimestamp === undefined
  })
  t.true(unjudged.length > 20)
  t.deepEqual(unjudged.filter(object => kstatusOf(object) !== 'InProgress').map(named), [])
})

test('Current is what is Ready, and nothing else', t => {
  const present = life.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const isReady = (object: Resource) =>
    isTrue(object, 'Ready') && object.status?.observedGeneration === object.metadata.generation
  t.deepEqual(present.filter(object => (kstatusOf(object) === 'Current') !== isReady(object)).map(named), [])
})

test('what is not Ready says whether it goes on or somebody must change something, never both', t => {
  const judged = life.filter(
    object =>
      object.metadata.deletionTimestamp === undefined &&
      object.status?.observedGeneration === object.metadata.generation,
  )
  const wrong = judged.filter(object => {
    const [reconciling, stalled] = [isTrue(object, 'Reconciling'), isTrue(object, 'Stalled')]
    if (isTrue(object, 'Ready')) return reconciling || stalled
    return reconciling === stalled || kstatusOf(object) !== (stalled ? 'Failed' : 'InProgress')
  })
  t.deepEqual(wrong.map(named), [])
})

test('a refused wish is Failed and says why', t => {
  const refused = life.filter(object => kstatusOf(object) === 'Failed')
  t.true(refused.some(({ kind, metadata }) => kind === 'PortForwardingRule' && metadata.name === 'other'))
  t.deepEqual(refused.filter(object => conditionOf(object, 'Stalled')?.message === '').map(named), [])
})

test('what is going is Terminating however far it is', t => {
  const going = life.filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
  t.true(going.length > 0)
  t.true(going.every(object => kstatusOf(object) === 'Terminating'))
})
