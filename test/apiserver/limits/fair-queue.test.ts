import test from 'ava'
import { type Applicant, FairQueue, type FairQueueOptions, type Leave } from '../../../apiserver/limits/fair-queue.ts'
import { StatusError } from '../../../apiserver/status-error.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'

const tenant = (user: string): Applicant => ({ user, isSystem: false })
const controller: Applicant = { user: 'system:serviceaccount:kube-system:c', isSystem: true }

/** A queue, and who has come in so far. */
function openQueue(options: Partial<FairQueueOptions> = {}) {
  const environment = virtualEnvironment()
  const queue = new FairQueue({ clock: environment.clock, seats: 10, ...options })
  const entered: string[] = []
  const leaves: Leave[] = []
  const refused: number[] = []
  const ask = (applicant: Applicant) => {
    const enter = async () => {
      leaves.push(await queue.enter(applicant))
      entered.push(applicant.user)
    }
    void enter().catch(error => refused.push(error instanceof StatusError ? error.code : 0))
  }
  return { queue, environment, entered, leaves, refused, ask, settle: () => environment.flush() }
}

test('what has a seat goes in at once, and gives it back once', async t => {
  const { queue } = openQueue()
  const leave = queue.enter(tenant('a'))
  if (typeof leave !== 'function') throw new Error('it had to wait')
  t.is(queue.used, 1)
  leave()
  leave()
  t.is(queue.used, 0)
})

test('nobody takes every seat: others come in while one user floods', async t => {
  const { ask, entered, settle } = openQueue()
  for (let count = 0; count < 40; count++) ask(tenant('flood'))
  ask(tenant('other'))
  ask(controller)
  await settle()
  t.deepEqual([...new Set(entered)].toSorted(), ['flood', 'other', controller.user])
  t.is(entered.filter(user => user === 'flood').length, 4)
})

test('users who wait take turns, whoever came first and however much he asks', async t => {
  const { ask, entered, leaves, settle } = openQueue({ seats: 2, share: 0.5 })
  ask(tenant('first'))
  for (let count = 0; count < 20; count++) ask(tenant('flood'))
  ask(tenant('late'))
  ask(tenant('late'))
  for (let turn = 0; turn < 5; turn++) {
    await settle()
    for (const leave of leaves.splice(0)) leave()
  }
  t.deepEqual(entered.slice(0, 5), ['first', 'flood', 'late', 'flood', 'late'])
})

test('who is of the system comes first', async t => {
  const { ask, entered, leaves, settle } = openQueue({ seats: 1 })
  ask(tenant('a'))
  ask(tenant('b'))
  ask(controller)
  await settle()
  for (const leave of leaves.splice(0)) leave()
  await settle()
  t.deepEqual(entered, ['a', controller.user])
})

test('a queue that is full answers 429, at once', async t => {
  const { queue, ask, refused, settle } = openQueue({ seats: 1, userQueue: 3, totalQueue: 5 })
  for (let count = 0; count < 10; count++) ask(tenant('a'))
  await settle()
  t.deepEqual(refused, Array(6).fill(429))
  ask(tenant('b'))
  ask(tenant('c'))
  ask(tenant('d'))
  await settle()
  t.deepEqual([refused.length, queue.waiting, queue.refused], [7, 5, { queueFull: 7, timeOut: 0 }])
})

test('who waits for too long is answered 429, and no longer waits', async t => {
  const { queue, ask, entered, leaves, refused, environment, settle } = openQueue({ seats: 1 })
  ask(tenant('a'))
  ask(tenant('b'))
  await environment.advance(14_999)
  t.deepEqual(refused, [])
  await environment.advance(1)
  t.deepEqual([refused, queue.waiting, queue.refused.timeOut], [[429], 0, 1])
  for (const leave of leaves.splice(0)) leave()
  ask(tenant('c'))
  await settle()
  t.deepEqual(entered, ['a', 'c'])
})
