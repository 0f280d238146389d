import test from 'ava'
import { operationId } from '../../../controllers/observation/operation-id.ts'
import { topics } from '../../../controllers/observation/topics.ts'
import { DriverError } from '../../../drivers/contract/errors.ts'
import type { Answer } from '../../../drivers/contract/operation.ts'
import { bench, by, failing } from './executor-bench.ts'
import { never } from './fake-driver.ts'
import {
  hostA,
  hostListing,
  machine,
  pool,
  poolListing,
  removeMachine,
  resizeVolume,
  startMachine,
  volume,
} from './samples.ts'

test('an operation that failed is held back for about a second, then twice as long each time, and told when it may try', async t => {
  const { environment, fake, executor, tellings, clock } = await bench()
  fake.at(hostA).perform = failing('Internal')
  const pauses: number[] = []
  for (let attempt = 0; attempt < 12; attempt++) {
    t.is(executor.submit(startMachine('m'), by), 'Started')
    await environment.advance(0)
    t.deepEqual(executor.operations('m'), [
      { verb: 'StartMachine', endpoint: hostA, state: 'Failed', code: 'Internal', message: 'it is Internal' },
    ])
    t.is(executor.submit(startMachine('m'), by), 'Held')
    const failedAt = clock.monotonic()
    const before = tellings(topics.operations('m'))
    await environment.until(() => tellings(topics.operations('m')) > before)
    pauses.push(clock.monotonic() - failedAt)
  }
  const expected = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
  for (const [index, pause] of pauses.entries()) {
    const longest = (expected[index] ?? 0) * 1_000
    t.true(pause >= longest / 2 && pause <= longest, `pause ${index}: ${pause}`)
  }
})

test('a success ends the row of failures', async t => {
  const { environment, fake, executor } = await bench()
  fake.at(hostA).perform = failing('Aborted')
  for (let attempt = 0; attempt < 5; attempt++) {
    executor.submit(startMachine('m'), by)
    await environment.advance(40_000)
  }
  fake.at(hostA).perform = async () => machine('m')
  executor.submit(startMachine('m'), by)
  await environment.advance(0)
  t.deepEqual(executor.operations('m'), [])
  t.is(executor.failureOf(startMachine('m')), undefined)
  fake.at(hostA).perform = failing('Aborted')
  executor.submit(startMachine('m'), by)
  await environment.advance(1_000)
  t.is(executor.submit(startMachine('m'), by), 'Started')
})

test('what waits for the world is held for up to fifteen seconds, but a success on its identity or companion frees it', async t => {
  const { environment, fake, executor } = await bench()
  fake.at(hostA).perform = failing('FailedPrecondition')
  fake.at(pool).perform = async () => volume('m-root', { sizeBytes: 10 })
  const retry = () => executor.submit(removeMachine('m'), by)
  retry()
  await environment.advance(7_000)
  t.is(retry(), 'Held')
  await environment.advance(8_000)
  t.is(retry(), 'Started')
  await environment.advance(0)
  t.is(retry(), 'Held')
  fake.at(hostA).perform = async () => machine('m', { powerState: 'Off' })
  executor.submit(startMachine('m'), by)
  await environment.advance(0)
  t.deepEqual(executor.operations('m'), [])
  t.is(retry(), 'Started')
})

test('what is blocked is held for ten minutes, or until its arguments change', async t => {
  const { environment, fake, executor } = await bench()
  fake.at(pool).perform = failing('InvalidArgument')
  executor.submit(resizeVolume('v', 10), by)
  await environment.advance(9 * 60_000)
  t.is(executor.submit(resizeVolume('v', 10), by), 'Held')
  t.like(executor.failureOf(resizeVolume('v', 10)), {
    code: 'InvalidArgument',
    message: 'it is InvalidArgument',
    isHeld: true,
  })
  await environment.advance(60_000)
  t.like(executor.failureOf(resizeVolume('v', 10)), { isHeld: false })
  t.is(executor.failureOf(resizeVolume('v', 20)), undefined)
  fake.at(pool).perform = async () => volume('v', { sizeBytes: 20 })
  t.is(executor.submit(resizeVolume('v', 20), by), 'Started')
  t.deepEqual(executor.operations('v'), [{ verb: 'ResizeVolume', endpoint: pool, state: 'Running' }])
  await environment.advance(0)
  t.deepEqual(executor.operations('v'), [])
})

test('a failure that nobody tries again is forgotten', async t => {
  const { environment, fake, executor, tellings } = await bench()
  fake.at(hostA).perform = failing('Internal')
  executor.submit(startMachine('m'), by)
  await environment.advance(60_000)
  t.is(executor.operations('m').length, 1)
  const before = tellings(topics.operations('m'))
  await environment.advance(10 * 60_000)
  t.deepEqual(executor.operations('m'), [])
  t.is(tellings(topics.operations('m')), before + 1)
})

test('VM-053 a lost reply leaves the identity in doubt until a listing begun afterwards', async t => {
  const { environment, cache, fake, executor, told } = await bench()
  fake.at(hostA).listingTakes = 500
  fake.at(hostA).perform = async operation => {
    fake.at(hostA).inventory = hostListing([machine(operation.identity)])
    throw new DriverError('Unavailable', 'connection reset', { inDoubt: true })
  }
  t.true(cache.provenAbsent('m', hostA))
  executor.submit(startMachine('m'), by)
  await environment.advance(0)
  t.deepEqual(cache.inDoubt('m'), [hostA])
  t.false(cache.provenAbsent('m', hostA))
  t.true(told.includes(topics.doubt('m')))
  await environment.advance(500)
  t.deepEqual(cache.inDoubt('m'), [])
  t.is(cache.machines('m').length, 1)
})

test('an operation that is not answered in time is aborted, in doubt, and looked after', async t => {
  const { environment, cache, fake, executor } = await bench()
  fake.at(hostA).listingTakes = 100
  fake.at(hostA).perform = (_operation, signal) => never(signal)
  executor.submit({ ...startMachine('m'), deadline: 2_000 }, by)
  await environment.advance(1_999)
  t.is(executor.operations('m')[0]?.state, 'Running')
  const begun = fake.at(hostA).begun.length
  await environment.advance(1)
  t.like(executor.operations('m')[0], { state: 'Failed', code: 'Timeout' })
  t.deepEqual(cache.inDoubt('m'), [hostA])
  t.is(fake.at(hostA).begun.length, begun + 1)
  await environment.advance(100)
  t.deepEqual(cache.inDoubt('m'), [])
  t.true(cache.provenAbsent('m', hostA))
})

test('long work whose connection was lost is waited for only while it is listed', async t => {
  const { environment, cache, fake, executor } = await bench()
  fake.at(pool).perform = (_operation, signal) => never(signal)
  const operation = { ...resizeVolume('v', 1), deadline: 3_600_000 }
  executor.submit(operation, by)
  const isRunning = () => executor.operations('v')[0]?.state === 'Running'
  await environment.advance(120_000)
  t.true(isRunning(), 'its connection is as it was')
  const job = { operationId: operationId(operation), targets: ['v'], progressPercent: 0 }
  fake.at(pool).inventory = poolListing([], { jobs: [job] })
  fake.at(pool).emit({ event: 'Disconnected', message: 'end of file' })
  await environment.advance(120_000)
  t.true(isRunning(), 'it is worked on')
  fake.at(pool).inventory = poolListing([])
  await environment.advance(120_000)
  t.like(executor.operations('v')[0], { state: 'Failed', code: 'Timeout' })
  t.deepEqual(cache.inDoubt('v'), [], 'a listing came after it')
})

test('a driver that ignores its signal loses its place after five more seconds', async t => {
  const { environment, cache, fake, executor } = await bench({ concurrency: { Host: 1 } })
  fake.at(hostA).perform = () => new Promise(() => undefined)
  executor.submit(startMachine('m'), by)
  await environment.advance(64_999)
  t.is(executor.operations('m')[0]?.state, 'Running')
  await environment.advance(1)
  t.like(executor.operations('m')[0], { state: 'Failed', code: 'Timeout' })
  fake.at(hostA).perform = async () => machine('n')
  executor.submit(startMachine('n'), by)
  await environment.advance(0)
  t.is(cache.machines('n').length, 1)
})

test('a failure on a connection that was lost meanwhile is in doubt, one without that is not', async t => {
  const { environment, cache, fake, executor } = await bench()
  fake.at(hostA).listingTakes = 100
  fake.at(hostA).perform = failing('Unavailable')
  executor.submit(startMachine('m'), by)
  await environment.advance(0)
  t.deepEqual(cache.inDoubt('m'), [])
  await environment.advance(1_000)
  fake.at(hostA).perform = async () => {
    fake.at(hostA).emit({ event: 'Disconnected', message: 'end of file' })
    throw new DriverError('Unavailable', 'end of file')
  }
  executor.submit(startMachine('m'), by)
  await environment.advance(0)
  t.deepEqual(cache.inDoubt('m'), [hostA])
})

test('an answer that cannot be one is a failure in doubt, and changes nothing', async t => {
  const { environment, cache, fake, executor } = await bench()
  fake.at(hostA).listingTakes = 100
  const answers: Answer[] = [machine('other'), volume('m'), undefined]
  for (const [index, answer] of answers.entries()) {
    const identity = `m${index}`
    fake.at(hostA).perform = async () => (answer?.identity === 'm' ? { ...answer, identity } : answer)
    executor.submit(startMachine(identity), by)
    await environment.advance(0)
    t.like(executor.operations(identity)[0], { state: 'Failed', code: 'Internal' })
    t.deepEqual(cache.inDoubt(identity), [hostA])
  }
  t.deepEqual([...cache.allMachines()], [])
  t.deepEqual([...cache.allVolumes()], [])
})

test('an error that no driver should throw is Internal and in doubt', async t => {
  const { environment, cache, fake, executor } = await bench()
  fake.at(hostA).listingTakes = 100
  fake.at(hostA).perform = () => {
    throw new TypeError('undefined is not a function')
  }
  executor.submit(startMachine('m'), by)
  await environment.advance(0)
  t.like(executor.operations('m')[0], { state: 'Failed', code: 'Internal' })
  t.deepEqual(cache.inDoubt('m'), [hostA])
})
