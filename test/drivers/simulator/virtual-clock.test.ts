import test from 'ava'
import { sleep } from '../../../crds/environment.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'

test('timers fire in the order of their moments, equal ones in the order they were set', async t => {
  const { clock, advance } = virtualEnvironment()
  const fired: string[] = []
  for (const [name, after] of [
    ['c', 30],
    ['a', 10],
    ['b1', 20],
    ['b2', 20],
  ] as const)
    clock.after(after, () => fired.push(`${name}@${clock.monotonic() - 1_000_000}`))
  await advance(20)
  t.deepEqual(fired, ['a@10', 'b1@20', 'b2@20'])
  await advance(10)
  t.deepEqual(fired, ['a@10', 'b1@20', 'b2@20', 'c@30'])
})

test('what follows from a timer happens before the next timer, across promises and immediates', async t => {
  const { clock, runUntilIdle } = virtualEnvironment()
  const seen: string[] = []
  clock.after(1, async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
    seen.push('chain done')
    await sleep(clock, 5)
    seen.push(`slept until ${clock.monotonic() - 1_000_000}`)
  })
  clock.after(2, () => seen.push('next'))
  await runUntilIdle()
  t.deepEqual(seen, ['chain done', 'next', 'slept until 6'])
})

test('a cancelled timer does not fire and is not counted', async t => {
  const environment = virtualEnvironment()
  const timer = environment.clock.after(1, () => t.fail())
  timer.cancel()
  timer.cancel()
  t.is(environment.timers(), 0)
  await environment.runUntilIdle()
  t.is(environment.clock.monotonic(), 1_000_000)
})

test('a run with something periodic ends by quiet, or is refused at its limit', async t => {
  const { clock, runUntilIdle } = virtualEnvironment()
  const tick = () => void clock.after(60_000, tick)
  tick()
  let once = false
  clock.after(500, () => {
    once = true
  })
  await runUntilIdle({ quiet: 1_000 })
  t.true(once)
  t.is(clock.monotonic(), 1_000_500)
  await t.throwsAsync(runUntilIdle({ limit: 600_000 }), { message: /Cannot become idle/ })
})

test('until runs to a promise or a predicate and says when neither can come', async t => {
  const { clock, until } = virtualEnvironment()
  t.is(await until(sleep(clock, 3_000).then(() => 'value')), 'value')
  t.is(clock.monotonic(), 1_003_000)
  await until(() => clock.monotonic() === 1_003_000)
  await t.throwsAsync(until(new Promise(() => {})), { message: /Cannot reach the goal/ })
})

test('several virtual clocks in one process do not keep each other awake', async t => {
  await Promise.all(
    [1, 2, 3].map(async seed => {
      const { clock, advance } = virtualEnvironment(seed)
      await Promise.all([sleep(clock, 100), advance(1_000)])
    }),
  )
  t.pass()
})

test('chance replays from its seed and spreads', t => {
  const draw = (seed: number | string) => {
    const { random } = virtualEnvironment(seed)
    return [random.next(), random.uuid(), random.next()]
  }
  t.deepEqual(draw(7), draw(7))
  t.deepEqual(draw('story'), draw('story'))
  t.notDeepEqual(draw(7), draw(8))
  const { random } = virtualEnvironment(3)
  t.regex(random.uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  const mean = Array.from({ length: 10_000 }, () => random.next()).reduce((sum, value) => sum + value, 0) / 10_000
  t.true(Math.abs(mean - 0.5) < 0.02)
})

test('the wall clock moves alone when shifted', async t => {
  const { clock, shiftWall, advance } = virtualEnvironment()
  const wall = clock.now()
  shiftWall(-3_600_000)
  await advance(1_000)
  t.is(clock.now(), wall - 3_599_000)
  t.is(clock.monotonic(), 1_001_000)
})
