import test from 'ava'
import { explanationLines } from '../../cli/explain-text.ts'
import { paintFor } from '../../cli/paint.ts'
import { explain } from '../../controllers/explain/explain.ts'
import type { Cause, Explanation, PhaseExplanation } from '../../controllers/explain/explanation.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import type { AnyKind } from '../../crds/define-kind.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { conditionOf } from '../../crds/meta.ts'
import { PortForwardingRule } from '../../crds/network/port-forwarding-rule.ts'
import { Cloud, quickstart } from './cloud.ts'

async function explained(cloud: Cloud, kind: AnyKind, name: string, namespace = ''): Promise<Explanation> {
  const { engine, recorder, environment } = cloud
  const explanation = await explain(kind, `${namespace}/${name}`, { engine, recorder, environment })
  if (explanation === undefined) throw new Error(`There is no ${kind.kind} ${name}`)
  return explanation
}

function text(explanation: Explanation): string {
  return explanationLines(explanation, paintFor({})).join('\n')
}

/** All causes, however deep, as `Kind name` or the name of an endpoint. */
function chain(phases: readonly PhaseExplanation[]): readonly string[] {
  const nameOf = (cause: Cause) =>
    cause.type === 'Object'
      ? `${cause.object.kind} ${cause.object.name}`
      : cause.type === 'Endpoint'
        ? cause.name
        : 'doubt'
  return phases.flatMap(({ causes }) =>
    causes.flatMap(cause => [nameOf(cause), ...(cause.type === 'Object' ? chain(cause.phases) : [])]),
  )
}

const big = `
apiVersion: compute.skystead.dev/v1alpha1
kind: ServiceOffering
metadata: {name: huge}
spec: {cores: 1, clockMHz: 1000, memory: 900Gi, displayText: More than any host has}
---
apiVersion: compute.skystead.dev/v1alpha1
kind: VirtualMachine
metadata: {name: big, namespace: shop}
spec:
  zoneName: zone-a
  serviceOfferingName: huge
  templateRef: {kind: PublicTemplate, name: tiny-linux}
  nics: [{name: web, networkName: web}]
`

test('a Ready machine: where it is and what the other hosts say, what it holds, what was done and for whom', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const found = await explained(cloud, VirtualMachine, 'web-1', 'shop')
  const host = (await cloud.get(VirtualMachine, 'web-1', 'shop'))?.status?.hostName
  t.is(found.standing.ready, 'True')
  t.is(found.changedBy, 'story')
  t.true(found.phases.every(({ verdict, causes }) => verdict === 'satisfied' && causes.length === 0))
  t.is(found.place?.hostName, host)
  t.deepEqual(found.place?.hosts.map(({ hostName }) => hostName).toSorted(), ['host-1', 'host-2'])
  t.deepEqual(found.claims.map(({ type }) => type).toSorted(), ['Attachment', 'IP', 'Machine'])
  t.true(found.history.records.some(record => record.type === 'Operation' && record.verb === 'DefineMachine'))
  t.deepEqual(found.running, [])
  t.regex(text(found), /^✓ VirtualMachine shop\/web-1 {2}Ready/)
})

test('a machine of a silent host: the chain ends at the host and the power controller that do not answer', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const host = (await cloud.get(VirtualMachine, 'web-1', 'shop'))?.status?.hostName ?? ''
  cloud.simulator.world.freezeHost(host)
  cloud.simulator.world.killPowerController(host)
  await cloud.until(async () => (await explained(cloud, VirtualMachine, 'web-1', 'shop')).standing.ready === 'Unknown')
  await cloud.advance(120_000)
  const found = await explained(cloud, VirtualMachine, 'web-1', 'shop')
  const causes = chain(found.phases)
  t.true(causes.includes(`Host ${host}`))
  t.true(causes.includes(`PowerController ${host}`))
  t.is(causes.filter(each => each === `PowerController ${host}`).length, 1, 'what does not answer is told once')
  const lines = text(found).split('\n')
  t.true(lines.length < 60, `${lines.length} lines`)
  t.true(lines.some(line => line.includes('has not answered for')))

  const rule = await explained(cloud, PortForwardingRule, 'web-http', 'shop')
  t.true(chain(rule.phases).includes(`Host ${host}`), 'a rule leads there over its network and router')
})

test('a machine without a place: what each host says, and what is missing by name', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.apply(big)
  await cloud.advance(30_000)
  const found = await explained(cloud, VirtualMachine, 'big', 'shop')
  t.is(found.phases.find(({ condition }) => condition === 'Scheduled')?.reason, 'NoHostFits')
  t.true(found.place?.hosts.every(({ refusals }) => refusals.includes('MemoryExhausted')))
  t.like(found.queue, { position: 1, length: 1 })
  t.regex(text(found), /with too little memory left/)
  t.true(found.dueInMs !== undefined && found.dueInMs > 0)

  await cloud.apply(big.replace('networkName: web', 'networkName: nowhere').replaceAll('name: big', 'name: lost'))
  await cloud.advance(30_000)
  const lost = await explained(cloud, VirtualMachine, 'lost', 'shop')
  t.true(chain(lost.phases).includes('Network nowhere'))
  t.regex(text(lost), /Network shop\/nowhere {2}does not exist/)
})

test('an operation that fails: its error, how often, and when it is tried again', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  cloud.simulator.world.faults.add({ verb: 'StopMachine', effect: 'Fail', code: 'Internal', times: Infinity })
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Halted' })
  await cloud.advance(20_000)
  const found = await explained(cloud, VirtualMachine, 'web-1', 'shop')
  const [failure] = found.failures
  t.like(failure, { verb: 'StopMachine', code: 'Internal' })
  t.true(failure !== undefined && failure.inARow > 1)
  t.regex(text(found), /failed {3}StopMachine at Host host-\d, \d+ times in a row: Internal: /)
  t.true(found.history.records.some(record => record.type === 'Operation' && record.outcome === 'Internal'))
})

test('an operation that its host refuses for good stalls the machine, and is tried again after ten minutes', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  cloud.simulator.world.faults.add({ verb: 'StopMachine', effect: 'Fail', code: 'AlreadyExists', times: 2 })
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Halted', shutdownTimeout: '0s' })
  await cloud.advance(9 * 60_000)
  const stalled = await cloud.get(VirtualMachine, 'web-1', 'shop')
  t.like(stalled && conditionOf(stalled, 'Stalled'), { status: 'True', reason: 'AlreadyExists' })
  await cloud.advance(9 * 60_000)
  const still = await cloud.get(VirtualMachine, 'web-1', 'shop')
  t.deepEqual(still, stalled, 'it was refused once more, and nothing was written for that')
  await cloud.advance(3 * 60_000)
  const stopped = await cloud.get(VirtualMachine, 'web-1', 'shop')
  t.like(stopped && conditionOf(stopped, 'Ready'), { status: 'True' })
  t.is(stopped?.status?.powerState, 'Off')
})

test('explaining changes nothing, of no object', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart, big)
  await cloud.advance(60_000)
  const before = await cloud.everything()
  for (const object of before.filter(({ kind }) => kind === 'Host')) await explained(cloud, Host, object.metadata.name)
  for (const object of before.filter(({ kind }) => kind === 'VirtualMachine'))
    await explained(cloud, VirtualMachine, object.metadata.name, object.metadata.namespace)
  await cloud.advance(1_000)
  t.deepEqual(await cloud.everything(), before)
})
