import test, { type ExecutionContext } from 'ava'
import { DriverError, type DriverErrorCode } from '../../../drivers/contract/errors.ts'
import { openLibvirt, readLifecycle } from '../../../drivers/kvm/libvirt.ts'
import { codeOf, LibvirtError } from '../../../drivers/kvm/libvirt-error.ts'
import {
  keepAlive,
  keepAliveProgram,
  messageStatus,
  messageType,
  procedure,
  remoteProgram,
} from '../../../drivers/kvm/procedures.ts'
import { openRpc, type RpcConnection, type RpcOptions } from '../../../drivers/kvm/rpc.ts'
import { XdrWriter } from '../../../drivers/kvm/xdr.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { FakeDaemon, frame, open, type Received } from './fake-daemon.ts'

const patient = () => AbortSignal.timeout(10_000)

async function connected(
  t: ExecutionContext,
  daemon: FakeDaemon,
  options: Partial<RpcOptions> = {},
): Promise<RpcConnection> {
  const { clock } = virtualEnvironment()
  const rpc = await openRpc({ clock, path: daemon.path, ...options }, patient())
  t.teardown(() => rpc.close())
  return rpc
}

async function refusedWith(t: ExecutionContext, call: Promise<unknown>, code: DriverErrorCode): Promise<DriverError> {
  const error = await t.throwsAsync(call, { instanceOf: DriverError })
  t.is(error?.code, code, error?.message)
  return error ?? new DriverError('Internal', '')
}

test('calls are answered by their serial, in whatever order the answers come', async t => {
  const calls: Received[] = []
  await using daemon = await FakeDaemon.start(call => void calls.push(call))
  const rpc = await connected(t, daemon)
  const answers = [101, 102, 103].map(number => rpc.call(number, undefined, patient()))
  await until(() => calls.length === 3)
  for (const call of calls.toReversed()) daemon.reply(call, new XdrWriter().string(`for ${call.procedure}`))
  t.deepEqual(
    (await Promise.all(answers)).map(reader => reader.string()),
    ['for 101', 'for 102', 'for 103'],
  )
  t.is(rpc.pending, 0)
})

test('frames may come in pieces and several at once', async t => {
  await using daemon = await FakeDaemon.start(call => {
    const answer = frame(
      remoteProgram,
      call.procedure,
      messageType.reply,
      call.serial,
      messageStatus.ok,
      new XdrWriter().int(7),
    )
    const event = frame(remoteProgram, 5, messageType.event, 0, messageStatus.ok, new XdrWriter().int(9))
    const both = Buffer.concat([event, answer, event])
    for (const byte of both.subarray(0, 40)) daemon.write(Uint8Array.of(byte))
    daemon.write(both.subarray(40))
  })
  const events: number[] = []
  const rpc = await connected(t, daemon, { onEvent: (number, body) => events.push(number, body.int()) })
  t.is((await rpc.call(1, undefined, patient())).int(), 7)
  await until(() => events.length === 4)
  t.deepEqual(events, [5, 9, 5, 9])
})

test('what libvirt refuses is told with its number and the code that decides how to go on', async t => {
  await using daemon = await FakeDaemon.start((call, self) => self.refuse(call, 42, 'Domain not found'))
  const rpc = await connected(t, daemon)
  const error = await refusedWith(t, rpc.call(24, undefined, patient()), 'NotFound')
  t.true(error instanceof LibvirtError)
  t.like(error, { number: 42, message: 'libvirt: Domain not found', inDoubt: false })
})

test('numbers of libvirt have their codes', t => {
  const codes = [
    [38, 'something', 'Internal'],
    [1, 'cannot write: No space left on device', 'ResourceExhausted'],
    [55, 'domain is not running', 'FailedPrecondition'],
    [67, 'no such model', 'Unsupported'],
    [27, 'bad', 'InvalidArgument'],
    [88, 'denied', 'Unauthenticated'],
    [90, 'exists', 'AlreadyExists'],
    [68, 'job', 'Timeout'],
  ] as const
  for (const [number, message, code] of codes) t.is(codeOf(number, message), code, `${number}`)
})

test('a keep-alive ping of the daemon is answered', async t => {
  await using daemon = await FakeDaemon.start()
  await connected(t, daemon)
  await until(() => daemon.connections === 1)
  daemon.ping()
  await until(() => daemon.received.length === 1)
  t.like(daemon.received[0], {
    program: keepAliveProgram,
    procedure: keepAlive.pong,
    type: messageType.event,
    serial: 0,
  })
})

test('a daemon that gives no sign of life is given up, one that does is kept', async t => {
  const environment = virtualEnvironment()
  await using daemon = await FakeDaemon.start(() => undefined)
  const lost: string[] = []
  let heard = 0
  const options = {
    onEvent: () => {
      heard += 1
    },
    clock: environment.clock,
    keepAlive: { interval: 1000, misses: 2 },
    onClose: (error: DriverError) => lost.push(error.message),
  }
  const rpc = await connected(t, daemon, options)
  const call = rpc.call(1, undefined, patient())
  call.catch(() => undefined)
  await until(() => daemon.received.length === 1)
  await environment.advance(2000)
  daemon.tell(5, new XdrWriter().int(0))
  // Its message is heard, so the count begins again.
  await until(() => heard === 1)
  await environment.advance(2000)
  t.is(rpc.closed, undefined)
  await environment.advance(1000)
  t.deepEqual(lost, ['libvirt gives no sign of life'])
  t.true((await refusedWith(t, call, 'Unavailable')).inDoubt)
})

test('a call that is given up is in doubt, and its late answer troubles nobody', async t => {
  const calls: Received[] = []
  await using daemon = await FakeDaemon.start(call => void calls.push(call))
  const rpc = await connected(t, daemon)
  const abort = new AbortController()
  const given = rpc.call(1, undefined, abort.signal)
  abort.abort()
  t.true((await refusedWith(t, given, 'Timeout')).inDoubt)
  const kept = rpc.call(2, undefined, patient())
  await until(() => calls.length === 2)
  for (const call of calls) daemon.reply(call, new XdrWriter().int(call.procedure))
  t.is((await kept).int(), 2)
})

test('a signal that is aborted already sends nothing', async t => {
  await using daemon = await FakeDaemon.start()
  const rpc = await connected(t, daemon)
  t.false((await refusedWith(t, rpc.call(1, undefined, AbortSignal.abort()), 'Aborted')).inDoubt)
  const { clock } = virtualEnvironment()
  await refusedWith(t, openRpc({ clock, path: daemon.path }, AbortSignal.abort()), 'Aborted')
  t.is(daemon.received.length, 0)
})

test('calls under way when the connection breaks are in doubt, later ones are not', async t => {
  await using daemon = await FakeDaemon.start(() => undefined)
  const rpc = await connected(t, daemon)
  const call = rpc.call(1, undefined, patient())
  await until(() => daemon.received.length === 1)
  daemon.break()
  t.true((await refusedWith(t, call, 'Unavailable')).inDoubt)
  t.false((await refusedWith(t, rpc.call(1, undefined, patient()), 'Unavailable')).inDoubt)
})

test('bytes that are no frames end the connection', async t => {
  await using daemon = await FakeDaemon.start((_call, self) => self.write(Buffer.from('00000003deadbeef', 'hex')))
  const rpc = await connected(t, daemon)
  const error = await refusedWith(t, rpc.call(1, undefined, patient()), 'Unavailable')
  t.regex(error.message, /a frame of 3 bytes/)
})

test('a socket that nobody listens on is Unavailable', async t => {
  const { clock } = virtualEnvironment()
  const error = await refusedWith(t, openRpc({ clock, path: '/nowhere/sock' }, patient()), 'Unavailable')
  t.regex(error.message, /ENOENT/)
})

test('opening asks how to authenticate and opens the hypervisor', async t => {
  await using daemon = await FakeDaemon.start()
  const { clock } = virtualEnvironment()
  const libvirt = await openLibvirt({ clock, path: daemon.path }, 'qemu:///system', patient())
  t.teardown(() => libvirt.close())
  t.deepEqual(
    daemon.received.map(message => message.procedure),
    [procedure.authList, procedure.connectOpen],
  )
  const body = daemon.received[1]?.body
  t.deepEqual([body?.optionalString(), body?.uint()], ['qemu:///system', 0])
})

test('a socket that asks for a password is refused by name, and one with polkit is asked', async t => {
  const { clock } = virtualEnvironment()
  const offering = (kind: number) => (call: Received, daemon: FakeDaemon) => {
    if (call.procedure === procedure.authList) daemon.reply(call, new XdrWriter().uint(1).int(kind))
    else if (call.procedure === procedure.authPolkit) daemon.reply(call, new XdrWriter().int(1))
    else open(call, daemon)
  }
  await using daemon = await FakeDaemon.start(offering(1))
  const refused = openLibvirt({ clock, path: daemon.path }, 'qemu:///system', patient())
  t.regex((await refusedWith(t, refused, 'Unauthenticated')).message, /SASL/)
  daemon.answering = offering(2)
  const libvirt = await openLibvirt({ clock, path: daemon.path }, 'qemu:///system', patient())
  t.is(libvirt.closed, undefined)
  libvirt.close()
})

test('domains are read from a listing and from a life-cycle message', async t => {
  const uuid = Buffer.from('0123456789abcdef0123456789abcdef', 'hex')
  const domain = (writer: XdrWriter, id: number) => writer.string('web').fixed(uuid).int(id)
  await using daemon = await FakeDaemon.start((call, self) => {
    if (call.procedure !== procedure.connectListAllDomains) return open(call, self)
    self.reply(call, domain(domain(new XdrWriter().uint(2), 4), -1).uint(2))
    self.tell(procedure.domainEventCallbackLifecycle, domain(new XdrWriter().int(0), 4).int(5).int(1))
  })
  const { clock } = virtualEnvironment()
  const events: unknown[] = []
  const onEvent: RpcOptions['onEvent'] = (_number, body) => events.push(readLifecycle(body))
  const libvirt = await openLibvirt({ clock, path: daemon.path, onEvent }, 'qemu:///system', patient())
  t.teardown(() => libvirt.close())
  const handle = { name: 'web', uuid: '01234567-89ab-cdef-0123-456789abcdef' }
  t.deepEqual(await libvirt.domains(patient()), [
    { ...handle, id: 4 },
    { ...handle, id: -1 },
  ])
  await until(() => events.length === 1)
  t.deepEqual(events, [{ domain: { ...handle, id: 4 }, event: 5, detail: 1 }])
  await refusedWith(t, libvirt.domain('no-uuid', patient()), 'InvalidArgument')
})

/** Turns the event loop until it holds; the test's own timeout bounds it. */
async function until(check: () => boolean): Promise<void> {
  while (!check()) await turns()
}

function turns(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
