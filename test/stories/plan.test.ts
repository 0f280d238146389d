import test from 'ava'
import { exitCodeOf } from '../../cli/plan/command.ts'
import { judgeManifests } from '../../cli/plan/judge.ts'
import { keyOf } from '../../cli/plan/object-name.ts'
import { type Plan, planFrom } from '../../cli/plan/plan.ts'
import { readPresent } from '../../cli/plan/present.ts'
import { projectPath } from '../../cli/repository.ts'
import type { Writable } from '../../controllers/api/client.ts'
import { readDefinitions } from '../../controllers/install.ts'
import { observedWorld } from '../../controllers/query/observed.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Cloud, documentsOf, quickstart } from './cloud.ts'

const definitions = readDefinitions(projectPath('manifests/crds'))

/** What is read lets the cloud's time pass; the plan itself does not. */
async function read(cloud: Cloud, manifests: string, options: { delete?: boolean } = {}) {
  const { client, engine, environment } = cloud
  const observe = async () => observedWorld({ engines: () => [engine], environment, installation: 'installation-1' })
  const present = await environment.until(readPresent(client, observe))
  const judged = await environment.until(judgeManifests(client, documentsOf(manifests), options))
  if (present === undefined || judged === undefined) throw new Error('Cannot plan: nothing was read')
  return { present, judged }
}

async function planFor(cloud: Cloud, manifests: string, options: { delete?: boolean } = {}): Promise<Plan> {
  const { present, judged } = await read(cloud, manifests, options)
  return planFrom(present, judged, definitions)
}

function verbs({ operations }: Plan): readonly string[] {
  return operations.map(({ verb, object, endpoint }) => `${verb} ${object ? keyOf(object) : '?'} ${endpoint.name}`)
}

function machine(spec: object): string {
  return JSON.stringify({
    apiVersion: VirtualMachine.apiVersion,
    kind: 'VirtualMachine',
    metadata: { name: 'web-1', namespace: 'shop' },
    spec: {
      zoneName: 'zone-a',
      serviceOfferingName: 'small',
      templateRef: { kind: 'PublicTemplate', name: 'tiny-linux' },
      nics: [{ name: 'web', networkName: 'web' }],
      ...spec,
    },
  })
}

test('the plan of what is applied already is empty: exit code 0', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const plan = await planFor(cloud, quickstart)
  t.deepEqual([plan.changes, plan.operations, plan.refused, plan.underWay], [[], [], [], []])
  t.is(exitCodeOf(plan), 0)
})

test('planning changes nothing: neither the API nor the world outside', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const { changingOperations } = cloud.simulator.world.counters()
  const before = await cloud.everything()
  t.true((await planFor(cloud, quickstart, { delete: true })).operations.length > 5)
  await planFor(cloud, machine({ runStrategy: 'Halted' }))
  t.deepEqual(await cloud.everything(), before)
  t.is(cloud.simulator.world.counters().changingOperations, changingOperations)
})

test('a machine that is to be Halted: the field, the one operation, its host, and that it stops', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const host = (await cloud.get(VirtualMachine, 'web-1', 'shop'))?.status?.hostName
  const plan = await planFor(cloud, machine({ runStrategy: 'Halted' }))
  t.like(plan.changes, [
    { change: 'Change', fields: [{ path: 'spec.runStrategy', before: 'Always', after: 'Halted' }] },
  ])
  t.deepEqual(verbs(plan), [`StopMachine VirtualMachine shop/web-1 ${host}`])
  t.like(plan.disruptions, [{ object: { name: 'web-1' }, downtime: 'Stop' }])
  t.is(exitCodeOf(plan), 2)
})

test('what only a restart brings into effect is told as what waits, without an operation', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const large = `
apiVersion: compute.skystead.dev/v1alpha1
kind: ServiceOffering
metadata: {name: large}
spec: {cores: 4, clockMHz: 2000, memory: 4Gi}
---
${machine({ serviceOfferingName: 'large' })}`
  const plan = await planFor(cloud, large)
  t.deepEqual(plan.operations, [])
  t.like(plan.unmet, [{ object: { name: 'web-1' }, reason: 'WaitsForRestart', isNew: true }])
})

test('a whole tenant in a Namespace that is new: everything is told before there is any of it', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const tenant = quickstart
    .slice(quickstart.indexOf('apiVersion: v1\nkind: Namespace'))
    .replaceAll('namespace: shop', 'namespace: blog')
    .replace('{name: shop}', '{name: blog}')
  const plan = await planFor(cloud, tenant)
  t.deepEqual(plan.refused, [])
  t.true(plan.changes.every(({ change }) => change === 'Create'))
  t.true(verbs(plan).some(line => line.startsWith('DefineMachine VirtualMachine blog/web-1 host-')))
  t.true(verbs(plan).some(line => line.startsWith('DefineMachine VirtualRouter ')))
  t.true(plan.consequences.some(({ object }) => keyOf(object) === 'Volume blog/web-1-root'))
  t.deepEqual(plan.unmet, [])
  t.deepEqual(plan.disruptions, [])
})

test('a host to be emptied: every machine moves, to a host that is told by name, and pauses briefly', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const host = (await cloud.get(VirtualMachine, 'web-1', 'shop'))?.status?.hostName ?? ''
  const other = host === 'host-1' ? 'host-2' : 'host-1'
  const described = documentsOf(quickstart).find(({ kind, metadata }) => kind === 'Host' && metadata.name === host)
  const spec = { ...(described?.spec as object), lifecycle: 'Maintenance' }
  const plan = await planFor(cloud, JSON.stringify({ ...described, spec }))
  t.deepEqual(
    new Set(
      plan.operations.map(({ verb, changes }) => `${verb} ${changes.find(each => each.path === 'target')?.after}`),
    ),
    new Set([`MigrateMachine Host ${other}`]),
  )
  t.is(plan.operations.length, 3)
  t.deepEqual(new Set(plan.disruptions.map(({ downtime }) => downtime)), new Set(['BriefPause']))
})

test('what the API refuses is told by field; the others are planned all the same: exit code 1', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const address = `
apiVersion: network.skystead.dev/v1alpha1
kind: PublicIP
metadata: {name: web-ip, namespace: shop}
spec: {zoneName: zone-b, networkName: web}
---
${machine({ runStrategy: 'Halted' })}`
  const plan = await planFor(cloud, address)
  t.like(plan.refused, [{ object: { name: 'web-ip' }, fields: [{ field: 'spec.zoneName' }] }])
  t.is(plan.operations.length, 1)
  t.is(exitCodeOf(plan), 1)
})

test('a machine that has no room: the plan names the reason, and that nothing is started', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const huge = `
apiVersion: compute.skystead.dev/v1alpha1
kind: ServiceOffering
metadata: {name: huge}
spec: {cores: 64, clockMHz: 2000, memory: 512Gi}
---
${machine({ serviceOfferingName: 'huge' }).replace('web-1', 'web-9')}`
  const plan = await planFor(cloud, huge)
  t.true(plan.unmet.some(({ object, message }) => object.name === 'web-9' && /None of 2 hosts fits/.test(message)))
  t.false(verbs(plan).some(line => line.startsWith('DefineMachine')))
})

async function untilOneIsSilent(cloud: Cloud): Promise<void> {
  const { observed } = cloud.engine
  await cloud.until(async () => observed.endpoints().some(key => observed.endpoint(key).answers === 'No'))
}

test('a host that does not answer is named, and its machines are left as they are', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  cloud.simulator.world.freezeHost('host-1')
  await untilOneIsSilent(cloud)
  const plan = await planFor(cloud, quickstart)
  t.deepEqual(plan.holdsFor.silent, ['Host host-1'])
  t.deepEqual(plan.operations, [])
})

test('what was seen in a silent store is remembered: nothing is taken for missing that only cannot be asked for', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  cloud.simulator.world.killStorage('secondary-1')
  await untilOneIsSilent(cloud)
  const plan = await planFor(cloud, machine({ guestHostName: 'other' }))
  t.deepEqual(plan.holdsFor.silent, ['SecondaryStorage secondary-1'])
  t.false(plan.unmet.some(({ object }) => object.kind === 'PublicTemplate'))
})

test('what is under way without the manifests is told apart', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.patch(VirtualMachine, 'web-2', 'shop', { runStrategy: 'Halted' })
  const plan = await planFor(cloud, machine({ runStrategy: 'Halted' }))
  t.deepEqual(
    verbs(plan).map(line => line.split(' ').slice(0, 3).join(' ')),
    ['StopMachine VirtualMachine shop/web-1'],
  )
  t.true(plan.underWay.some(({ verb, object }) => verb === 'StopMachine' && object?.name === 'web-2'))
})

test('the same present gives the same plan', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const { present, judged } = await read(cloud, machine({}).replace('web-1', 'web-9'))
  t.deepEqual(await planFrom(present, judged, definitions), await planFrom(present, judged, definitions))
})

test('objects that kubectl applied are planned as kubectl would apply them: fields left out are taken out', async t => {
  await using cloud = await Cloud.start()
  const last: Writable = JSON.parse(machine({ guestHostName: 'old-name' }))
  const note = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(last) }
  await cloud.apply(quickstart)
  await cloud.apply({ ...last, metadata: { ...last.metadata, annotations: note } } as Writable)
  await cloud.untilReady()
  const { edits } = (await cloud.environment.until(judgeManifests(cloud.client, documentsOf(machine({}))))) ?? {}
  t.like(edits, [{ change: 'Change', fields: [{ path: 'spec.guestHostName', before: 'old-name' }] }])
})
