import test from 'ava'
import picocolors from 'picocolors'
import { fitted } from '../../cli/paint.ts'
import { standingOf } from '../../cli/standing.ts'
import { statusLines } from '../../cli/status-text.ts'
import { type StatusNode, statusOf } from '../../cli/status-tree.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { HostPod } from '../../crds/infrastructure/host-pod.ts'
import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { Network } from '../../crds/network/network.ts'
import { PublicIP } from '../../crds/network/public-ip.ts'
import { Volume } from '../../crds/storage/volume.ts'
import { cloudOf, condition, resource, stalled } from './resources.ts'

const noPaint = picocolors.createColors(false)
const active = { lifecycle: 'Active' }
const zone = resource(Zone, 'zone-a', { spec: { ...active, networkType: 'Advanced' } })
const pod = resource(HostPod, 'pod-1', { spec: { ...active, zoneName: 'zone-a', cidr: '172.16.10.0/24' } })
const cluster = resource(HostCluster, 'cluster-1', { spec: { ...active, podName: 'pod-1', hypervisor: 'Simulator' } })
const machine = resource(VirtualMachine, 'web-1', {
  namespace: 'shop',
  spec: { zoneName: 'zone-a' },
  status: { hostName: 'host-1', powerState: 'Running', nics: [{ name: 'web', ipAddress: '10.1.1.7' }] },
})
const rootVolume = resource(Volume, 'web-1-root', {
  namespace: 'shop',
  spec: { zoneName: 'zone-a' },
  status: { size: '8Gi', poolName: 'primary-1', virtualMachineName: 'web-1' },
})
const network = resource(Network, 'web', {
  namespace: 'shop',
  spec: { zoneName: 'zone-a' },
  status: { cidr: '10.1.1.0/24', routerName: 'r-web' },
})
const router = resource(VirtualRouter, 'r-web', {
  spec: { zoneName: 'zone-a', networkRef: { kind: 'Network', namespace: 'shop', name: 'web' } },
  status: { hostName: 'host-1', powerState: 'Running', publicAddress: '192.0.2.7' },
})
const address = resource(PublicIP, 'web-ip', {
  namespace: 'shop',
  spec: { zoneName: 'zone-a', networkName: 'web' },
  status: { address: '192.0.2.8' },
})

function host(name: string) {
  const capacity = [{ resource: 'Memory', total: '64Gi', allocated: '16Gi', used: '16Gi' }]
  return resource(Host, name, {
    spec: { ...active, clusterName: 'cluster-1', address: '172.16.10.101' },
    status: { powerState: 'On', capacity },
  })
}

const whole = cloudOf(
  [PublicIP, address],
  [Volume, rootVolume],
  [VirtualRouter, router],
  [VirtualMachine, machine],
  [Network, network],
  [Host, host('host-10')],
  [Host, host('host-1')],
  [HostCluster, cluster],
  [HostPod, pod],
  [Zone, zone],
)

/** Names in the tree, as deep as they stand. */
function outline(nodes: readonly StatusNode[], depth = 0): readonly string[] {
  return nodes.flatMap(node => [`${'  '.repeat(depth)}${node.name}`, ...outline(node.children, depth + 1)])
}

test('the tree leads from zones to machines and their disks, and from networks to their addresses', t => {
  t.deepEqual(outline(statusOf(whole).tree), [
    'zone-a',
    '  pod-1',
    '    cluster-1',
    '      host-1',
    '        web-1',
    '          web-1-root',
    '        r-web',
    '      host-10',
    '  web',
    '    web-ip',
  ])
})

test('a person sees power, addresses, routers and shares of each part', t => {
  t.deepEqual(statusLines(statusOf(whole), noPaint), [
    '✓ zone zone-a  Advanced',
    '├─ ✓ pod pod-1  172.16.10.0/24',
    '│  └─ ✓ cluster cluster-1  Simulator',
    '│     ├─ ✓ host host-1  172.16.10.101  On  memory 25 %',
    '│     │  ├─ ✓ machine shop/web-1  Running  10.1.1.7',
    '│     │  │  └─ ✓ volume shop/web-1-root  8Gi  storage primary-1',
    '│     │  └─ ✓ router r-web  Running  192.0.2.7  network shop/web',
    '│     └─ ✓ host host-10  172.16.10.101  On  memory 25 %',
    '└─ ✓ network shop/web  10.1.1.0/24  router r-web',
    '   └─ ✓ public IP shop/web-ip  192.0.2.8',
    '',
    'All 10 objects are Ready.',
  ])
})

test('what is not Ready comes first, the stalled before all, each with its reason', t => {
  const late = resource(Host, 'host-1', {
    spec: { ...active, clusterName: 'cluster-1' },
    conditions: [condition('Ready', 'Unknown', 'HostSilent', 'The host does not answer')],
  })
  const broken = resource(Volume, 'data', {
    namespace: 'shop',
    conditions: stalled('SizeUnknown', 'spec.size is needed'),
  })
  const waiting = resource(Network, 'web', {
    namespace: 'shop',
    conditions: [condition('Ready', 'False', 'ZoneNotFound', 'Zone "zone-a" does not exist')],
  })
  const status = statusOf(cloudOf([Host, late], [Network, waiting], [Volume, broken]))
  t.deepEqual(statusLines(status, noPaint).slice(0, 5), [
    'Not ready',
    '  stalled   Volume shop/data  SizeUnknown: spec.size is needed',
    '  unknown   Host host-1  HostSilent: The host does not answer',
    '  working   Network shop/web  ZoneNotFound: Zone "zone-a" does not exist',
    '',
  ])
  t.is(statusLines(status, noPaint).at(-1), '0 of 3 objects are Ready, 1 stalled.')
})

test('what names a place that does not exist is shown all the same', t => {
  const lost = resource(Host, 'host-1', { spec: { ...active, clusterName: 'nowhere' } })
  const placeless = resource(VirtualMachine, 'web-1', { namespace: 'shop', spec: { zoneName: 'zone-a' } })
  t.deepEqual(outline(statusOf(cloudOf([Host, lost], [Zone, zone], [VirtualMachine, placeless])).tree), [
    'zone-a',
    '  web-1',
    'host-1',
  ])
})

test('an empty API is told as such', t => {
  t.regex(statusLines(statusOf(cloudOf()), noPaint).join('\n'), /^There is no cloud yet/)
})

test('a condition that was judged by an older spec counts for nothing', t => {
  const ready = resource(Zone, 'zone-a')
  const edited = { ...ready, metadata: { ...ready.metadata, generation: 2 } }
  t.is(standingOf(ready).state, 'Ready')
  t.deepEqual(standingOf(edited), { state: 'Working', reason: 'NotYetObserved', message: '' })
})

test('an object on its way out is deleting, unless somebody must act for it', t => {
  const conditions = [condition('Ready', 'False', 'Removing')]
  t.is(standingOf(resource(Zone, 'zone-a', { deleting: true, conditions })).state, 'Deleting')
  t.is(standingOf(resource(Zone, 'zone-a', { deleting: true, conditions: stalled('InUse', '') })).state, 'Stalled')
})

test('lines are cut to the terminal, colours not counted, and the rest is told as a number', t => {
  const paint = picocolors.createColors(true)
  const text = fitted([paint.red('abcdef'), 'two', 'three', 'four'], { rows: 3, columns: 4 })
  t.deepEqual(text.split('\n'), [paint.red('abcd'), 'two', '… and 2 more lines'])
  t.is(fitted(['one', 'two'], { rows: 2, columns: 80 }), 'one\ntwo')
})
