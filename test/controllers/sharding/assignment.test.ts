import test from 'ava'
import { assign } from '../../../controllers/sharding/assignment.ts'

const shards = Array.from({ length: 12 }, (_, index) => `zone-${index}`)

function loadsOf(assigned: ReadonlyMap<string, string>): readonly number[] {
  return [...Map.groupBy(assigned.values(), replica => replica).values()].map(of => of.length).toSorted()
}

test('shards are spread evenly, and every one has a replica', t => {
  t.deepEqual(loadsOf(assign(shards, ['a', 'b'])), [6, 6])
  t.deepEqual(loadsOf(assign(shards, ['a', 'b', 'c'])), [4, 4, 4])
  t.deepEqual(loadsOf(assign(['x', 'y', 'z'], ['a', 'b'])), [1, 2])
  t.is(assign(['only'], ['a', 'b', 'c']).size, 1)
})

test('everybody comes to the same answer, whatever the order in which they know of shards and replicas', t => {
  const answer = assign(shards, ['a', 'b', 'c'])
  const other = assign(shards.toReversed(), ['c', 'a', 'b'])
  t.deepEqual(new Map([...answer].toSorted()), new Map([...other].toSorted()))
})

test('where a replica goes, most shards of the others stay with them', t => {
  const [before, after] = [assign(shards, ['a', 'b', 'c']), assign(shards, ['a', 'b'])]
  const kept = shards.filter(shard => before.get(shard) !== 'c' && before.get(shard) === after.get(shard))
  t.true(kept.length >= 6, `${kept.length} of 8 stay`)
})

test('without a replica nobody has anything', t => {
  t.is(assign(shards, []).size, 0)
})
