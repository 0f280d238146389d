import test from 'ava'
import { Derivations, derivedTopic } from '../../../controllers/engine/derivations.ts'
import { Reads, type Recording } from '../../../controllers/engine/reads.ts'
import { type Derived, defineDerived } from '../../../reconcilers/world.ts'

interface Computation {
  readonly definition: Derived<unknown>
  readonly compute: (key: string, read: (topic: string) => unknown) => unknown
}

/** Values by topic, computations over them, and how often each was made. */
function fixture() {
  const values = new Map<string, unknown>()
  const computations = new Map<string, Computation>()
  const made: string[] = []
  const reads = new Reads()
  let stale = 0

  function value(recording: Recording) {
    return (topic: string): unknown => {
      const known = computations.get(topic)
      recording.topic(known === undefined ? topic : derivedTopic(known.definition, 'key'))
      return known === undefined ? values.get(topic) : derivations.value(known.definition, 'key')
    }
  }

  const derivations: Derivations = new Derivations({
    reads,
    compute: ({ name }, key, recording) => {
      made.push(name)
      return computations.get(name)?.compute(key, value(recording))
    },
    stale: () => {
      stale += 1
    },
  })

  function derive(name: string, compute: Computation['compute']): Derived<unknown> {
    const definition = defineDerived(name, () => undefined)
    computations.set(name, { definition, compute })
    return definition
  }

  function read(id: string, ...topics: readonly string[]) {
    const state = { woken: 0, values: [] as readonly unknown[] }
    const reader = {
      id,
      wake: () => {
        state.woken += 1
      },
    }
    reads.record(reader, recording => {
      state.values = topics.map(value(recording))
    })
    return state
  }

  function set(topic: string, to: unknown): void {
    values.set(topic, to)
    reads.notify(topic)
  }

  return { reads, derivations, derive, read, set, made, staleCount: () => stale }
}

test('a value is computed once for many readers, and again only when what it rests on changes', t => {
  const { derive, read, set, made, derivations } = fixture()
  derive('sum', (_key, value) => Number(value('a') ?? 0) + 1)
  read('one', 'sum')
  read('two', 'sum')
  t.deepEqual(made, ['sum'])
  set('b', 1)
  derivations.flush()
  t.deepEqual(made, ['sum'])
  set('a', 1)
  derivations.flush()
  t.deepEqual(made, ['sum', 'sum'])
})

test('a new value that equals the old one wakes nobody, and stays the same reference', t => {
  const { derive, read, set, derivations, made } = fixture()
  const definition = derive('list', (_key, value) => [Number(value('a') ?? 0) > 10])
  const reader = read('one', 'list')
  const before = derivations.value(definition, 'key')
  set('a', 5)
  derivations.flush()
  t.is(made.length, 2)
  t.is(reader.woken, 0)
  t.is(derivations.value(definition, 'key'), before)
  set('a', 11)
  derivations.flush()
  t.is(reader.woken, 1)
  t.deepEqual(derivations.value(definition, 'key'), [true])
})

test('whoever asks between a change and the flush gets the new value, through a chain of any length', t => {
  const { derive, set, derivations } = fixture()
  derive('first', (_key, value) => Number(value('a') ?? 0))
  derive('second', (_key, value) => Number(value('first')) * 2)
  const third = derive('third', (_key, value) => Number(value('second')) + 1)
  t.is(derivations.value(third, 'key'), 1)
  set('a', 4)
  t.is(derivations.value(third, 'key'), 9)
})

test('of a diamond no reader ever sees one side new and the other old', t => {
  const { derive, read, set, derivations, made } = fixture()
  derive('left', (_key, value) => value('a'))
  derive('right', (_key, value) => value('a'))
  const seen: string[] = []
  derive('both', (_key, value) => {
    seen.push(`${value('left')} ${value('right')}`)
    return seen.length
  })
  const reader = read('one', 'both')
  set('a', 1)
  derivations.flush()
  t.deepEqual(seen, ['undefined undefined', '1 1'])
  t.is(made.filter(name => name === 'both').length, 2)
  t.is(reader.woken, 1)
})

test('a change that ends in the middle of a chain does not reach its end', t => {
  const { derive, read, set, derivations, made } = fixture()
  derive('parity', (_key, value) => Number(value('a') ?? 0) % 2)
  derive('text', (_key, value) => `parity ${value('parity')}`)
  const reader = read('one', 'text')
  set('a', 2)
  derivations.flush()
  t.deepEqual(made, ['text', 'parity', 'parity'])
  t.is(reader.woken, 0)
})

test('what nobody reads or asks for any more is forgotten after its next change, with all that it read', t => {
  const { derive, read, set, derivations, reads, made } = fixture()
  derive('sum', (_key, value) => value('a'))
  read('one', 'sum')
  reads.forget('one')
  set('a', 1)
  derivations.flush()
  derivations.flush()
  t.deepEqual(made, ['sum'], 'it was not computed again')
  t.false(reads.isRead('a'))
  t.deepEqual(read('two', 'sum').values, [1])
})

test('what is asked for again and again, and read by nobody, computes only what has changed', t => {
  const { derive, read, set, derivations, reads, made } = fixture()
  derive('moving', (_key, value) => Number(value('a')) > 0)
  derive('still', (_key, value) => value('b'))
  derive('whole', (_key, value) => [value('moving'), value('still')])
  set('a', 1)
  for (let round = 1; round <= 3; round++) {
    t.is(read('one', 'whole').values.length, 1)
    reads.forget('one')
    set('a', round + 1)
    derivations.flush()
  }
  t.deepEqual(
    made.filter(name => name === 'whole' || name === 'still'),
    ['whole', 'still'],
  )
})

test('one flush is asked for, however much is stale', t => {
  const { derive, read, set, staleCount, derivations, made } = fixture()
  derive('sum', (_key, value) => Number(value('a')) + Number(value('b')))
  read('one', 'sum')
  set('a', 1)
  set('b', 2)
  set('a', 3)
  t.is(staleCount(), 1)
  derivations.flush()
  t.is(made.length, 2)
})

test('what a computation throws is thrown to whoever asks, not to the flush, and ends when its cause does', t => {
  const { derive, read, set, derivations } = fixture()
  const definition = derive('strict', (_key, value) => {
    if (value('a') === 'bad') throw new Error('a is bad')
    return value('a')
  })
  const reader = read('one', 'strict')
  set('a', 'bad')
  derivations.flush()
  t.is(reader.woken, 1)
  t.throws(() => derivations.value(definition, 'key'), { message: 'a is bad' })
  set('a', 'good')
  derivations.flush()
  t.is(reader.woken, 2)
  t.is(derivations.value(definition, 'key'), 'good')
})
