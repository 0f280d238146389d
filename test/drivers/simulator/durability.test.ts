import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { realEnvironment } from '../../../cli/environment.ts'
import { operation } from '../../../drivers/contract/operation.ts'
import { openDurableStore } from '../../../drivers/simulator/durable-store.ts'
import { seededRandom } from '../../../drivers/simulator/seeded-random.ts'
import { createSimulator } from '../../../drivers/simulator/simulator.ts'
import type { WorldListing } from '../../../drivers/simulator/world-listing.ts'
import type { WorldStore } from '../../../drivers/simulator/world-store.ts'
import { conformance } from '../conformance.ts'
import { hostEndpoint, poolEndpoint, powerEndpoint, quickTiming, simulatorFixture, storeEndpoint } from './fixture.ts'
import { create, define, definition, patient, stop, VirtualClock, virtualWorld, watch } from './virtual-world.ts'

const child = fileURLToPath(new URL('durable-child.ts', import.meta.url))

conformance(
  test,
  'durable simulator',
  async t => simulatorFixture({ timing: quickTiming, seed: 3, store: openDurableStore(await worldFile(t)) }),
  { migrates: true },
)

test('an answered effect outlives kill -9, whenever it comes', async t => {
  const path = await worldFile(t)
  const wished = new Map<string, unknown>()
  for (let run = 0; run < 8; run++) {
    const answered = await workUntilKilled(path, run, 40 + run * 37)
    t.true(answered.length > 0, `run ${run} answered nothing`)
    for (const { identity, facts } of answered) wished.set(identity, facts)
    const world = await reopen(path)
    const found = new Map<string, unknown>()
    for (const { identity, facts } of [...world.machines, ...world.volumes]) found.set(identity, facts)
    for (const [identity, facts] of wished) {
      // What was still under way may have gone on: a lost reply, never a lost effect.
      if (facts === 'Gone') t.false(found.has(identity), `${identity} came back after run ${run}`)
      else if (isDone(identity, wished)) t.deepEqual(found.get(identity), facts, `${identity} after run ${run}`)
    }
    const machines = world.machines.map(machine => machine.identity)
    t.is(new Set(machines).size, machines.length)
  }
  t.true(wished.size > 100, `only ${wished.size} answers`)
})

test('a world that is opened again is exactly as it was left', async t => {
  const path = await worldFile(t)
  const before = await build(path)
  t.true(before.machines.length === 4 && before.images.length === 1)
  t.deepEqual(await reopen(path), before)
  t.deepEqual(await reopen(path), before)
})

test('a guest on its way down and a host that boots get there after the world was opened again', async t => {
  const path = await worldFile(t)
  const timing = { GuestShutdown: 60_000, HostBoot: 60_000, DefineMachine: 0, StopMachine: 0 }
  {
    await using w = virtualWorld({ timing, store: openDurableStore(path) })
    await w.first.perform(define(w.hosts[0], 'm', { power: 'Running' }), patient())
    await w.first.perform(stop(w.hosts[0], 'm', 'Graceful'), patient())
    w.simulator.world.killHost('host-2')
    w.simulator.world.reviveHost('host-2')
    await w.simulator.world.settled()
    t.is(w.facts('m')?.powerState, 'Running')
  }
  await using again = virtualWorld({ timing, store: openDurableStore(path) })
  t.like(again.simulator.world.list(), { hosts: [{ state: 'Answering' }, { state: 'Booting' }] })
  t.is(again.facts('m')?.powerState, 'Running')
  await again.clock.advance(80_000)
  t.like(again.facts('m'), { powerState: 'Off', stopCause: 'Request' })
  t.like(again.simulator.world.list(), { hosts: [{ state: 'Answering' }, { state: 'Answering' }] })
})

test('the file is for its owner only, and for one process at a time', async t => {
  const path = await worldFile(t)
  const store = openDurableStore(path)
  t.is((await stat(path)).mode & 0o777, 0o600)
  const other = spawn(process.execPath, [child, path, '0'], { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  other.stderr.setEncoding('utf8').on('data', chunk => {
    errors += chunk
  })
  const [code] = await once(other, 'close')
  t.not(code, 0)
  t.regex(errors, /Cannot open the simulated world .*: another process has it open/)
  await store.close()
  await openDurableStore(path).close()
})

test('once the store has failed nothing more is answered, and the failure is told once', async t => {
  const failures: Error[] = []
  let full = false
  const store: WorldStore = {
    load: () => [],
    put: () => undefined,
    remove: () => undefined,
    commit: async () => {
      if (full) throw new Error('disk full')
    },
    close: async () => undefined,
  }
  await using w = virtualWorld({ store, onFailure: error => failures.push(error) })
  await w.first.perform(define(w.hosts[0], 'a'), patient())
  await w.clock.advance(0)
  const told = w.events.length
  full = true
  await t.throwsAsync(w.first.perform(define(w.hosts[0], 'b'), patient()), { code: 'Internal', message: /disk full/ })
  full = false
  await t.throwsAsync(w.first.perform(define(w.hosts[0], 'c'), patient()), { code: 'Internal' })
  await t.throwsAsync(w.first.inventory(patient()), { code: 'Internal' })
  await w.clock.advance(0)
  t.is(failures.length, 1)
  t.is(w.events.length, told)
})

test('an effect is on the disk before its answer and before its event', async t => {
  const commits: (() => void)[] = []
  const store: WorldStore = {
    load: () => [],
    put: () => undefined,
    remove: () => undefined,
    commit: () => new Promise(resolve => commits.push(resolve)),
    close: async () => undefined,
  }
  await using w = virtualWorld({ store })
  for (const committed of commits.splice(0)) committed()
  await w.clock.advance(0)
  const call = watch(w.first.perform(define(w.hosts[0], 'm'), patient()))
  await w.clock.advance(1000)
  t.is(call.outcome, 'Pending')
  t.deepEqual(w.events, [])
  for (const committed of commits.splice(0)) committed()
  await w.clock.advance(0)
  t.is(call.outcome, 'Done')
  t.is(w.events.length, 1)
})

async function worldFile(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'skystead-world-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'world.sqlite')
}

interface Answered {
  readonly identity: string
  readonly facts: unknown
}

/** Runs a child on the world and kills it that many ms after it began to work; answers with what it was answered. */
async function workUntilKilled(path: string, run: number, milliseconds: number): Promise<readonly Answered[]> {
  const process_ = spawn(process.execPath, [child, path, String(run)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const answered: Answered[] = []
  for await (const line of createInterface({ input: process_.stdout })) {
    if (!line.endsWith('}')) break
    const answer: Answered = JSON.parse(line)
    if (answer.identity !== 'ready') answered.push(answer)
    else setTimeout(() => process_.kill('SIGKILL'), milliseconds)
  }
  return answered
}

/** Whether the identity's deployment had come to its end: what is still under way may have gone on. */
function isDone(identity: string, wished: ReadonlyMap<string, unknown>): boolean {
  const [kind = '', run = '', index = ''] = identity.split('-')
  if (kind === 'volume') return wished.has(`machine-${run}-${index}`)
  return Number(index) % 3 !== 0
}

async function reopen(path: string): Promise<WorldListing> {
  await using simulator = createSimulator({ environment: realEnvironment(), store: openDurableStore(path) })
  return simulator.world.list()
}

async function build(path: string): Promise<WorldListing> {
  const environment = { clock: new VirtualClock(), random: seededRandom(1) }
  await using simulator = createSimulator({ environment, store: openDurableStore(path), timing: 'None' })
  const { driver, world } = simulator
  const [host, pool, images] = [hostEndpoint('host-1'), poolEndpoint('primary-1'), storeEndpoint('secondary-1')]
  const [machines, volumes, store] = [driver.connect(host), driver.connect(pool), driver.connect(images)]
  driver.connect(powerEndpoint(host))
  const frozen = driver.connect(hostEndpoint('host-2'))
  await volumes.perform(create(pool, 'v', { image: { url: 'sim://images/x', format: 'QCOW2' } }), patient())
  await volumes.perform(create(pool, 'w'), patient())
  const trash = { identity: 'w', epoch: 2, at: '2026-11-20T12:00:00Z' }
  await volumes.perform(operation('TrashVolume', { endpoint: pool.key, identity: 'w' }, trash), patient())
  const disks = [{ identity: 'v', pool: pool.key, name: 'root' }]
  for (const identity of ['a', 'b', 'c', 'd']) {
    const wish = definition(identity === 'a' ? { disks } : {})
    await machines.perform(define(host, identity, { definition: wish, power: 'Running', userData: 'x' }), patient())
  }
  await machines.perform(stop(host, 'b', 'Forced'), patient())
  world.changeDefinition('c', { cores: 4 })
  world.ignoreACPI('d')
  world.removeMachine('a')
  world.addForeignMachine('host-1')
  const image = { identity: 'i', mark: { installation: 'test', kind: 'PublicTemplate', name: 'x' } }
  const keep = { ...image, url: 'sim://images/x', format: 'QCOW2' }
  await store.perform(operation('StoreImage', { endpoint: images.key, identity: 'i' }, keep), patient())
  await frozen.inventory(patient())
  world.freezeHost('host-2', 'Queued')
  world.killPowerController('host-1')
  await world.settled()
  return world.list()
}
