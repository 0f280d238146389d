import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { parseAllDocuments } from 'yaml'
import { realEnvironment } from '../../../cli/environment.ts'
import { projectPath } from '../../../cli/repository.ts'
import { Namespace } from '../../../controllers/api/built-in-kinds.ts'
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
import { createSimulator } from '../../../drivers/simulator/simulator.ts'
import { forgetCompiled, type Running, start as startCommand } from '../../cli/command.ts'
import { builtPrograms } from '../../conformance/reference/build.ts'
import { type ReferenceServer, startReference } from '../../conformance/reference/server.ts'
import { skipped } from '../../skipped.ts'
import { quickstart } from '../../stories/cloud.ts'
import { cutNetwork } from '../../stories/cut-network.ts'
import { startsOf } from '../../stories/machine-starts.ts'
import { machine } from '../../stories/manifests.ts'
import { secondZone } from '../../stories/second-zone.ts'
import { until } from '../../until.ts'

const programs = builtPrograms()
const what = 'replicas on a real Kubernetes API'
const environment = realEnvironment()
test.after.always(forgetCompiled)

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
  const network = cutNetwork()
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
      network.isCut = false
      await replica.stop()
      await transport.close()
    })
    return replica
  }
  const one = await start('one', network.through)
  const two = await start('two')
  await apply(client, quickstart, secondZone)
  await allReady(client)
  await until('both have something', async () => hasOne(one) && hasOne(two))
  const before = startsOf(simulator)
  network.isCut = true
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
  const one = await startReplicaProcess(kubeconfig, running)
  await apply(client, quickstart)
  await allReady(client)
  const two = await startReplicaProcess(kubeconfig, running)
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
  for (const { err } of [one, two]) t.notRegex(err(), /orbidden/)
  t.log(`the zones moved after ${Math.round(moved / 100) / 10} s`)
}

/** `skystead controller` as a process of its own; resolves once it is ready. */
async function startReplicaProcess(kubeconfig: string, running: AsyncDisposableStack): Promise<Running> {
  const replica = startCommand('controller', '--kubeconfig', kubeconfig, '--metrics-port', '0')
  running.defer(async () => {
    await replica.end('SIGKILL')
  })
  await replica.says('skystead ready')
  return replica
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

/** The same cluster for another user. */
function withToken(path: string, token: string): string {
  const config = JSON.parse(readFileSync(path, 'utf8'))
  const own = { ...config, users: config.users.map(({ name }: { name: string }) => ({ name, user: { token } })) }
  writeFileSync(`${path}-controllers`, JSON.stringify(own), { mode: 0o600 })
  return `${path}-controllers`
}
