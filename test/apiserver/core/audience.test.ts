import test from 'ava'
import { Audience } from '../../../apiserver/storage/audience.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))

/** An audience of so many, and how often each of them was told. */
function audienceOf(size: number) {
  const audience = new Audience()
  const told = Array.from({ length: size }, () => 0)
  const leave = told.map((_, member) => audience.join(() => void told.splice(member, 1, (told[member] ?? 0) + 1)))
  const counts = () => [...new Set(told)].sort()
  return { audience, told, leave, counts }
}

test('a small audience is told at once', t => {
  const { audience, counts } = audienceOf(16)
  audience.ring()
  audience.ring()
  t.deepEqual(counts(), [2])
})

test('a large audience is told in turns of the event loop, and of all that happened meanwhile once more', async t => {
  const { audience, told, counts } = audienceOf(100)
  audience.ring()
  t.is(told.filter(count => count > 0).length, 16)
  for (let change = 0; change < 10; change++) audience.ring()
  for (let turns = 0; turns < 7; turns++) await turn()
  t.true(told.every(count => count >= 1))
  for (let turns = 0; turns < 10; turns++) await turn()
  t.deepEqual(counts(), [2])
  audience.ring()
  for (let turns = 0; turns < 10; turns++) await turn()
  t.deepEqual(counts(), [3])
})

test('whoever has left is not told, and whoever joins during a round hears of the next change', async t => {
  const { audience, told, leave } = audienceOf(40)
  audience.ring()
  leave[39]?.()
  let late = 0
  audience.join(() => late++)
  for (let turns = 0; turns < 5; turns++) await turn()
  t.deepEqual([told[38], told[39], late], [1, 0, 0])
  audience.ring()
  for (let turns = 0; turns < 5; turns++) await turn()
  t.deepEqual([told[38], told[39], late], [2, 0, 1])
})
