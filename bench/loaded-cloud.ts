/** Loads one cloud and measures on it whatever was asked for: the burst itself, single machines, repair, rest, restart, lists. */
import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createClient } from '../controllers/api/client.ts'
import type { Transport } from '../controllers/api/transport.ts'
import { VirtualMachine } from '../crds/compute/virtual-machine.ts'
import { isTrue } from '../crds/meta.ts'
import { measureBurst } from './burst.ts'
import { LargeCloud, machine, machinesPerNetwork } from './large-cloud.ts'
import { benchRequest, type Figures, percentile, secondsOf, sizeOf, tellFinding, until } from './measurement.ts'
import { detailsOf, sumOf, writesBetween } from './writes.ts'

const run = promisify(execFile)
const request = benchRequest()
const size = { hosts: sizeOf(request, 'hosts'), machines: sizeOf(request, 'machines') }
/** How many guests are destroyed behind our back. */
const repairs = 20
/** What is written for a machine and its parts; what its host and network write is not its own. */
const machinePlurals = ['virtualmachines', 'volumes', 'allocations']
/** kubectl's answer for 10,000 machines is about a megabyte. */
const maxBuffer = 2 ** 28

let settledVersion: number | undefined
await using cloud = await LargeCloud.start()
const burst = await measureBurst(cloud, size, sizeOf(request, 'burstQuietSeconds') * 1000)
tellFinding({ name: 'burst', size, figures: burst })
await measure('single', measureSingles)
await measure('repair', measureRepair)
await measure('steady', measureSteady)
await measure('restart', measureRestart)
await measure('list', measureLists)

async function measure(name: string, figures: () => Promise<Figures | undefined>): Promise<void> {
  if (!request.only.includes(name)) return
  const found = await figures()
  if (found !== undefined) tellFinding({ name, size, figures: found })
}

function isReady(name: string, namespace: string): boolean {
  const object = cloud.plane.engine.desired.get(VirtualMachine, `${namespace}/${name}`)
  return object !== undefined && isTrue(object, 'Ready')
}

async function measureSingles(): Promise<Figures> {
  const transport = cloud.outside()
  const client = createClient(transport)
  const tenants = Math.ceil(size.machines / machinesPerNetwork)
  const samples: { readonly created: number; readonly ready: number }[] = []
  const singles = sizeOf(request, 'singles')
  const before = cloud.writes.all()
  for (let index = 0; index < singles; index++) {
    const name = `single-${index}`
    const namespace = `tenant-${index % tenants}`
    const manifest = { ...machine(0), metadata: { name, namespace } }
    const began = performance.now()
    await client.create(VirtualMachine, manifest)
    const created = performance.now() - began
    await until(`${name} is Ready`, () => isReady(name, namespace), { every: 1 })
    samples.push({ created, ready: performance.now() - began })
  }
  await transport.close()
  const writes = writesBetween(before, cloud.writes.all())
  const ready = samples.map(sample => sample.ready)
  const created = samples.map(sample => sample.created)
  return {
    readyP50Ms: percentile(ready, 50),
    readyP99Ms: percentile(ready, 99),
    createdP50Ms: percentile(created, 50),
    createdP99Ms: percentile(created, 99),
    // One more for the manifest itself.
    writesPerMachine: sumOf(writes, machinePlurals) / singles + 1,
    ...detailsOf(writes),
  }
}

async function measureRepair(): Promise<Figures> {
  const { world } = cloud.simulator
  const samples: number[] = []
  const { observed, desired } = cloud.plane.engine
  for (const [index, { metadata }] of [...desired.all(VirtualMachine)].entries()) {
    if (index === repairs) break
    const isRunning = () => observed.machines(metadata.uid).some(({ facts }) => facts.powerState === 'Running')
    const { changingOperations } = world.counters()
    const isMended = () => world.counters().changingOperations > changingOperations && isRunning()
    const began = performance.now()
    world.destroyMachine(metadata.uid)
    await until('the guest runs again', isMended, { every: 1 })
    samples.push(performance.now() - began)
  }
  return {
    repairedP50Ms: percentile(samples, 50),
    repairedP99Ms: percentile(samples, 99),
    violations: world.invariants().length,
  }
}

async function measureSteady(): Promise<Figures> {
  const seconds = sizeOf(request, 'steadySeconds')
  await settle()
  const before = await state()
  const cpuBefore = process.cpuUsage()
  const began = performance.now()
  await pause(seconds * 1000)
  const { user, system } = process.cpuUsage(cpuBefore)
  const cpuPercent = (user + system) / 10 / (performance.now() - began)
  return { ...(await since(before)), cpuPercent, seconds, memoryMiB: process.memoryUsage.rss() / 2 ** 20 }
}

async function measureRestart(): Promise<Figures> {
  await settle()
  const before = await state()
  await cloud.stopAll()
  let serverSeconds = 0
  let controllersSeconds = 0
  const steadySeconds = await secondsOf(async () => {
    serverSeconds = await secondsOf(() => cloud.startServer())
    controllersSeconds = await secondsOf(() => cloud.startControllers())
    await until('the queue is empty', queueIsEmpty, { every: 50 })
  })
  await pause(sizeOf(request, 'watchSeconds') * 1000)
  return { steadySeconds, serverSeconds, controllersSeconds, ...(await since(before)) }
}

async function measureLists(): Promise<Figures | undefined> {
  if (!(await hasKubectl())) {
    process.stderr.write('skipped: list (kubectl is not installed)\n')
    return undefined
  }
  const machines = cloud.plane.engine.desired.count(VirtualMachine)
  const transport = cloud.outside()
  let bytes = 0
  const rawSeconds = await secondsOf(async () => {
    const path = `/apis/${VirtualMachine.apiVersion}/${VirtualMachine.plural}`
    const { body } = await transport.request({ method: 'GET', path })
    bytes = body.byteLength
  })
  let pages = 0
  const tableSeconds = await secondsOf(async () => {
    pages = await readTable(transport)
  })
  await transport.close()
  const flags = ['--kubeconfig', cloud.api.kubeconfigPath, '--cache-dir', `${cloud.home}/kubectl-cache`]
  const kubectl = () => run('kubectl', [...flags, 'get', 'vm', '-A', '--no-headers'], { maxBuffer })
  const kubectlFirstSeconds = await secondsOf(async () => void (await kubectl()))
  let shown = 0
  const kubectlSeconds = await secondsOf(async () => {
    shown = (await kubectl()).stdout.trimEnd().split('\n').length
  })
  const missing = machines - shown
  return { kubectlSeconds, kubectlFirstSeconds, tableSeconds, pages, rawSeconds, rawMiB: bytes / 2 ** 20, missing }
}

/** Reads the pages that kubectl reads, one after the other, and does nothing with them: what kubectl takes longer is its own. */
async function readTable(transport: Transport): Promise<number> {
  const path = `/apis/${VirtualMachine.apiVersion}/${VirtualMachine.plural}?limit=500`
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  let pages = 0
  for (let next: string | undefined = ''; next !== undefined; pages++) {
    const { body } = await transport.request({ method: 'GET', path: `${path}${next}`, accept })
    // The head of a table is short and comes first.
    const [, token] = /"continue":"([\w-]+)"/.exec(Buffer.from(body).toString('latin1', 0, 500)) ?? []
    next = token && `&continue=${token}`
  }
  return pages
}

async function hasKubectl(): Promise<boolean> {
  return await run('kubectl', ['version', '--client']).then(
    () => true,
    () => false,
  )
}

async function queueIsEmpty(): Promise<boolean> {
  const text = await cloud.plane.metrics.text()
  const depth = /^workqueue_depth\{[^}]*\} (\d+)$/m.exec(text)?.[1]
  const active = [...text.matchAll(/^controller_runtime_active_workers\{[^}]*\} (\d+)$/gm)]
  return depth === '0' && active.every(([, count]) => count === '0')
}

/** Waits until the cloud is quiet, unless it has been since it last was. */
async function settle(): Promise<void> {
  if ((await cloud.version()) === settledVersion) return
  await cloud.untilQuiet()
  settledVersion = await cloud.version()
}

async function state() {
  const { changingOperations } = cloud.simulator.world.counters()
  return { version: await cloud.version(), changingOperations, sent: cloud.writes.all() }
}

/** Changes of what the API stores, whoever made them, and driver operations that changed something, since that state. */
async function since(before: Awaited<ReturnType<typeof state>>): Promise<Figures> {
  const now = await state()
  const mutations = now.changingOperations - before.changingOperations
  return { writes: now.version - before.version, mutations, ...detailsOf(writesBetween(before.sent, now.sent)) }
}
