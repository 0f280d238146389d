import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test, { type ExecutionContext } from 'ava'
import { thing, thingDefinition } from './harness.ts'
import { serveForTest } from './serving.ts'

const kubectlPath = '/usr/bin/kubectl'
const withKubectl = existsSync(kubectlPath) ? test : test.skip

interface Result {
  readonly code: number
  readonly out: string
  readonly err: string
}

type Kubectl = (line: string, input?: unknown) => Promise<Result>

/** Runs the real kubectl against a server of its own; `%` in a line stands for a file with the input. */
async function startKubectl(
  t: ExecutionContext,
): Promise<Kubectl & { spawn: (line: string) => AsyncIterable<string> }> {
  const server = await serveForTest(t)
  const directory = mkdtempSync(join(tmpdir(), 'skystead-kubectl-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const base = ['--kubeconfig', server.kubeconfigPath, '--cache-dir', join(directory, 'cache')]
  let files = 0
  const run: Kubectl = (line, input) => {
    const file = join(directory, `input-${++files}.yaml`)
    if (input !== undefined) writeFileSync(file, typeof input === 'string' ? input : JSON.stringify(input))
    const args = line.split(' ').map(word => (word === '%' ? file : word))
    return new Promise(resolve => {
      const env = { ...process.env, KUBE_EDITOR: 'sed -i s/size:.5/size:\\ 6/' }
      execFile(kubectlPath, [...args, ...base], { env }, (error, out, err) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: out.trim(), err: err.trim() })
      })
    })
  }
  const stream = (line: string) => {
    const child = spawn(kubectlPath, [...line.split(' '), ...base], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => void child.kill())
    return createInterface({ input: child.stdout })
  }
  return Object.assign(run, { spawn: stream })
}

async function startWithThings(t: ExecutionContext) {
  const kubectl = await startKubectl(t)
  const applied = await kubectl('apply -f %', thingDefinition())
  t.is(applied.out, 'customresourcedefinition.apiextensions.k8s.io/things.example.dev created')
  const waited = await kubectl('wait --for=condition=Established crd/things.example.dev --timeout=10s')
  t.is(waited.out, 'customresourcedefinition.apiextensions.k8s.io/things.example.dev condition met')
  return kubectl
}

withKubectl('kubectl applies on the client side, again, changed, and sees no difference after', async t => {
  const kubectl = await startWithThings(t)
  t.is((await kubectl('apply -f %', thing('a', { size: 1 }))).out, 'thing.example.dev/a created')
  t.is((await kubectl('apply -f %', thing('a', { size: 1 }))).out, 'thing.example.dev/a unchanged')
  t.is((await kubectl('diff -f %', thing('a', { size: 1 }))).code, 0)
  const differing = await kubectl('diff -f %', thing('a', { size: 2 }))
  t.is(differing.code, 1)
  t.true(differing.out.includes('+  size: 2'))
  t.is((await kubectl('apply -f %', thing('a', { size: 2 }))).out, 'thing.example.dev/a configured')
  t.is((await kubectl('get thing a -o jsonpath={.spec.size}/{.spec.mode}/{.metadata.generation}')).out, '2/Fast/2')
})

withKubectl('kubectl applies on the server side and hears of conflicts', async t => {
  const kubectl = await startWithThings(t)
  t.is(
    (await kubectl('apply --server-side -f %', thing('a', { size: 1 }))).out,
    'thing.example.dev/a serverside-applied',
  )
  const { code, err } = await kubectl('apply --server-side --field-manager=other -f %', thing('a', { size: 2 }))
  t.is(code, 1)
  t.true(err.includes('Apply failed with 1 conflict: conflict with "kubectl": .spec.size'), err)
  const forced = await kubectl(
    'apply --server-side --force-conflicts --field-manager=other -f %',
    thing('a', { size: 2 }),
  )
  t.is(forced.out, 'thing.example.dev/a serverside-applied')
  t.is((await kubectl('diff --server-side --field-manager=other -f %', thing('a', { size: 2 }))).code, 0)
})

withKubectl('an apply on the client side can be carried on on the server side', async t => {
  const kubectl = await startWithThings(t)
  await kubectl('apply -f %', thing('a', { size: 1, mode: 'Slow' }))
  t.is(
    (await kubectl('apply --server-side -f %', thing('a', { size: 1 }))).out,
    'thing.example.dev/a serverside-applied',
  )
  t.is((await kubectl('get thing a -o jsonpath={.spec.mode}')).out, 'Fast', 'a field that was left out is given up')
})

withKubectl('kubectl prints tables, explains, describes and lists what there is', async t => {
  const kubectl = await startWithThings(t)
  await kubectl('apply -f %', thing('a', { size: 7 }, { labels: { app: 'web' } }))
  const table = (await kubectl('get things')).out.split('\n').map(line => line.split(/ +/))
  t.deepEqual(table[0], ['NAME', 'SIZE', 'AGE'])
  t.deepEqual(table[1]?.slice(0, 2), ['a', '7'])
  t.true((await kubectl('get things -o wide -A')).out.includes('default'))
  t.true((await kubectl('get samples')).out.includes('a'))
  t.true((await kubectl('get th -l app=web -o name')).out.includes('thing.example.dev/a'))
  t.is((await kubectl('get th --field-selector=spec.mode=Slow -o name')).out, '')
  t.true((await kubectl('explain things.spec.size')).out.includes('Size in centimetres.'))
  t.true((await kubectl('explain namespace.metadata.labels')).out.includes('map[string]string'))
  const described = (await kubectl('describe thing a')).out
  t.true(described.includes('API Version:  example.dev/v1') && described.includes('Events:  <none>'), described)
  const resources = (await kubectl('api-resources --api-group=example.dev')).out
  t.regex(resources, /things\s+th\s+example\.dev\/v1\s+true\s+Thing/)
})

withKubectl('kubectl labels, annotates, patches and deletes', async t => {
  const kubectl = await startWithThings(t)
  await kubectl('apply -f %', thing('a'))
  t.is((await kubectl('label thing a app=web')).out, 'thing.example.dev/a labeled')
  t.is((await kubectl('annotate thing a note=yes')).out, 'thing.example.dev/a annotated')
  t.is((await kubectl('patch thing a --type=merge -p {"spec":{"size":3}}')).out, 'thing.example.dev/a patched')
  const replace = '[{"op":"replace","path":"/spec/size","value":4}]'
  t.is((await kubectl(`patch thing a --type=json -p ${replace}`)).out, 'thing.example.dev/a patched')
  const status = 'patch thing a --subresource=status --type=merge -p {"status":{"ready":true}}'
  t.is((await kubectl(status)).out, 'thing.example.dev/a patched')
  t.is(
    (await kubectl('wait --for=jsonpath={.status.ready}=true thing/a --timeout=10s')).out,
    'thing.example.dev/a condition met',
  )
  t.is((await kubectl('get thing a -o jsonpath={.spec.size}{.metadata.labels.app}{.status.ready}')).out, '4webtrue')
  t.is((await kubectl('delete thing a')).out, 'thing.example.dev "a" deleted')
  t.true((await kubectl('get thing a')).err.includes('Error from server (NotFound): things.example.dev "a" not found'))
})

withKubectl('kubectl creates built-in kinds, which it sends in protobuf', async t => {
  const kubectl = await startKubectl(t)
  t.is((await kubectl('create namespace team')).out, 'namespace/team created')
  t.is((await kubectl('create configmap c -n team --from-literal=x=1')).out, 'configmap/c created')
  t.is((await kubectl('create secret generic s -n team --from-literal=p=hunter2')).out, 'secret/s created')
  t.is((await kubectl('create serviceaccount robot -n team')).out, 'serviceaccount/robot created')
  t.is((await kubectl('get configmap c -n team -o jsonpath={.data.x}')).out, '1')
  t.is((await kubectl('get secret s -n team -o jsonpath={.data.p}')).out, Buffer.from('hunter2').toString('base64'))
  t.is((await kubectl('create configmap d -n team --dry-run=server')).out, 'configmap/d created (server dry run)')
  t.true((await kubectl('get configmap d -n team')).err.includes('not found'))
  t.is((await kubectl('auth can-i delete secrets')).out, 'yes')
  t.true((await kubectl('auth whoami')).out.includes('skystead-admin'))
  t.is((await kubectl('delete namespace team')).out, 'namespace "team" deleted')
  t.true((await kubectl('get configmap c -n team')).err.includes('not found'))
})

withKubectl('kubectl refuses wrong manifests with the field', async t => {
  const kubectl = await startWithThings(t)
  const unknown = await kubectl('apply -f %', thing('a', { size: 1, colour: 'red' }))
  t.true(unknown.err.includes('strict decoding error: unknown field "spec.colour"'), unknown.err)
  const small = await kubectl('apply -f %', thing('a', { size: 0 }))
  t.true(
    small.err.includes(
      'The Thing "a" is invalid: spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
    ),
    small.err,
  )
  const ignored = await kubectl('apply --validate=ignore -f %', thing('a', { size: 1, colour: 'red' }))
  t.is(ignored.out, 'thing.example.dev/a created')
  const early = await kubectl('apply -f %', { ...thing('a'), kind: 'Nothing' })
  t.true(
    early.err.includes('no matches for kind "Nothing"') && early.err.includes('ensure CRDs are installed first'),
    early.err,
  )
})

withKubectl('kubectl watches', async t => {
  const kubectl = await startWithThings(t)
  await kubectl('apply -f %', thing('a', { size: 1 }))
  const sizes: string[] = []
  const lines = kubectl.spawn('get things --watch --no-headers')
  for await (const line of lines) {
    sizes.push(line.split(/ +/)[1] ?? '')
    if (sizes.length === 1) void kubectl('patch thing a --type=merge -p {"spec":{"size":2}}')
    if (sizes.length === 2) break
  }
  t.deepEqual(sizes, ['1', '2'])
})

withKubectl('kubectl deletes with finalizers and waits for the end', async t => {
  const kubectl = await startWithThings(t)
  await kubectl('apply -f %', thing('a', { size: 1 }, { finalizers: ['x.dev/one'] }))
  const deleting = kubectl('delete thing a --timeout=20s')
  t.is((await kubectl('wait --for=jsonpath={.metadata.deletionGracePeriodSeconds}=0 thing/a --timeout=10s')).code, 0)
  t.is((await kubectl('patch thing a --type=merge -p {"metadata":{"finalizers":null}}')).code, 0)
  t.is((await deleting).out, 'thing.example.dev "a" deleted')
  t.is((await kubectl('delete crd things.example.dev')).code, 0)
  t.true((await kubectl('get things')).err.length > 0)
})

withKubectl('kubectl replaces and edits', async t => {
  const kubectl = await startWithThings(t)
  await kubectl('create -f %', thing('a', { size: 1 }))
  t.is((await kubectl('replace -f %', thing('a', { size: 5 }))).out, 'thing.example.dev/a replaced')
  t.is((await kubectl('edit thing a')).out, 'thing.example.dev/a edited')
  t.is((await kubectl('get thing a -o jsonpath={.spec.size}')).out, '6')
  const [, , version = ''] = (await kubectl('version')).out.split('\n')
  t.is(version, 'Server Version: v1.36.3+skystead')
  t.is((await kubectl('get things --chunk-size=1 -o name')).out, 'thing.example.dev/a')
})
