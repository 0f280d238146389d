import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest from 'ava'
import { openApi } from '../../cli/api-access.ts'
import { realEnvironment } from '../../cli/environment.ts'
import { askControllers } from '../../cli/query-client.ts'
import { projectPath } from '../../cli/repository.ts'
import type { ObservedWorld } from '../../controllers/query/observed.ts'
import type { WorldListing } from '../../drivers/simulator/world-listing.ts'
import { type Ended, forgetCompiled, type Running, run, start } from './command.ts'

/** One cloud for all: in the order in which they stand. */
const test = anyTest.serial

const directory = mkdtempSync(join(tmpdir(), 'skystead-cli-'))
const home = join(directory, 'home')
let cloud: Running
/** What the start of `cloud` told: the ports of the API and of the metrics. */
let ports: { readonly api: string; readonly metrics: string }

anyTest.before(async () => {
  cloud = start('up', '--home', home, '--port', '0')
  await cloud.says('Ctrl-C stops it')
  const [api = '', metrics = ''] = Array.from(cloud.out().matchAll(/127\.0\.0\.1:(\d+)/g), match => match[1])
  ports = { api, metrics }
})

anyTest.after.always(async () => {
  await cloud.end('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
  forgetCompiled()
})

/** The only line of a command that failed. */
function complaint({ code, err }: Ended): string {
  return code === 1 && /^[^\n]+\n$/.test(err) ? err.trim() : `exit code ${code}, standard error: ${err}`
}

async function world(): Promise<WorldListing> {
  return JSON.parse((await run('sim', 'list', '--home', home, '-o', 'json')).out)
}

function identities({ machines, volumes }: WorldListing): readonly string[] {
  return [...machines, ...volumes].map(({ identity }) => identity).sort()
}

test('the start tells that it is ready, each object as it becomes so, and what to try', t => {
  const lines = cloud.out().split('\n')
  t.is(lines[0], 'skystead ready')
  t.true(lines.includes('ready    VirtualMachine shop/web-1'))
  t.true(lines.includes('ready    NetworkOffering default-isolated-source-nat'))
  t.true(lines.includes(`  export KUBECONFIG=${join(home, 'kubeconfig')}`))
  t.is(cloud.out().includes('\u001b'), false)
})

test('the kubeconfig is complete, and for its owner only', t => {
  t.is(statSync(join(home, 'kubeconfig')).mode & 0o777, 0o600)
  t.regex(readFileSync(join(home, 'kubeconfig'), 'utf8'), new RegExp(`127\\.0\\.0\\.1:${ports.api}`))
})

test('status shows the tree of the example to people', async t => {
  const { code, out } = await run('status', '--home', home)
  t.is(code, 0)
  t.regex(out, /^✓ zone zone-a/)
  t.regex(out, /machine shop\/web-1 {2}Running {2}10\.1\.1\.\d+\n/)
  t.regex(out, /All \d+ objects are Ready\.\n$/)
})

test('status tells programs the same as JSON, by a kubeconfig', async t => {
  const { out } = await run('status', '--kubeconfig', join(home, 'kubeconfig'), '-o', 'json')
  const status = JSON.parse(out)
  t.deepEqual(status.unready, [])
  t.is(status.objects, status.ready)
  t.deepEqual(
    status.tree.map(({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`),
    ['Zone zone-a'],
  )
})

test('the controllers tell what they observe: every endpoint, with time and inventory, and no user data', async t => {
  const environment = realEnvironment()
  await using access = openApi({ home }, environment)
  const [told] = await askControllers<ObservedWorld>(access, '/observed', environment)
  const { machines, hosts } = await world()
  const seen = (told?.endpoints ?? []).flatMap(({ inventory }) =>
    inventory?.type === 'Host' ? inventory.machines : [],
  )
  t.deepEqual(seen.map(({ identity }) => identity).sort(), machines.map(({ identity }) => identity).sort())
  t.is(told?.endpoints.filter(({ endpoint }) => endpoint.key.startsWith('Host/')).length, hosts.length)
  t.true(told?.endpoints.every(({ state, listedAt }) => state.answers === 'Yes' && listedAt !== undefined))
  t.false(JSON.stringify(told).includes('#cloud-config'))
})

test('plan: nothing for the example itself, and a machine that is to be halted stops', async t => {
  const nothing = await run('plan', '--home', home, '-f', projectPath('manifests/quickstart'))
  t.is(nothing.code, 0)
  t.regex(nothing.out, /^Nothing would change \(21 unchanged\)/)
  const edited = readFileSync(projectPath('manifests/quickstart/quickstart.yaml'), 'utf8').replace(
    '  nics: [{name: web, networkName: web}]\n---',
    '  runStrategy: Halted\n  nics: [{name: web, networkName: web}]\n---',
  )
  const file = join(directory, 'edited.yaml')
  writeFileSync(file, edited)
  const planned = await run('plan', '--home', home, '-f', file, '-o', 'json')
  t.is(planned.code, 2)
  const plan = JSON.parse(planned.out)
  t.like(plan.operations, [{ verb: 'StopMachine', object: { kind: 'VirtualMachine', name: 'web-1' } }])
  t.like(plan.expected, { modelled: ['StopMachine'] })
  t.regex(complaint(await run('plan', '--home', home, '-f', join(directory, 'none.yaml'))), /there is no such file/)
})

test('sim list shows hosts, machines, disks and storages', async t => {
  const { code, out } = await run('sim', 'list', '--home', home)
  t.is(code, 0)
  t.regex(out, /^HOST {2,}ADDRESS {2,}POWER/)
  t.regex(out, /shop\/web-2 +Instance +host-[12] +Running/)
  t.regex(out, /shop\/web-2-data +sim:\/\/primary-1 +20Gi +shop\/web-2/)
})

test('a fault is scripted, listed and taken back', async t => {
  const add = await run('sim', 'fault', 'add', '--effect', 'Fail', '--verb', 'CreateImage', '--home', home)
  t.regex(complaint(add), /verb is CreateImage, not one of/)
  const parameters = ['--effect', 'Delay', '--endpoint', 'nowhere', '--milliseconds', '5', '--times', 'always']
  t.is((await run('sim', 'fault', 'add', ...parameters, '--home', home)).code, 0)
  t.regex((await run('sim', 'fault', 'list', '--home', home)).out, /^Delay {2}endpoint nowhere/)
  t.is((await run('sim', 'fault', 'clear', '--home', home)).code, 0)
  t.is((await run('sim', 'fault', 'list', '--home', home)).out, 'No fault is scripted.\n')
})

test('the world is told to keep its invariants, and how often it was called', async t => {
  t.is((await run('sim', 'invariants', '--home', home)).out, 'No invariant was breached since the start.\n')
  const counters = JSON.parse((await run('sim', 'counters', '--home', home, '-o', 'json')).out)
  t.true(counters.changingOperations > 0)
})

test('what the simulated world does not have is named', async t => {
  const ended = await run('sim', 'kill-host', 'host-9', '--home', home)
  t.is(complaint(ended), 'skystead: Cannot find host host-9 in the simulated world')
})

test('there is nothing to rebind in a cloud without conflicts', async t => {
  const { code, out } = await run('adopt', '--rebind', '--home', home)
  t.deepEqual({ code, out }, { code: 0, out: 'No object is in IdentityConflict: there is nothing to rebind.\n' })
})

test('a second start on a home in use is refused in one line', async t => {
  const ended = await run('up', '--home', home, '--port', '0')
  t.is(complaint(ended), `skystead: Cannot use the home ${home}: another skystead is running there`)
})

test('a taken port is refused in one line, that of the API as that of the metrics', async t => {
  const other = join(directory, 'other')
  const [api, metrics] = await Promise.all([
    run('up', '--home', `${other}-1`, '--port', ports.api),
    run('up', '--home', `${other}-2`, '--port', '0', '--metrics-port', ports.metrics),
  ])
  t.is(complaint(api), `skystead: Cannot listen on 127.0.0.1:${ports.api}: the port is in use`)
  t.regex(complaint(metrics), new RegExp(`^skystead: Cannot serve metrics and health on 127.0.0.1:${ports.metrics}:`))
})

test('a home that cannot be used is refused in one line', async t => {
  const file = join(directory, 'file')
  writeFileSync(file, '')
  const notDirectory = await run('up', '--home', file, '--port', '0')
  t.is(complaint(notDirectory), `skystead: Cannot use the home ${file}: it is not a directory`)
  const long = join(directory, 'x'.repeat(120))
  t.regex(complaint(await run('up', '--home', long, '--port', '0')), /at most 107 are possible; choose a shorter one$/)
  t.false(existsSync(long))
})

test('a kubeconfig that cannot be used is refused in one line', async t => {
  const broken = join(directory, 'broken')
  writeFileSync(broken, 'clusters: [')
  const [unreadable, missing, homeless] = await Promise.all([
    run('controller', '--kubeconfig', broken),
    run('controller', '--kubeconfig', join(directory, 'missing')),
    run('status', '--home', join(directory, 'nothing')),
  ])
  t.regex(complaint(unreadable), /^skystead: Cannot use kubeconfig .*: it is not a kubeconfig in YAML or JSON$/)
  t.regex(complaint(missing), /^skystead: Cannot read kubeconfig .*: there is no such file$/)
  t.regex(complaint(homeless), /^skystead: Cannot find a cloud: .*kubeconfig does not exist; start one with/)
})

test('without a simulator running, sim says so', async t => {
  const ended = await run('sim', 'list', '--home', join(directory, 'nothing'))
  t.regex(complaint(ended), /^skystead: Cannot reach the simulator of .*: nothing runs there; start it with/)
})

test('an interrupt ends it with 0, and the next start carries on where it was', async t => {
  const before = identities(await world())
  const { code, out, err } = await cloud.end('SIGINT')
  t.is(code, 0, err)
  t.regex(out, /skystead is stopping \.\.\.\n$/)
  cloud = start('up', '--home', home, '--port', '0')
  await cloud.says('Ctrl-C stops it')
  t.deepEqual(identities(await world()), before)
})

test('watching tells of changes, and of an API that goes away', async t => {
  const watching = start('status', '--watch', '--home', home)
  await watching.says('objects are Ready.')
  t.is((await run('sim', 'freeze-host', 'host-1', '--home', home)).code, 0)
  t.is((await run('sim', 'kill-host', 'host-1', '--home', home)).code, 0)
  await watching.says('Host host-1  HostSilent')
  await cloud.end('SIGTERM')
  await watching.says('The API does not answer.')
  const { code, err } = await watching.end('SIGINT')
  t.is(code, 0, err)
})
