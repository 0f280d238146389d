import test from 'ava'
import { DriverError } from '../../../drivers/contract/errors.ts'
import { Hypervisor } from '../../../drivers/kvm/hypervisor.ts'
import { Link } from '../../../drivers/kvm/link.ts'
import { procedure } from '../../../drivers/kvm/procedures.ts'
import { XdrWriter } from '../../../drivers/kvm/xdr.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { FakeDaemon } from './fake-daemon.ts'

const patient = () => AbortSignal.timeout(10_000)

test('one connection serves everybody who asks at once', async t => {
  await using daemon = await FakeDaemon.start()
  const link = new Link({
    environment: virtualEnvironment(),
    address: () => ({ path: daemon.path, uri: 'qemu:///system' }),
  })
  const [one, other] = await Promise.all([link.get(patient()), link.get(patient())])
  t.is(one, other)
  t.is(daemon.connections, 1)
  link.close()
  await t.throwsAsync(link.get(patient()), { instanceOf: DriverError, message: /closed/ })
})

test('after a failure calls are refused at once, until a pause that doubles up to ten seconds is over', async t => {
  const environment = virtualEnvironment()
  await using daemon = await FakeDaemon.start()
  await daemon.stop()
  let attempts = 0
  const link = new Link({
    environment,
    address: () => {
      attempts += 1
      return { path: daemon.path, uri: 'qemu:///system' }
    },
  })
  t.teardown(() => link.close())
  const fail = () => t.throwsAsync(link.get(patient()), { instanceOf: DriverError, message: /Cannot connect/ })
  const pauses: number[] = []
  for (let round = 1; round <= 9; round += 1) {
    await fail()
    await fail()
    t.is(attempts, round)
    pauses.push(link.wait)
    await environment.advance(link.wait)
  }
  for (const [index, pause] of pauses.entries()) {
    const most = Math.min(10_000, 100 * 2 ** index)
    t.true(pause > most / 2 - 1 && pause <= most, `pause ${index}: ${pause}`)
  }
  await daemon.listen()
  t.is((await link.get(patient())).closed, undefined)
  t.is(link.wait, 0)
})

test('a lost connection is told, and the next call opens another', async t => {
  await using daemon = await FakeDaemon.start()
  const lost: string[] = []
  const link = new Link({
    environment: virtualEnvironment(),
    address: () => ({ path: daemon.path, uri: 'qemu:///system' }),
    onLost: error => lost.push(error.code),
  })
  t.teardown(() => link.close())
  const first = await link.get(patient())
  daemon.break()
  while (first.closed === undefined) await turn()
  t.deepEqual(lost, ['Unavailable'])
  t.not(await link.get(patient()), first)
  t.is(daemon.connections, 2)
})

test('listeners hear of domains, of a loss and of the return, while they listen', async t => {
  const environment = virtualEnvironment()
  await using daemon = await FakeDaemon.start()
  const hypervisor = new Hypervisor(environment, daemon.path)
  t.teardown(() => hypervisor.close())
  const heard: string[] = []
  const subscription = hypervisor.subscribe({
    changed: uuid => heard.push(uuid),
    missed: message => heard.push(message),
  })
  await hypervisor.observing(patient())
  const event = () =>
    daemon.tell(
      procedure.domainEventCallbackLifecycle,
      new XdrWriter().int(0).string('web').fixed(Buffer.alloc(16, 1)).int(-1).int(5).int(1),
    )
  event()
  while (heard.length < 1) await turn()
  t.deepEqual(heard, ['01010101-0101-0101-0101-010101010101'])
  daemon.break()
  while (heard.length < 3) await turn()
  t.regex(heard[1] ?? '', /closed by the daemon/)
  t.regex(heard[2] ?? '', /events may have been missed/)
  event()
  while (heard.length < 4) await turn()
  subscription[Symbol.dispose]()
  event()
  daemon.tell(procedure.domainEventCallbackLifecycle, new XdrWriter())
  await turn()
  t.is(heard.length, 4)
})

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
