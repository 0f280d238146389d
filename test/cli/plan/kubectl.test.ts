import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import anyTest, { type ExecutionContext } from 'ava'
import { openApi } from '../../../cli/api-access.ts'
import { realEnvironment } from '../../../cli/environment.ts'
import { fieldChanges } from '../../../cli/plan/field-changes.ts'
import { type Judged, type JudgeOptions, judgeManifests } from '../../../cli/plan/judge.ts'
import { lastAppliedAnnotation } from '../../../cli/plan/kubectl-merge.ts'
import { readManifests } from '../../../cli/plan/manifests.ts'
import { keyOf, nameOf } from '../../../cli/plan/object-name.ts'
import { projectPath } from '../../../cli/repository.ts'
import type { Resource } from '../../../crds/meta.ts'
import { forgetCompiled, type Running, start } from '../command.ts'

const kubectlPath = '/usr/bin/kubectl'
/** One cloud for all: in the order in which they stand. */
const test = existsSync(kubectlPath) ? anyTest.serial : anyTest.serial.skip

const directory = mkdtempSync(join(tmpdir(), 'skystead-kubectl-plan-'))
const home = join(directory, 'home')
const binaries = join(directory, 'bin')
const elsewhere = join(directory, 'elsewhere')
const kubeconfig = join(home, 'kubeconfig')
const allowlist = ['compute.skystead.dev/v1alpha1/VirtualMachine', 'network.skystead.dev/v1alpha1/FirewallRule']
let cloud: Running

anyTest.before(async () => {
  for (const path of [binaries, elsewhere]) mkdirSync(path)
  symlinkSync(projectPath('cli/skystead'), join(binaries, 'kubectl-skystead'))
  cloud = start('up', '--home', home, '--port', '0')
  await cloud.says('Ctrl-C stops it')
})

anyTest.after.always(async () => {
  await cloud.end('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
  forgetCompiled()
})

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the real kubectl where nothing of this project is near, and nothing but the system's Node is on the PATH. */
function kubectl(...parameters: readonly string[]): Promise<Ended> {
  const env = {
    HOME: directory,
    PATH: [binaries, '/usr/bin', '/bin'].join(delimiter),
    KUBECONFIG: kubeconfig,
    KUBECACHEDIR: join(directory, 'cache'),
  }
  return new Promise(resolve => {
    execFile(kubectlPath, parameters, { env, cwd: elsewhere }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
    })
  })
}

function file(name: string, ...manifests: readonly object[]): string {
  const path = join(elsewhere, name)
  writeFileSync(path, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }))
  return path
}

function rule(name: string, spec: object, metadata: object = {}): object {
  return {
    apiVersion: 'network.skystead.dev/v1alpha1',
    kind: 'FirewallRule',
    metadata: { name, labels: { app: 'planned' }, ...metadata },
    spec: { networkName: 'web', direction: 'Egress', protocol: 'TCP', ...spec },
  }
}

function machine(name: string, spec: object, metadata: object = {}): object {
  return {
    apiVersion: 'compute.skystead.dev/v1alpha1',
    kind: 'VirtualMachine',
    metadata: { name, labels: { app: 'planned' }, ...metadata },
    spec: {
      zoneName: 'zone-a',
      serviceOfferingName: 'small',
      runStrategy: 'Halted',
      templateRef: { kind: 'PublicTemplate', name: 'tiny-linux' },
      nics: [{ name: 'web', networkName: 'web' }],
      ...spec,
    },
  }
}

/** What there is of the two kinds in the namespace, that nobody deletes. */
async function present(): Promise<ReadonlyMap<string, Resource>> {
  const { out } = await kubectl('get', 'vm,firewallrules', '-n', 'shop', '-o', 'json')
  const { items } = JSON.parse(out) as { readonly items: readonly Resource[] }
  const kept = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  return new Map(kept.map(item => [keyOf(nameOf(item)), item]))
}

function wishOf({ metadata: { labels = {}, annotations = {} }, spec }: Resource): object {
  const { [lastAppliedAnnotation]: _, ...others } = annotations
  return { metadata: { labels, annotations: others }, spec }
}

/** What differs between two presents, in the form of a plan's changes. */
function changesBetween(before: ReadonlyMap<string, Resource>, after: ReadonlyMap<string, Resource>): object[] {
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap(key => {
    const [old, next] = [before.get(key), after.get(key)]
    if (old === undefined) return [{ key, change: 'Create' }]
    if (next === undefined) return [{ key, change: 'Delete' }]
    const fields = fieldChanges(wishOf(old), wishOf(next))
    return fields.length === 0 ? [] : [{ key, change: 'Change', fields }]
  })
}

function changesOf({ edits }: Judged): object[] {
  const told = edits.map(({ object, change, fields }) => ({
    key: keyOf(object),
    change,
    ...(fields === undefined ? {} : { fields }),
  }))
  return told.sort((left, right) => (left.key < right.key ? -1 : 1))
}

async function judged(path: string, options: JudgeOptions): Promise<Judged> {
  await using access = openApi({ home }, realEnvironment())
  const { objects } = await readManifests({ filename: [path] }, { fallback: 'shop' })
  return await judgeManifests(access.client, objects, options)
}

/** Plans a file, lets kubectl apply it, and compares both. Answers with the changes. */
async function plannedAsDone(
  t: ExecutionContext,
  path: string,
  { options = {}, flags = [] }: { readonly options?: JudgeOptions; readonly flags?: readonly string[] } = {},
): Promise<readonly object[]> {
  const plan = await judged(path, options)
  const before = await present()
  const applied = await kubectl('apply', '-n', 'shop', '-f', path, ...flags)
  t.is(applied.code, plan.refused.length > 0 ? 1 : 0, `${applied.err}${JSON.stringify(plan.refused)}`)
  const changes = changesBetween(before, await present())
  t.deepEqual(changesOf(plan), changes)
  return changes
}

test('what is planned is what kubectl applies: made, changed, fields and labels left out, lists as a whole', async t => {
  const made = file('a.yaml', machine('p-1', { guestHostName: 'one' }), rule('p-1', { ports: [80, 443] }))
  t.is((await plannedAsDone(t, made)).length, 2)
  t.is((await plannedAsDone(t, made)).length, 0)
  const changed = file('a.yaml', machine('p-1', {}, { labels: { tier: 'b' } }), rule('p-1', { ports: [443] }))
  t.like(await plannedAsDone(t, changed), [
    { change: 'Change', fields: [{ path: 'spec.ports', before: [80, 443], after: [443] }] },
    {
      change: 'Change',
      fields: [{ path: 'metadata.labels.app' }, { path: 'metadata.labels.tier' }, { path: 'spec.guestHostName' }],
    },
  ])
})

test('what kubectl did not apply before it changes, and takes nothing out of it', async t => {
  const spec = { guestHostName: 'seven', nics: [{ name: 'web', networkName: 'web', macAddress: '02:00:00:00:00:07' }] }
  await kubectl('create', '-n', 'shop', '-f', file('b.yaml', machine('p-2', spec)))
  const changes = await plannedAsDone(t, file('b.yaml', machine('p-2', { serviceOfferingName: 'small' })))
  t.like(changes, [{ change: 'Change', fields: [{ path: 'spec.nics[web].macAddress', before: '02:00:00:00:00:07' }] }])
})

test('on the server side fields that the manager leaves out go, and those of others stay', async t => {
  const engine = { serverSide: { fieldManager: 'engine', force: true } }
  const flags = ['--server-side', '--field-manager=engine', '--force-conflicts']
  const spec = { guestHostName: 'three', volumes: [] }
  await plannedAsDone(t, file('c.yaml', machine('p-3', spec)), { options: engine, flags })
  await kubectl('label', '-n', 'shop', 'vm/p-3', 'owner=somebody')
  const changes = await plannedAsDone(t, file('c.yaml', machine('p-3', {})), { options: engine, flags })
  t.like(changes, [{ fields: [{ path: 'spec.guestHostName', before: 'three' }] }])
})

test('on the server side a field of another manager is refused, unless it is taken over', async t => {
  const first = ['--server-side', '--field-manager=engine']
  await kubectl('apply', '-n', 'shop', '-f', file('c.yaml', machine('p-15', {})), ...first)
  const path = file('c.yaml', machine('p-15', { runStrategy: 'Once' }))
  const options = { serverSide: { fieldManager: 'somebody', force: false } }
  const flags = ['--server-side', '--field-manager=somebody']
  t.like((await judged(path, options)).refused, [{ object: { name: 'p-15' } }])
  t.deepEqual(await plannedAsDone(t, path, { options, flags }), [])
  const forced = { serverSide: { ...options.serverSide, force: true } }
  t.is((await plannedAsDone(t, path, { options: forced, flags: [...flags, '--force-conflicts'] })).length, 1)
})

test('what kubectl applied on the client side it takes over on the server side: fields left out go at once', async t => {
  const spec = { guestHostName: 'four', serviceOfferingName: 'small', volumes: [] }
  await plannedAsDone(t, file('m.yaml', machine('p-13', spec, { labels: { app: 'planned', tier: 'a' } })))
  const options = { serverSide: { fieldManager: 'kubectl', force: false } }
  const flags = ['--server-side']
  const changes = await plannedAsDone(t, file('m.yaml', machine('p-13', {})), { options, flags })
  t.like(changes, [{ fields: [{ path: 'metadata.labels.tier' }, { path: 'spec.guestHostName', before: 'four' }] }])
  t.deepEqual(await plannedAsDone(t, file('m.yaml', machine('p-13', {})), { options, flags }), [])
  const again = await plannedAsDone(t, file('m.yaml', machine('p-13', { guestHostName: 'five' })), { options, flags })
  t.is(again.length, 1)
  t.is((await plannedAsDone(t, file('m.yaml', machine('p-13', {})), { options, flags })).length, 1)
})

test('Flux takes over what kubectl wrote beside it, and leaves what others did', async t => {
  const spec = { guestHostName: 'six' }
  const path = file('n.yaml', machine('p-14', {}))
  await kubectl('apply', '-n', 'shop', '--server-side', '--field-manager=kustomize-controller', '-f', path)
  await kubectl('patch', '-n', 'shop', 'vm/p-14', '--type=merge', '-p', JSON.stringify({ spec }))
  await kubectl('label', '-n', 'shop', 'vm/p-14', 'owner=somebody', '--field-manager=somebody')
  const { edits } = await judged(path, { serverSide: { fieldManager: 'kustomize-controller', force: true } })
  t.like(edits, [{ change: 'Change', fields: [{ path: 'spec.guestHostName', before: 'six' }] }])
  t.is(edits[0]?.fields?.length, 1)
})

test('a field that does not exist is refused, as kubectl refuses it', async t => {
  const path = file('d.yaml', rule('p-4', { portz: [80] }))
  t.regex((await judged(path, {})).refused[0]?.message ?? '', /portz/)
  t.deepEqual(await plannedAsDone(t, path), [])
})

test('what is pruned is what kubectl prunes: applied before, with the labels, and without a manifest', async t => {
  const keep = rule('p-5', { ports: [1] })
  await kubectl('apply', '-n', 'shop', '-f', file('e.yaml', keep, rule('p-6', { ports: [2] }), machine('p-7', {})))
  await kubectl('create', '-n', 'shop', '-f', file('f.yaml', rule('p-8', { ports: [3] })))
  const flags = ['--prune', '-l', 'app=planned', ...allowlist.map(name => `--prune-allowlist=${name}`)]
  const options = { prune: { selector: 'app=planned', allowlist } }
  const changes = await plannedAsDone(t, file('e.yaml', keep), { options, flags })
  t.deepEqual(changes, [
    { key: 'FirewallRule shop/p-1', change: 'Delete' },
    { key: 'FirewallRule shop/p-6', change: 'Delete' },
    { key: 'VirtualMachine shop/p-13', change: 'Delete' },
    { key: 'VirtualMachine shop/p-2', change: 'Delete' },
    { key: 'VirtualMachine shop/p-7', change: 'Delete' },
  ])
})

test('nothing is pruned while a manifest is refused, and kubectl prunes nothing then', async t => {
  const path = file('g.yaml', rule('p-5', { ports: [1] }), rule('p-9', { direction: 'Sideways' }))
  await kubectl('apply', '-n', 'shop', '-f', file('h.yaml', rule('p-10', { ports: [4] })))
  const flags = ['--prune', '-l', 'app=planned', ...allowlist.map(name => `--prune-allowlist=${name}`)]
  const options = { prune: { selector: 'app=planned', allowlist } }
  t.true((await judged(path, options)).isPruningHeld)
  t.deepEqual(await plannedAsDone(t, path, { options, flags }), [])
})

test('of a GitOps engine pruned is what it applied itself, in any namespace, but what it is told to keep', async t => {
  const engine = ['--server-side', '--field-manager=kustomize-controller', '--force-conflicts']
  const kept = { annotations: { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' }, labels: { app: 'flux' } }
  const manifests = [rule('f-1', { ports: [1] }, { labels: { app: 'flux' } }), rule('f-2', { ports: [2] }, kept)]
  await kubectl('apply', '-n', 'shop', ...engine, '-f', file('i.yaml', ...manifests))
  await kubectl('apply', '-n', 'shop', '-f', file('j.yaml', rule('f-3', { ports: [3] }, { labels: { app: 'flux' } })))
  const zone = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'elsewhere' } }
  const options = {
    serverSide: { fieldManager: 'kustomize-controller', force: true },
    prune: { selector: 'app=flux' },
  }
  const plan = await judged(file('k.yaml', zone), options)
  t.like(plan.edits, [{ change: 'Create' }, { object: { name: 'f-1' }, change: 'Delete', isPruned: true }])
  t.is(plan.edits.length, 2)
})

test('kubectl skystead plan: from any directory, under any Node of the system, with the flags of kubectl', async t => {
  const path = file('l.yaml', machine('p-11', {}))
  const flags = ['--kubeconfig', kubeconfig, '--context', 'skystead', '-n', 'shop']
  const plan = await kubectl('skystead', 'plan', '-f', path, ...flags, '-o', 'json')
  t.is(plan.code, 2, plan.err)
  t.like(JSON.parse(plan.out), { changes: [{ object: { namespace: 'shop', name: 'p-11' }, change: 'Create' }] })
  const wrong = await kubectl('skystead', 'plan', '-f', path, '--context', 'nowhere')
  t.is(wrong.code, 1)
  t.regex(wrong.err, /^skystead: Cannot use kubeconfig .*: it has no context nowhere\n/)
})

test('a kustomization is rendered by kubectl, and told apart from a directory of manifests', async t => {
  const tree = join(elsewhere, 'tree')
  mkdirSync(tree)
  writeFileSync(join(tree, 'a.yaml'), JSON.stringify(rule('p-12', { ports: [5] })))
  writeFileSync(join(tree, 'kustomization.yaml'), 'resources: [a.yaml]\nnamespace: shop\nnameSuffix: -blue\n')
  const { objects } = await readManifests({ kustomize: tree }, { fallback: 'default' })
  t.deepEqual(objects.map(nameOf), [{ kind: 'FirewallRule', namespace: 'shop', name: 'p-12-blue' }])
  await t.throwsAsync(readManifests({ filename: [tree] }, { fallback: 'default' }), {
    message: /with -k instead of -f/,
  })
  const nowhere = readManifests({ kustomize: join(tree, 'nowhere') }, { fallback: 'default' })
  await t.throwsAsync(nowhere, { message: /^Cannot render .*nowhere: must build at directory/ })
})
