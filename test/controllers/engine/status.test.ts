import test from 'ava'
import fc from 'fast-check'
import { mergePatch as applyMergePatch } from '../../../apiserver/patch/merge-patch.ts'
import { type Judgement, mergePatch, nextStatus, type StatusInput } from '../../../controllers/engine/status.ts'
import type { CommonStatus } from '../../../crds/meta.ts'
import { acting, blocked, satisfied, unknown, type Verdict, waiting } from '../../../reconcilers/verdict.ts'

const types = ['Placed', 'Powered', 'Seen']

function judged(verdicts: Readonly<Record<string, Verdict>>, informational: readonly string[] = []): Judgement[] {
  return Object.entries(verdicts).map(([condition, verdict]) => ({
    phase: informational.includes(condition) ? { condition, informational: true } : { condition },
    verdict,
  }))
}

function next(judgements: readonly Judgement[], changes: Partial<StatusInput> = {}): CommonStatus {
  return nextStatus({
    status: undefined,
    generation: 1,
    conditionTypes: types,
    judgements,
    deleting: false,
    now: '2026-01-01T00:00:00Z',
    report: () => undefined,
    ...changes,
  })
}

function brief({ conditions = [] }: CommonStatus): readonly string[] {
  return conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`)
}

const good = { Placed: satisfied('There'), Powered: satisfied('On'), Seen: satisfied('Yes') }

test('every condition of the kind is there from the first pass, summary first, the rest in the kind’s order', t => {
  t.deepEqual(brief(next(judged({ Seen: satisfied('Yes'), Placed: waiting('NoRoom', 'full') }))), [
    'Ready=False/NoRoom',
    'Reconciling=True/NoRoom',
    'Placed=False/NoRoom',
    'Powered=Unknown/NotYetObserved',
    'Seen=True/Yes',
  ])
})

test('Ready is True when all is satisfied, and takes over the reason of a phase that sums up', t => {
  t.deepEqual(brief(next(judged(good)))[0], 'Ready=True/Ready')
  const idle = { ...good, Powered: satisfied('Idle', 'nothing to do', { summary: true }) }
  t.deepEqual(brief(next(judged(idle)))[0], 'Ready=True/Idle')
})

test('Ready says what the first unmet phase says; who is only informative never counts', t => {
  const two = { Placed: satisfied('There'), Powered: acting('Starting', ''), Seen: waiting('Later', '') }
  t.deepEqual(brief(next(judged(two))).slice(0, 2), ['Ready=False/Starting', 'Reconciling=True/Starting'])
  t.deepEqual(brief(next(judged(two, ['Powered', 'Seen'])))[0], 'Ready=True/Ready')
})

test('Stalled excludes Reconciling, and its phase gives Ready its reason though another is unmet before it', t => {
  const verdicts = { Placed: acting('Placing', ''), Powered: blocked('Conflict', 'fix spec.a'), Seen: satisfied('Yes') }
  t.deepEqual(brief(next(judged(verdicts))).slice(0, 2), ['Ready=False/Conflict', 'Stalled=True/Conflict'])
})

test('missing evidence makes Ready Unknown, not False', t => {
  const verdicts = { ...good, Powered: unknown('HostSilent', 'no answer') }
  t.deepEqual(brief(next(judged(verdicts))).slice(0, 2), ['Ready=Unknown/HostSilent', 'Reconciling=True/HostSilent'])
})

test('what is being deleted is never Ready', t => {
  t.deepEqual(brief(next(judged(good), { deleting: true })).slice(0, 2), [
    'Ready=False/Deleting',
    'Reconciling=True/Deleting',
  ])
})

test('lastTransitionTime moves with the status of a condition, not with its reason or message', t => {
  const first = next(judged({ ...good, Placed: waiting('NoRoom', 'one') }))
  const second = next(judged({ ...good, Placed: waiting('NoHost', 'two') }), {
    status: first,
    now: '2026-01-01T01:00:00Z',
  })
  const third = next(judged(good), { status: second, now: '2026-01-01T02:00:00Z' })
  const times = [first, second, third].map(
    status => status.conditions?.find(({ type }) => type === 'Placed')?.lastTransitionTime,
  )
  t.deepEqual(times, ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01T02:00:00Z'])
})

test('the same outcome is the same reference: there is nothing to write', t => {
  const status = next(judged(good))
  t.is(next(judged(good), { status, now: '2026-01-02T00:00:00Z' }), status)
  t.not(next(judged(good), { status, generation: 2 }), status)
})

test('a message longer than Kubernetes takes is cut', t => {
  const status = next(judged({ ...good, Placed: waiting('NoRoom', 'x'.repeat(40_000)) }))
  t.is(status.conditions?.find(({ type }) => type === 'Placed')?.message.length, 32_768)
})

test('a phase whose condition the kind does not have counts for Ready and is shown nowhere else', t => {
  const verdicts = { ...good, Unused: waiting('InUse', 'used by a') }
  const shown = brief(next(judged(verdicts)))
  t.is(shown[0], 'Ready=False/InUse')
  t.false(shown.some(text => text.startsWith('Unused')))
})

const json = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ maxLength: 3 }),
    fc.integer(),
    fc.boolean(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value

test('applying the patch from one status to another gives the other', t => {
  const object = fc.dictionary(fc.constantFrom('a', 'b', 'c'), json, { noNullPrototype: true })
  fc.assert(
    fc.property(object, object, (before, after) => {
      const patch = mergePatch(before, after)
      const merged = patch === undefined ? before : applyMergePatch(before, patch as never)
      t.deepEqual<unknown, unknown>(merged, after)
    }),
    { numRuns: 500 },
  )
})

test('a member that is undefined is a member that is not there', t => {
  t.deepEqual(mergePatch({ a: 1, b: 2 }, { a: undefined, b: 2 }), { a: null })
  t.is(mergePatch({ b: 2 }, { a: undefined, b: 2 }), undefined)
})
