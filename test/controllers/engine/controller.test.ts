import test from 'ava'
import { ApiError } from '../../../controllers/api/api-error.ts'
import { Allocation } from '../../../crds/infrastructure/allocation.ts'
import { operation } from '../../../drivers/contract/operation.ts'
import type { Phase } from '../../../reconcilers/define-reconciler.ts'
import { create, operate, remove } from '../../../reconcilers/effect.ts'
import { acting, satisfied, waiting } from '../../../reconcilers/verdict.ts'
import type { World } from '../../../reconcilers/world.ts'
import { hostA, machine, startMachine } from '../observation/samples.ts'
import { claimFor, claimName, Rig, type WidgetWish } from './rig.ts'
import { Widget, widgetManifest } from './samples.ts'

type WidgetPhase = Phase<typeof Widget>

/** Wishes for a machine of the widget's name to run, under so many claims. */
const made: WidgetPhase = {
  condition: 'Made',
  judge: (self, world) => {
    const claim = claimName(self.metadata.name)
    if (world.desired.get(Allocation, claim) === undefined) {
      return acting('Claiming', '', claimFor(self, self.metadata.name))
    }
    if (world.observed.machines(self.metadata.name).length > 0) return satisfied('Made')
    return acting('Making', '', operate(startMachine(self.metadata.name), [claim]))
  },
}

/** Wishes for the machine to be gone, then gives the claim back. */
const unmade: WidgetPhase = {
  condition: 'Made',
  judge: (self, world) => {
    const { name } = self.metadata
    if (world.observed.machines(name).length > 0) {
      const removal = operation('RemoveMachine', { endpoint: hostA, identity: name }, { identity: name, epoch: 1 })
      return acting('Removing', '', operate(removal, []))
    }
    const claim = world.desired.get(Allocation, claimName(name))
    return claim === undefined ? satisfied('Gone') : acting('Releasing', '', remove(claim))
  },
}

const parts = { phases: [made], teardown: [unmade] }

test('a widget is made: finalizer first, then the claim, then the operation, one status', async t => {
  await using rig = await Rig.start(parts)
  await rig.apply('a')
  await rig.advance(5_000)
  t.deepEqual(rig.journal, ['PATCH widgets', 'POST allocations', 'StartMachine a', 'PATCH widgets status'])
  t.is(await rig.condition('a', 'Ready'), 'True/Ready')
  t.deepEqual((await rig.get('a'))?.metadata.finalizers, ['test.skystead.dev/controller'])
})

test('deleting a widget undoes it in order, and the finalizer goes last', async t => {
  await using rig = await Rig.start(parts)
  await rig.apply('a')
  await rig.advance(5_000)
  rig.journal.length = 0
  await rig.delete('a')
  await rig.advance(5_000)
  t.deepEqual(rig.journal, ['RemoveMachine a', 'DELETE allocations', 'PATCH widgets'])
  t.is(await rig.get('a'), undefined)
  t.deepEqual(await rig.claims(), [])
})

test('a phase that is held back says what holds it, not that it acts', async t => {
  const free: WidgetPhase = { condition: 'Free', judge: () => waiting('InUse', 'Gadget "b" uses it') }
  await using rig = await Rig.start({ phases: [made], teardown: [free, { ...unmade, needs: ['Free'] }] })
  await rig.apply('a')
  await rig.advance(5_000)
  await rig.delete('a')
  await rig.advance(5_000)
  t.is(await rig.condition('a', 'Made'), 'False/InUse')
  t.is((await rig.get('a'))?.status?.conditions?.find(({ type }) => type === 'Made')?.message, 'Gadget "b" uses it')
})

test('nothing is operated while its claim is only assumed', async t => {
  await using rig = await Rig.start(parts)
  const held = Promise.withResolvers<void>()
  rig.intercept = (request, forward) =>
    request.method === 'POST' && request.path.includes('allocations') ? held.promise.then(forward) : undefined
  await rig.apply('a')
  await rig.advance(10_000)
  t.not(rig.engine.desired.get(Allocation, `/${claimName('a')}`), undefined, 'it is assumed')
  t.is(rig.count('StartMachine a'), 0)
  held.resolve()
  await rig.advance(5_000)
  t.is(rig.count('StartMachine a'), 1)
  t.is(await rig.condition('a', 'Ready'), 'True/Ready')
})

test('a status that meets a newer object is dropped, and written for that object', async t => {
  await using rig = await Rig.start(parts)
  let disturbed = 0
  rig.intercept = (request, forward) => {
    if (request.method !== 'PATCH' || !request.path.includes('/status') || disturbed > 0) return undefined
    disturbed += 1
    return rig.client
      .apply(Widget, { apiVersion: Widget.apiVersion, kind: 'Widget', metadata: { name: 'a' }, spec: { size: 9 } })
      .then(forward)
  }
  await rig.apply('a')
  await rig.advance(30_000)
  t.is(disturbed, 1)
  const object = await rig.get('a')
  t.is(object?.metadata.generation, 2)
  t.is(object?.status?.observedGeneration, 2)
  t.is(await rig.condition('a', 'Ready'), 'True/Ready')
  t.is(rig.count('StartMachine a'), 1)
})

test('a claim whose answer was lost is found to be ours: one claim, one operation', async t => {
  await using rig = await Rig.start(parts)
  let lost = 0
  rig.intercept = (request, forward) => {
    if (request.method !== 'POST' || lost > 0) return undefined
    lost += 1
    return forward().then(() => {
      throw new ApiError('no answer', { status: 0, reason: 'Unavailable' })
    })
  }
  await rig.apply('a')
  await rig.advance(10_000)
  t.is(lost, 1)
  t.deepEqual(await rig.claims(), [claimName('a')])
  t.is(rig.count('StartMachine a'), 1)
  t.is(await rig.condition('a', 'Ready'), 'True/Ready')
})

test('a phase that throws is InternalError by name, and the others go on', async t => {
  const failing: WidgetPhase = {
    condition: 'Checked',
    judge: () => {
      throw new Error('a bug')
    },
  }
  await using rig = await Rig.start({ ...parts, phases: [failing, made] })
  await rig.apply('a')
  await rig.advance(5_000)
  t.is(await rig.condition('a', 'Checked'), 'Unknown/InternalError')
  t.is(await rig.condition('a', 'Made'), 'True/Made')
  t.is(rig.count('StartMachine a'), 1)
})

test('a report that throws costs its fields alone: phases act and conditions are written', async t => {
  await using rig = await Rig.start({
    ...parts,
    report: () => {
      throw new Error('a bug')
    },
  })
  await rig.apply('a')
  await rig.advance(5_000)
  t.is(await rig.condition('a', 'Ready'), 'True/Ready')
  t.is(rig.count('StartMachine a'), 1)
})

test('what is only observed is never operated on, and its conditions say what would be done', async t => {
  await using rig = await Rig.start(parts)
  await rig.apply('a', { management: { mode: 'Observe' } })
  await rig.advance(60_000)
  t.is(rig.count('StartMachine a'), 0)
  t.is(await rig.condition('a', 'Made'), 'False/Observing')
  await rig.apply('a', { management: { mode: 'Enforce' } })
  await rig.advance(5_000)
  t.is(rig.count('StartMachine a'), 1)
  t.is(await rig.condition('a', 'Ready'), 'True/Ready')
})

test('what is paused is left alone altogether, in deletion too, until it no longer is', async t => {
  await using rig = await Rig.start(parts)
  await rig.apply('a')
  await rig.advance(5_000)
  await rig.apply('a', { management: { mode: 'Pause' } })
  rig.journal.length = 0
  await rig.delete('a')
  await rig.advance(3_600_000)
  t.deepEqual(rig.journal, [])
  t.not((await rig.get('a'))?.metadata.deletionTimestamp, undefined)
  await rig.apply('a', { management: { mode: 'Enforce' } })
  await rig.advance(5_000)
  t.is(await rig.get('a'), undefined)
  t.deepEqual(await rig.claims(), [])
})

test('what was created paused gets no finalizer and no status', async t => {
  await using rig = await Rig.start(parts)
  await rig.apply('a', { management: { mode: 'Pause' } })
  await rig.advance(60_000)
  t.deepEqual(rig.journal, [])
  await rig.delete('a')
  t.is(await rig.get('a'), undefined)
})

test('a status that only counts is written at most every 10 s, and its last value in the end', async t => {
  const counting: WidgetPhase = { condition: 'Checked', judge: () => satisfied('Checked') }
  await using rig = await Rig.start({
    phases: [counting],
    report: (status, _self, world) => {
      status.seen = world.observed.counts(hostA).things
    },
  })
  await rig.apply('a')
  await rig.advance(5_000)
  rig.journal.length = 0
  for (let index = 1; index <= 60; index++) {
    rig.host.emit({ event: 'Machine', facts: machine(`m-${index}`) })
    await rig.advance(1_000)
  }
  t.true(rig.count('PATCH widgets status') >= 5, `${rig.count('PATCH widgets status')} writes`)
  t.true(rig.count('PATCH widgets status') <= 7, `${rig.count('PATCH widgets status')} writes`)
  await rig.advance(10_000)
  t.is((await rig.get('a'))?.status?.seen, 60)
})

test('an edit is acknowledged at once though no condition changes', async t => {
  await using rig = await Rig.start(parts)
  await rig.apply('a')
  await rig.advance(1_000)
  await rig.apply('a', { size: 2 })
  await rig.advance(500)
  const object = await rig.get('a')
  t.is(object?.metadata.generation, 2)
  t.is(object?.status?.observedGeneration, 2)
})

test('an operation that succeeds and changes nothing is tried twice a minute, not in a circle', async t => {
  const nothing: WidgetPhase = {
    condition: 'Made',
    judge: (self, world) => {
      const { name: identity } = self.metadata
      world.operations(identity)
      if (world.observed.machines(identity).length > 0) return satisfied('Made')
      const target = { endpoint: hostA, identity }
      return acting('Making', '', operate(operation('RemoveMachine', target, { identity, epoch: 1 }), []))
    },
  }
  await using rig = await Rig.start({ phases: [nothing] }, { perform: async () => undefined })
  await rig.apply('a')
  await rig.advance(300_000)
  const tried = rig.count('RemoveMachine a')
  t.true(tried >= 5 && tried <= 12, `${tried} times`)
  rig.host.emit({ event: 'Machine', facts: machine('a') })
  await rig.advance(1_000)
  t.is(await rig.condition('a', 'Ready'), 'True/Ready')
})

test('an object that the API refuses is wished for with back-off, and the condition says why', async t => {
  const refused: WidgetPhase = {
    condition: 'Made',
    judge: (self, world) => {
      const claim = world.desired.get(Allocation, 'ip-test-wrong')
      if (claim !== undefined) return satisfied('Made')
      const effect = claimFor(self, 'right')
      return acting('Claiming', '', {
        ...effect,
        object: { ...effect.object, metadata: { name: 'ip-test-wrong' } },
      })
    },
  }
  await using rig = await Rig.start({ phases: [refused] })
  await rig.apply('a')
  await rig.advance(60_000)
  const tried = rig.count('POST allocations')
  t.true(tried >= 3 && tried <= 20, `${tried} times`)
  t.is(await rig.condition('a', 'Made'), 'False/APIInvalid')
})

test('while the API does not answer, writes back off, and all is well once it does', async t => {
  await using rig = await Rig.start(parts)
  let silent = true
  rig.intercept = request => {
    if (!silent || request.method !== 'POST') return undefined
    return Promise.reject(new ApiError('no answer', { status: 0, reason: 'Unavailable' }))
  }
  await rig.apply('a')
  await rig.advance(60_000)
  t.true(rig.journal.length <= 20, `${rig.journal.length} requests`)
  silent = false
  await rig.advance(120_000)
  t.is(await rig.condition('a', 'Ready'), 'True/Ready')
})

test('a replica without its lease sends no operation; with it again it goes on', async t => {
  let leased = false
  await using rig = await Rig.start(parts, { mayDispatch: () => leased })
  await rig.apply('a')
  await rig.advance(60_000)
  t.is(rig.count('StartMachine a'), 0)
  leased = true
  await rig.advance(5_000)
  t.is(rig.count('StartMachine a'), 1)
  t.is(await rig.condition('a', 'Ready'), 'True/Ready')
})

test('a process that was paused for an hour goes on where it was: nothing twice, nothing forgotten', async t => {
  let jumped = 0
  await using rig = await Rig.start(parts, {
    environment: virtual => ({
      ...virtual,
      clock: {
        now: () => virtual.clock.now() + jumped,
        monotonic: () => virtual.clock.monotonic() + jumped,
        after: (milliseconds, action) => virtual.clock.after(milliseconds, action),
      },
    }),
  })
  await rig.apply('a')
  await rig.advance(60)
  jumped = 3_600_000
  await rig.apply('b')
  await rig.advance(60_000)
  for (const name of ['a', 'b']) {
    t.is(await rig.condition(name, 'Ready'), 'True/Ready')
    t.is(rig.count(`StartMachine ${name}`), 1)
  }
  rig.journal.length = 0
  await rig.advance(600_000)
  t.deepEqual(rig.journal, [])
})

test('of two widgets that wish for the same value one has it, and the other waits for it', async t => {
  const sharing: WidgetPhase = {
    condition: 'Made',
    judge: (self: WidgetWish, world: World) => {
      const claim = world.desired.get(Allocation, claimName('shared'))
      if (claim === undefined) return acting('Claiming', '', claimFor(self, 'shared'))
      return claim.spec.holder.name === self.metadata.name ? satisfied('Mine') : waiting('Taken', '')
    },
  }
  await using rig = await Rig.start({ phases: [sharing] })
  await rig.apply('a')
  await rig.apply('b')
  await rig.advance(5_000)
  const reasons = [await rig.condition('a', 'Made'), await rig.condition('b', 'Made')]
  t.deepEqual(reasons.toSorted(), ['False/Taken', 'True/Mine'])
  t.is(rig.count('POST allocations'), 1)
})

test('a child is reconciled though the answer to its creation comes before the watch event', async t => {
  const parent: WidgetPhase = {
    condition: 'Made',
    judge: (self, world) => {
      if (self.metadata.name === 'child') return satisfied('Made')
      if (world.desired.get(Widget, 'child') === undefined) {
        return acting('Creating', '', create(widgetManifest('child')))
      }
      const made = world.desired.status(Widget, 'child', undefined, ({ conditions }) => conditions?.length)
      return made === undefined ? waiting('ChildNotReady', '') : satisfied('Made')
    },
  }
  await using rig = await Rig.start({ phases: [parent] }, { watchDelay: 500 })
  await rig.apply('parent')
  await rig.advance(10_000)
  t.is(await rig.condition('child', 'Ready'), 'True/Ready')
  t.is(await rig.condition('parent', 'Ready'), 'True/Ready')
})

test('a child is torn down though the answer to its deletion comes before the watch event', async t => {
  const child: WidgetPhase = { condition: 'Made', judge: () => satisfied('Made') }
  const parent: WidgetPhase = {
    condition: 'Childless',
    judge: (self, world) => {
      if (self.metadata.name === 'child') return satisfied('Childless')
      const other = world.desired.get(Widget, 'child')
      if (other === undefined) return satisfied('Childless')
      return other.metadata.deletionTimestamp === undefined
        ? acting('Removing', '', remove(other))
        : waiting('Removing', '')
    },
  }
  const tornDown = { condition: 'TornDown', judge: () => satisfied('TornDown') }
  const parts = { phases: [child, parent], teardown: [tornDown], endpoints: () => [] }
  await using rig = await Rig.start(parts, { watchDelay: 500 })
  await rig.apply('child')
  await rig.advance(3_000)
  await rig.apply('parent')
  await rig.advance(10_000)
  t.is(await rig.get('child'), undefined)
  t.is(await rig.condition('parent', 'Ready'), 'True/Ready')
})

test('an object that we have let go is forgotten though the answer comes before the watch event', async t => {
  const made: WidgetPhase = { condition: 'Made', judge: () => satisfied('Made') }
  const tornDown = { condition: 'TornDown', judge: () => satisfied('TornDown') }
  await using rig = await Rig.start({ phases: [made], teardown: [tornDown] }, { watchDelay: 500 })
  await rig.apply('a')
  await rig.advance(10_000)
  t.is(rig.engine.observed.endpoint(hostA).answers, 'Yes')
  await rig.delete('a')
  await rig.advance(10_000)
  t.is(await rig.get('a'), undefined)
  t.is(rig.engine.observed.endpoint(hostA).answers, 'Unknown', 'nobody asks its host any more')
})
