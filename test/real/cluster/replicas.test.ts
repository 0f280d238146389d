import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { parseAllDocuments } from 'yaml'
import { realEnvironment } from '../../../cli/environment.ts'
import { projectPath } from '../../../cli/repository.ts'
import { ApiError } from '../../../controllers/api/api-error.ts'
import { type Client, createClient, type Writable } from '../../../controllers/api/client.ts'
import { kubernetesTransport } from '../../../controllers/api/kubernetes-transport.ts'
import { Lease } from '../../../controllers/api/lease.ts'
import type { Transport } from '../../../controllers/api/transport.ts'
import { readDefinitions, systemNamespace } from '../../../controllers/install.ts'
import { createLogger } from '../../../controllers/log.ts'
import { type Replica, startReplica } from '../../../controllers/sharding/replica.ts'
import { Allocation } from '../../../crds/infrastructure/allocation.ts'
import { kindOf, kinds } from '../../../crds/kinds.ts'
import { conditionOf, type Resource } from '../../../crds/meta.ts'
import { createSimulator, type Simulator } from '../../../drivers/simulator/simulator.ts'
import { builtPrograms } from '../../conformance/reference/build.ts'
import { type ReferenceServer, startReference } from '../../conformance/reference/server.ts'
import { skipped } from '../../skipped.ts'
import { quickstart } from '../../stories/cloud.ts'
import { machine } from '../../stories/manifests.ts'
import { secondZone } from '../../stories/second-zone.ts'
import { until } from '../../until.ts'
import { startController } from './controller-process.ts'

const programs = builtPrograms()
const what = 'replicas on a real Kubernetes API'
const environment = realEnvironment()
const Namespace = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false } as const

if (programs === undefined) skipped(test, what, ['the reference server: npm run test:reference builds it'])
else {
  test(`${what} share two zones; one is cut off, its zone moves within the lease, and nothing is done twice`, async t => {
    t.timeout(300_000)
    await using server = await startReference(programs)
    await sharedWorld(t, server)
  })

  test(`${what}: two processes with the rights of manifests/install; one is killed, and the other has everything`, async t => {
    t.timeout(300_000)
    await using server = await startReference(programs)
    await processes(t, server)
  })
}

/** Two replicas in this process, each with connections of its own, beside one simulated world. */
async function sharedWorld(t: ExecutionContext, server: ReferenceServer): Promise<void> {
  await using running = new AsyncDisposableStack()
  const client = clientOf(server.kubeconfig, running)
  const simulator = running.use(createSimulator({ environment }))
  const line = { isCut: false }
  const start = async (identity: string, between = (transport: Transport) => transport) => {
    const transport = between(kubernetesTransport({ kubeconfig: server.kubeconfig, environment }))
    const replica = await startReplica({
      transport,
      installation: { id: 'installation-1', isNew: true },
      environment,
      crds: readDefinitions(projectPath('manifests/crds')),
      drivers: { Simulator: simulator.driver },
      logger: createLogger({ level: 'silent', clock: environment.clock }),
      identity,
      onFailure: error => t.fail(String(error)),
    })
    running.defer(async () => {
      line.isCut = false
      await replica.stop()
      await transport.close()
    })
    return replica
  }
  const one = await start('one', through(line))
  const two = await start('two')
  await apply(client, quickstart, secondZone)
  await allReady(client)
  await until('both have something', async () => hasOne(one) && hasOne(two))
  const before = startsOf(simulator)
  line.isCut = true
  const cutAt = environment.clock.monotonic()
  await until('everything is with the other', async () => two.shards().length === 3)
  const moved = environment.clock.monotonic() - cutAt
  t.true(moved < 22_000, `moved after ${Math.round(moved)} ms: a lease, and the rounds before and after it`)
  t.deepEqual(one.shards(), [])
  await apply(client, machine('web-9'), machine('web-9').replace('zone-a', 'zone-b').replace('shop', 'shop-b'))
  await allReady(client)
  const starts = startsOf(simulator)
  t.deepEqual(starts, [...new Set(starts)])
  t.true(starts.length > before.length)
  t.log(`the zones moved after ${Math.round(moved / 100) / 10} s`)
}

async function processes(t: ExecutionContext, server: ReferenceServer): Promise<void> {
  await using running = new AsyncDisposableStack()
  const client = clientOf(server.kubeconfig, running)
  const kubectl = (...words: readonly string[]) =>
    execFileSync('kubectl', ['--kubeconfig', server.kubeconfig, ...words], { encoding: 'utf8' })
  kubectl('apply', '--server-side', '-k', projectPath('manifests/crds'))
  kubectl('apply', '-f', projectPath('manifests/install/namespace.yaml'))
  kubectl('apply', '-f', projectPath('manifests/install/rbac.yaml'))
  const token = kubectl('create', 'token', 'skystead-controllers', '-n', systemNamespace).trim()
  const kubeconfig = withToken(server.kubeconfig, token)
  const one = await startController(kubeconfig)
  running.defer(() => one.end('SIGKILL'))
  await apply(client, quickstart)
  await allReady(client)
  const two = await startController(kubeconfig)
  running.defer(() => two.end('SIGKILL'))
  await until('both have something', async () => (await holders(client)).size === 2)
  const told = execFileSync(
    process.execPath,
    [projectPath('cli/main.ts'), 'explain', 'Zone', 'zone-a', '--kubeconfig', server.kubeconfig],
    { encoding: 'utf8' },
  )
  t.regex(told, /Zone zone-a/)
  await one.end('SIGKILL')
  const killedAt = environment.clock.monotonic()
  await until('one has everything', async () => (await holders(client)).size === 1)
  const moved = environment.clock.monotonic() - killedAt
  t.true(moved < 22_000, `moved after ${Math.round(moved)} ms`)
  await two.end('SIGTERM')
  const leases = (await client.list(Lease, { namespace: systemNamespace })).items
  t.true(
    leases.every(({ spec }) => !spec?.holderIdentity),
    'who ends in peace gives everything back',
  )
  for (const { log } of [one, two]) t.notRegex(log(), /orbidden/)
  t.log(`the zones moved after ${Math.round(moved / 100) / 10} s`)
}

/** Who has shards. */
async function holders(client: Client): Promise<ReadonlySet<string>> {
  const { items } = await client.list(Lease, {
    namespace: systemNamespace,
    labelSelector: 'skystead.dev/lease=Shard',
  })
  return new Set(items.flatMap(({ spec }) => spec?.holderIdentity || []))
}

function hasOne(replica: Replica): boolean {
  return replica.shards().length > 0
}

function through(line: { readonly isCut: boolean }): (transport: Transport) => Transport {
  return transport => ({
    ...transport,
    async request(request) {
      if (line.isCut) throw new ApiError('no network', { status: 0, reason: 'Unavailable' })
      return transport.request(request)
    },
  })
}

function clientOf(kubeconfig: string, running: AsyncDisposableStack): Client {
  const transport = kubernetesTransport({ kubeconfig, environment })
  running.defer(() => transport.close())
  return createClient(transport)
}

async function apply(client: Client, ...manifests: readonly string[]): Promise<void> {
  for (const document of manifests.flatMap(manifest => parseAllDocuments(manifest))) {
    const object: Writable = document.toJS()
    const kind = object.kind === 'Namespace' ? Namespace : kindOf(object.apiVersion, object.kind)
    if (kind !== undefined) await client.apply(kind, object, { fieldManager: 'test', force: true })
  }
}

async function allReady(client: Client): Promise<void> {
  await until('everything is Ready', async () => {
    const lists = await Promise.all(kinds.filter(kind => kind !== Allocation).map(kind => client.list(kind)))
    return lists.flatMap(({ items }) => items as unknown as readonly Resource[]).every(isReady)
  })
}

function isReady(object: Resource): boolean {
  const ready = conditionOf(object, 'Ready')
  return ready?.status === 'True' && ready.observedGeneration === object.metadata.generation
}

/** What was done to make machines run, by machine. */
function startsOf(simulator: Simulator): readonly string[] {
  return simulator.world.journal
    .since(0)
    .filter(({ action, changed }) => changed && ['DefineMachine', 'StartMachine'].includes(action))
    .map(({ action, identity }) => `${action} ${identity}`)
    .toSorted()
}

/** The same cluster for another user. */
function withToken(path: string, token: string): string {
  const config = JSON.parse(readFileSync(path, 'utf8'))
  const own = { ...config, users: config.users.map(({ name }: { name: string }) => ({ name, user: { token } })) }
  writeFileSync(`${path}-controllers`, JSON.stringify(own), { mode: 0o600 })
  return `${path}-controllers`
}
