import test from 'ava'
import { ApiError } from '../../../controllers/api/api-error.ts'
import type { TransportRequest } from '../../../controllers/api/transport.ts'
import { Allocation, type AllocationSpec } from '../../../crds/infrastructure/allocation.ts'
import type { Resource } from '../../../crds/meta.ts'
import type { Phase } from '../../../reconcilers/define-reconciler.ts'
import { operate, remove, update } from '../../../reconcilers/effect.ts'
import { acting, satisfied } from '../../../reconcilers/verdict.ts'
import { startMachine } from '../observation/samples.ts'
import { claimFor, claimName, type Intercept, Rig } from './rig.ts'
import type { Widget } from './samples.ts'

/**
 * Keeps a claim of the epoch `size`, none where that is 0. In phase `run` it has a machine run under the claim it has,
 * if it does not wish for another one.
 */
const kept: Phase<typeof Widget> = {
  condition: 'Made',
  judge: ({ metadata, spec: { size = 1, phase }, ...self }, world) => {
    const { name } = metadata
    const claim = world.desired.get(Allocation, claimName(name))
    if (claim === undefined) {
      return size === 0 ? satisfied('Nothing') : acting('Claiming', '', claimFor({ ...self, metadata, spec: {} }, name))
    }
    if (size === 0) return acting('GivingBack', '', remove(claim))
    if (claim.spec.epoch < size) return acting('Moving', '', update(claim, { ...claim.spec, epoch: size }))
    if (phase !== 'run' || world.observed.machines(name).length > 0) return satisfied('Made')
    return acting('Making', '', operate(startMachine(name), [claimName(name)]))
  },
}

/** A rig whose watch tells nothing of claims for as long as a test lasts: only answers do. */
function start(): Promise<Rig> {
  return Rig.start({ phases: [kept] }, { watchDelay: 3_600_000, delayed: 'allocations' })
}

/** Nobody answers claims' requests of these methods, whether or not they are carried out, until that is mended. */
function unanswered(methods: readonly TransportRequest['method'][], carriedOut: boolean) {
  const wire = { lost: 0, mended: false }
  const intercept: Intercept = (request, forward) => {
    if (wire.mended || !methods.includes(request.method) || !request.path.includes('allocations')) return undefined
    wire.lost += 1
    return (carriedOut ? forward() : Promise.resolve()).then(() => {
      throw new ApiError('no answer', { status: 0, reason: 'Unavailable' })
    })
  }
  return { wire, intercept }
}

async function claimOf(rig: Rig): Promise<Resource<AllocationSpec> | undefined> {
  return (await rig.wait(rig.client.get(Allocation, claimName('a')))) as Resource<AllocationSpec> | undefined
}

for (const carriedOut of [true, false]) {
  const what = carriedOut ? 'was carried out' : 'never came'

  for (const [write, method, size, then] of [
    ['update', 'PUT', 2, 'nothing is done under the old one, and then it is decided'],
    ['deletion', 'DELETE', 0, 'nothing is done under it, and then there is another one'],
  ] as const) {
    test(`nobody answers the ${write} of a claim, which ${what}: ${then}`, async t => {
      await using rig = await start()
      await rig.apply('a')
      await rig.advance(5_000)
      const before = await claimOf(rig)
      const { wire, intercept } = unanswered([method], carriedOut)
      rig.intercept = intercept
      await rig.apply('a', { size })
      await rig.advance(1_000)
      t.true(wire.lost > 0)
      await rig.apply('a', { size: 1, phase: 'run' })
      await rig.advance(120_000)
      t.is(rig.count('StartMachine a'), 0)
      wire.mended = true
      await rig.advance(60_000)
      const after = await claimOf(rig)
      t.truthy(after?.metadata.uid)
      t.is(after?.spec.epoch === 2, write === 'update')
      t.is(after?.metadata.uid === before?.metadata.uid, write === 'update')
      t.is(rig.count('StartMachine a'), 1)
      t.is(await rig.condition('a', 'Ready'), 'True/Ready')
    })
  }

  test(`nobody answers the creation of a claim, which ${what}: its name stays taken, and then there is one`, async t => {
    await using rig = await start()
    const { wire, intercept } = unanswered(['POST'], carriedOut)
    rig.intercept = intercept
    await rig.apply('a', { phase: 'run' })
    await rig.advance(120_000)
    t.true(wire.lost > 0)
    t.not(rig.engine.desired.get(Allocation, `/${claimName('a')}`), undefined)
    t.is(rig.count('StartMachine a'), 0)
    wire.mended = true
    await rig.advance(60_000)
    t.deepEqual(await rig.claims(), [claimName('a')])
    t.is(rig.count('StartMachine a'), 1)
  })
}

test('a claim that somebody else has changed is refused: nothing is done under it before it was read again', async t => {
  await using rig = await start()
  await rig.apply('a')
  await rig.advance(5_000)
  const claim = (await claimOf(rig)) as Resource<AllocationSpec>
  await rig.wait(rig.client.replace(Allocation, { ...claim, spec: { ...claim.spec, epoch: 2 } }))
  const { wire, intercept } = unanswered(['GET'], true)
  rig.intercept = intercept
  await rig.apply('a', { size: 2 })
  await rig.advance(1_000)
  t.true(wire.lost > 0)
  await rig.apply('a', { size: 1, phase: 'run' })
  await rig.advance(120_000)
  t.is(rig.count('StartMachine a'), 0)
  wire.mended = true
  await rig.advance(60_000)
  t.is(rig.count('StartMachine a'), 1)
  t.like(rig.engine.desired.get(Allocation, `/${claimName('a')}`), { spec: { epoch: 2 } })
})

test('a write that the API refuses is taken back at once: what stood there stands', async t => {
  await using rig = await start()
  await rig.apply('a')
  await rig.advance(5_000)
  rig.intercept = request =>
    request.method === 'PUT' && request.path.includes('allocations')
      ? Promise.reject(new ApiError('no', { status: 403, reason: 'Forbidden' }))
      : undefined
  await rig.apply('a', { size: 2 })
  await rig.advance(1_000)
  t.is(await rig.condition('a', 'Made'), 'False/APIForbidden')
  await rig.apply('a', { size: 1, phase: 'run' })
  await rig.advance(30_000)
  t.is(rig.count('StartMachine a'), 1)
})

for (const [status, reason] of [
  [403, 'Forbidden'],
  [422, 'Invalid'],
] as const) {
  test(`a write whose answer was lost is not taken back because its repetition is refused (${status})`, async t => {
    await using rig = await start()
    await rig.apply('a')
    await rig.advance(5_000)
    let sent = 0
    rig.intercept = (request, forward) => {
      if (request.method !== 'PUT' || !request.path.includes('allocations')) return undefined
      sent += 1
      if (sent === 1)
        return forward().then(() => {
          throw new ApiError('no answer', { status: 0, reason: 'Unavailable' })
        })
      return Promise.reject(new ApiError('refused', { status, reason }))
    }
    await rig.apply('a', { size: 2 })
    await rig.advance(1_000)
    t.true(sent > 1)
    await rig.apply('a', { size: 1, phase: 'run' })
    await rig.advance(60_000)
    t.is((await claimOf(rig))?.spec.epoch, 2)
    t.is(rig.count('StartMachine a'), status === 403 ? 0 : 1, 'nothing is done under a claim that is not decided')
    rig.intercept = () => undefined
    await rig.advance(60_000)
    t.is(rig.count('StartMachine a'), 1)
    t.is((await claimOf(rig))?.spec.epoch, 2)
  })
}
