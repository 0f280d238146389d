import { mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { callControl, serveControl } from '../../../drivers/simulator/control-socket.ts'
import { create, define, patient, virtualWorld } from './virtual-world.ts'

async function socketPath(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'skystead-control-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'sim.sock')
}

test('everything that can be done to the world can be done through the socket', async t => {
  await using w = virtualWorld()
  const path = await socketPath(t)
  await using _server = await serveControl(w.simulator, path)
  await w.storage.perform(create(w.pool, 'v'), patient())
  for (const identity of ['a', 'b']) {
    const mark = { installation: 'test', kind: 'VirtualMachine', namespace: 'shop', name: identity }
    await w.first.perform(define(w.hosts[0], identity, { mark, power: 'Running' }), patient())
  }
  await callControl(path, { action: 'crashGuest', machine: 'shop/a' })
  t.like(w.facts('a'), { powerState: 'Off', stopCause: 'Crash' })
  await callControl(path, { action: 'startMachine', machine: 'a' })
  await callControl(path, { action: 'pauseMachine', machine: 'a' })
  t.is(w.facts('a')?.powerState, 'Paused')
  await callControl(path, { action: 'destroyMachine', machine: 'shop/a', host: 'host-1' })
  t.is(w.facts('a')?.powerState, 'Off')
  await callControl(path, { action: 'removeMachine', machine: 'a' })
  t.is(w.facts('a'), undefined)
  await callControl(path, { action: 'changeDefinition', machine: 'b', change: { cores: 2 } })
  t.is(w.facts('b')?.definition.cores, 2)
  await callControl(path, { action: 'ignoreACPI', machine: 'b' })
  await callControl(path, { action: 'shutdownGuest', machine: 'b' })
  await w.clock.advance(0)
  t.like(w.facts('b'), { powerState: 'Off', stopCause: 'Guest' })
  await callControl(path, { action: 'removeVolume', identity: 'v' })
  const foreign = await callControl(path, { action: 'addForeignMachine', name: 'host-2' })
  const volume = await callControl(path, { action: 'addForeignVolume', name: 'primary-1' })
  await callControl(path, { action: 'killHost', name: 'host-1' })
  await callControl(path, { action: 'freezeHost', name: 'host-2', requests: 'Queued' })
  await callControl(path, { action: 'killPowerController', name: 'host-1' })
  await callControl(path, { action: 'killStorage', name: 'primary-1' })
  const listing = await callControl(path, { action: 'list' })
  t.like(listing, {
    hosts: [
      { name: 'host-1', power: 'Off', state: 'Down', powerController: 'Down' },
      { name: 'host-2', power: 'On', state: 'Frozen', powerController: 'Answering' },
    ],
    machines: [{ identity: 'b', ignoresACPI: true }, { identity: foreign }],
    pools: [{ url: 'sim://primary-1', state: 'Down' }],
    volumes: [{ identity: volume }],
  })
  t.deepEqual(listing, JSON.parse(JSON.stringify(w.simulator.world.list())))
  for (const name of ['host-1', 'host-2']) await callControl(path, { action: 'reviveHost', name })
  await callControl(path, { action: 'revivePowerController', name: 'host-1' })
  await callControl(path, { action: 'reviveStorage', name: 'primary-1' })
  await w.clock.advance(0)
  t.like(await callControl(path, { action: 'list' }), {
    hosts: [{ state: 'Answering', powerController: 'Answering' }, { state: 'Answering' }],
    pools: [{ state: 'Answering' }],
  })
  t.deepEqual(await callControl(path, { action: 'invariants' }), [])
  t.like(await callControl(path, { action: 'counters' }), { operations: 3, calls: { DefineMachine: 2 } })
  const [entry] = await callControl(path, { action: 'journal', count: 1 })
  t.like(entry, { source: 'Outside', action: 'reviveStorage', identity: 'primary-1' })
})

test('faults are scripted, listed and taken back through the socket', async t => {
  await using w = virtualWorld()
  const path = await socketPath(t)
  await using _server = await serveControl(w.simulator, path)
  const fault = { verb: 'Inventory', endpoint: 'host-1', times: 2, effect: 'Fail', code: 'Unauthenticated' } as const
  await callControl(path, { action: 'addFault', fault })
  await t.throwsAsync(w.first.inventory(patient()), { code: 'Unauthenticated' })
  t.deepEqual(await callControl(path, { action: 'faults' }), [{ fault, met: 1 }])
  await callControl(path, { action: 'clearFaults' })
  t.is((await w.first.inventory(patient())).type, 'Host')
})

test('a request that is wrong is answered with what is wrong, and the next one is served', async t => {
  await using w = virtualWorld()
  const path = await socketPath(t)
  await using _server = await serveControl(w.simulator, path)
  const answers = await converse(path, [
    'no JSON',
    '[]',
    '{}',
    '{"action":"explode"}',
    '{"action":"killHost"}',
    '{"action":"killHost","name":"host-9"}',
    '{"action":"killHost","name":5}',
    '{"action":"freezeHost","name":"host-1","requests":"Eaten"}',
    '{"action":"addFault","fault":{"effect":"Fail","times":-1}}',
    '{"action":"addFault","fault":{"verb":"Fly","effect":"Fail"}}',
    '{"action":"killHost","name":"host-1"}',
  ])
  t.deepEqual(
    answers.map(answer => answer.ok),
    [false, false, false, false, false, false, false, false, false, false, true],
  )
  t.regex(answers[3]?.message ?? '', /action is explode, not one of .*killHost/)
  t.is(answers[4]?.message, 'Cannot read the request: name is missing')
  t.is(answers[5]?.message, 'Cannot find host host-9 in the simulated world')
  t.is(w.simulator.world.list().hosts[0]?.power, 'Off')
})

test('the socket is for its owner only; a second simulator is refused, the socket of a dead one replaced', async t => {
  await using w = virtualWorld()
  const path = await socketPath(t)
  const server = await serveControl(w.simulator, path)
  t.is((await stat(path)).mode & 0o777, 0o600)
  await t.throwsAsync(serveControl(w.simulator, path), { message: /another simulator serves there/ })
  await server[Symbol.asyncDispose]()
  await t.throwsAsync(callControl(path, { action: 'counters' }), { message: /Cannot reach the simulator at / })
  await leaveStaleSocket(path)
  await using _second = await serveControl(w.simulator, path)
  t.is((await callControl(path, { action: 'counters' })).operations, 0)
})

test('a path that is a file of somebody, or too long, is refused and left alone', async t => {
  await using w = virtualWorld()
  const path = await socketPath(t)
  await writeFile(path, 'precious')
  await t.throwsAsync(serveControl(w.simulator, path), { message: /Cannot serve at / })
  t.is((await stat(path)).size, 'precious'.length)
  await t.throwsAsync(serveControl(w.simulator, `${path}${'x'.repeat(120)}`), { message: /Cannot serve at / })
})

/** Sends lines on one connection and reads as many answers. */
async function converse(path: string, lines: readonly string[]): Promise<readonly { ok: boolean; message?: string }[]> {
  const socket = createConnection(path)
  socket.write(lines.map(line => `${line}\n`).join(''))
  let text = ''
  for await (const chunk of socket.setEncoding('utf8')) {
    text += chunk
    if (text.split('\n').length > lines.length) break
  }
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
}

/** Leaves what a killed server leaves: a socket file that nobody listens on. */
async function leaveStaleSocket(path: string): Promise<void> {
  const server = createServer()
  await new Promise<void>(resolve => {
    server.listen(`${path}.other`, resolve)
  })
  await rename(`${path}.other`, path)
  await new Promise(resolve => {
    server.close(resolve)
  })
}
