import test from 'ava'
import type { User } from '../../../apiserver/api-request.ts'
import { type LimitOptions, RequestLimits } from '../../../apiserver/limits/request-limits.ts'
import { StatusError } from '../../../apiserver/status-error.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'

const bob: User = { name: 'bob', groups: ['system:authenticated'] }
const admin: User = { name: 'admin', groups: ['system:masters'] }
const pods = '/api/v1/pods'

function openLimits(options: LimitOptions = {}) {
  const environment = virtualEnvironment()
  const limits = new RequestLimits(options, environment)
  /** Whether it came in at once, had to wait, or was refused. */
  const ask = (user: User, method: string, path: string) => {
    try {
      const entered = limits.enter(user, { method, path, headers: {} })
      if (typeof entered === 'function') return 'in'
      void entered.catch(() => undefined)
      return 'waits'
    } catch (error) {
      return error instanceof StatusError ? error.code : 'failed'
    }
  }
  return { environment, limits, ask }
}

test('reading and writing are counted apart', t => {
  const { ask, limits } = openLimits({ maxRequestsInFlight: 2, maxMutatingRequestsInFlight: 2 })
  t.deepEqual([ask(bob, 'GET', pods), ask(bob, 'GET', pods), ask(bob, 'POST', pods)], ['in', 'waits', 'in'])
  t.deepEqual([limits.queues.readOnly.used, limits.queues.mutating.used], [1, 1])
})

test('whoever may do everything does not wait, nor who asks whether the server lives', t => {
  const { ask } = openLimits({ maxRequestsInFlight: 1 })
  t.deepEqual([ask(bob, 'GET', pods), ask(bob, 'GET', pods)], ['in', 'waits'])
  t.deepEqual([ask(admin, 'GET', pods), ask(bob, 'GET', '/readyz'), ask(bob, 'GET', '/livez/ping')], ['in', 'in', 'in'])
  t.is(ask(bob, 'GET', '/livezy'), 'waits')
})

test('watches are counted in all and for each user, and some are left for administrators', t => {
  const { ask, limits } = openLimits({ maxWatches: 5, maxWatchesPerUser: 3 })
  const watch = '/api/v1/pods?watch=true'
  t.deepEqual(
    [1, 2, 3, 4].map(() => ask(bob, 'GET', watch)),
    ['in', 'in', 'in', 429],
  )
  t.is(ask({ ...bob, name: 'eve' }, 'GET', '/api/v1/watch/pods'), 'in')
  t.is(ask({ ...bob, name: 'eve' }, 'GET', watch), 429)
  t.deepEqual([ask(admin, 'GET', watch), ask(admin, 'GET', watch)], ['in', 429])
  t.deepEqual([limits.watches, limits.refusedWatches], [5, 3])
  t.is(ask(bob, 'GET', '/api/v1/pods?watch=false'), 'in')
})

test('the accounts of a tenant’s namespace count as one user, those of the system each for itself', t => {
  const { ask } = openLimits({ maxWatchesPerUser: 1 })
  const account = (name: string): User => ({ name: `system:serviceaccount:${name}`, groups: [] })
  const watch = (name: string) => ask(account(name), 'GET', `${pods}?watch=true`)
  t.deepEqual([watch('shop:one'), watch('shop:two'), watch('other:one')], ['in', 429, 'in'])
  t.deepEqual([watch('skystead-system:a'), watch('skystead-system:b'), watch('skystead-system:b')], ['in', 'in', 429])
})

test('a watch that ends makes room for another', t => {
  const { ask, limits } = openLimits({ maxWatchesPerUser: 1 })
  const path = '/api/v1/pods?watch=1'
  const leave = limits.enter(bob, { method: 'GET', path, headers: {} })
  t.is(ask(bob, 'GET', path), 429)
  if (typeof leave === 'function') leave()
  t.is(ask(bob, 'GET', path), 'in')
})

test('whoever guesses tokens waits for each answer after twenty, each address for itself', async t => {
  const { limits, environment } = openLimits()
  const answers = Array.from({ length: 21 }, () => limits.refused('10.0.0.1'))
  t.deepEqual(
    answers.map(answer => answer !== undefined),
    [...Array(20).fill(false), true],
  )
  t.is(limits.refused('10.0.0.2'), undefined)
  const answered: string[] = []
  void answers[20]?.then(() => answered.push('last'))
  await environment.advance(999)
  t.deepEqual(answered, [])
  await environment.advance(1)
  t.deepEqual(answered, ['last'])
  t.is(limits.authentications.failure, 22)
  for (let address = 0; address < 5_000; address++) void limits.refused(`10.1.${address >> 8}.${address & 255}`)
  t.is(limits.refused('10.2.0.0'), undefined)
})
