import test from 'ava'
import { PublicTemplate } from '../../crds/compute/public-template.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { SystemVM } from '../../crds/infrastructure/system-vm.ts'
import { conditionOf } from '../../crds/meta.ts'
import { FirewallRule } from '../../crds/network/firewall-rule.ts'
import { PortForwardingRule } from '../../crds/network/port-forwarding-rule.ts'
import { PublicIP } from '../../crds/network/public-ip.ts'
import { Cloud, quickstart } from '../stories/cloud.ts'

async function segments(cloud: Cloud): Promise<readonly string[]> {
  return (await cloud.list(Allocation)).flatMap(({ spec }) => (spec.type === 'Segment' ? [spec.value] : []))
}

test('INF-116 INF-117 HST-078 HST-083 a network in use has one free segment of the range, chosen by itself, and gives it back after 10 minutes without machines', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const [segment, ...others] = await segments(cloud)
  t.deepEqual(others, [])
  t.true(Number(segment) >= 5000 && Number(segment) <= 5999, segment)
  await cloud.delete(PortForwardingRule, 'web-http', 'shop')
  await cloud.delete(FirewallRule, 'web-out', 'shop')
  await cloud.delete(PublicIP, 'web-ip', 'shop')
  for (const name of ['web-1', 'web-2']) await cloud.delete(VirtualMachine, name, 'shop')
  await cloud.until(async () => cloud.simulator.world.list().machines.length === 1)
  t.is((await segments(cloud)).length, 1, 'not before it was idle for 10 minutes')
  await cloud.until(async () => (await segments(cloud)).length === 0, 1_200_000)
  t.deepEqual(cloud.simulator.world.list().machines, [])
})

test('INF-098 INF-133 a system machine has an address of its pod’s reserved range, and a public one of the zone', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(
    quickstart.replace(
      'networkDomain: zone-a.cloud.internal',
      'networkDomain: zone-a.cloud.internal\n  consoleProxy: SystemVM',
    ),
  )
  await cloud.untilReady()
  const [proxy, ...others] = await cloud.list(SystemVM)
  t.deepEqual(others, [])
  const management = /^172\.16\.10\.(\d+)$/.exec(proxy?.status?.managementAddress ?? '')
  t.true(Number(management?.[1]) >= 10 && Number(management?.[1]) <= 60, proxy?.status?.managementAddress)
  const open = /^192\.0\.2\.(\d+)$/.exec(proxy?.status?.publicAddress ?? '')
  t.true(Number(open?.[1]) >= 100 && Number(open?.[1]) <= 199, proxy?.status?.publicAddress)
})

const template = (name: string, image: string) => `
apiVersion: compute.skystead.dev/v1alpha1
kind: PublicTemplate
metadata: {name: ${name}}
spec: {osType: Linux, images: [{hypervisor: Simulator, format: QCOW2, ${image}}]}
`

const failing = [
  {
    title: 'TPL-022 an image that is not there',
    image: 'url: "sim://images/missing-one"',
    says: /there is no such image/,
  },
  {
    title: 'TPL-018 TPL-022 an image that does not match its checksum',
    image: `url: "sim://images/corrupt-one", checksum: "sha256:${'0f'.repeat(32)}"`,
    says: /its checksum is not the one given/,
  },
]

for (const { title, image, says } of failing) {
  test(`${title} leaves the template visibly not Ready, and it can be deleted`, async t => {
    await using cloud = await Cloud.start()
    await cloud.apply(quickstart)
    await cloud.untilReady()
    await cloud.apply(template('broken', image))
    const ready = async () => {
      const object = await cloud.get(PublicTemplate, 'broken')
      return object === undefined ? undefined : conditionOf(object, 'Ready')
    }
    await cloud.until(async () => says.test((await ready())?.message ?? ''))
    t.is((await ready())?.status, 'False')
    await cloud.delete(PublicTemplate, 'broken')
    await cloud.until(async () => (await cloud.get(PublicTemplate, 'broken')) === undefined)
    t.is((await cloud.get(PublicTemplate, 'tiny-linux'))?.status?.zones?.[0]?.progressPercent, 100)
  })
}
