import test from 'ava'
import { hostClusterReconciler } from '../../../reconcilers/infrastructure/host-cluster.ts'
import { hostPodReconciler } from '../../../reconcilers/infrastructure/host-pod.ts'
import { settingsOf } from '../../../reconcilers/infrastructure/settings.ts'
import { zoneReconciler } from '../../../reconcilers/infrastructure/zone.ts'
import { allocation, holder, machineClaim, volumeClaim } from '../claim-builders.ts'
import { hostFacts } from '../fact-builders.ts'
import {
  cluster,
  host,
  physicalNetwork,
  pod,
  pool,
  publicRange,
  settings,
  store,
  systemVM,
  zone,
} from '../infrastructure-builders.ts'
import { judge, reported, users } from '../judge.ts'
import { answering } from '../observed-tables.ts'
import { keyOf } from '../resource-builder.ts'
import { machine, network, publicIP, sharedNetwork, volume } from '../tenant-builders.ts'
import { worldOf } from '../world-builder.ts'

/** Two clusters of one and 40 hosts, pools of the zone, a cluster and a host, one of everything else. */
function cloud() {
  const hosts = Array.from({ length: 41 }, (_, index) =>
    host({
      name: `host-${index}`,
      address: `172.16.10.${100 + index}`,
      clusterName: index === 0 ? 'cluster-1' : 'cluster-2',
    }),
  )
  const stored = keyOf('SecondaryStorage', 'secondary-1')
  return worldOf({
    objects: [
      zone(),
      pod(),
      cluster(),
      cluster({ name: 'cluster-2', memoryOvercommitRatio: '1.5' }),
      ...hosts,
      pool({ capacity: '1Ti' }),
      pool({ name: 'local', scope: 'Host', clusterName: undefined, hostName: 'host-40', capacity: '1Ti' }),
      pool({ name: 'wide', scope: 'Zone', clusterName: undefined, zoneName: 'zone-a', capacity: '1Ti' }),
      store(),
      publicRange(),
      physicalNetwork(),
    ],
    hosts: Object.fromEntries(hosts.map(({ metadata }) => [keyOf('Host', metadata.name), hostFacts()])),
    endpoints: { [stored]: answering },
    spaces: { [stored]: { totalBytes: 2 ** 40, usedBytes: 2 ** 30 } },
  })
}

const capacityOf = (status: unknown) => (status as { capacity?: unknown }).capacity

test('OPS-232 clusters sum up their hosts and pools, over-commit included', t => {
  const world = cloud()
  world.put(machineClaim(machine(), 'host-40'), volumeClaim(volume(), 'local'))
  t.deepEqual(capacityOf(reported(hostClusterReconciler, cluster({ name: 'cluster-2' }), world)), [
    { resource: 'CPU', total: String(40 * 76_800), allocated: '1000', used: '0' },
    { resource: 'Memory', total: '3840Gi', allocated: '512Mi', used: '0' },
    { resource: 'PrimaryStorage', total: '1Ti', allocated: '20Gi', used: '0' },
  ])
})

test('a pod sums up its clusters and its system addresses, a zone everything in it', t => {
  const world = cloud()
  world.put(
    machineClaim(machine(), 'host-40'),
    machineClaim(machine({ name: 'web-2' }), 'host-0'),
    volumeClaim(volume(), 'wide'),
    allocation({ type: 'PublicIP', realm: zone().metadata.uid, value: '192.0.2.100', holder: holder(publicIP()) }),
    allocation({ type: 'Segment', realm: physicalNetwork().metadata.uid, value: '5000', holder: holder(network()) }),
  )
  const cpuAndMemory = [
    { resource: 'CPU', total: String(41 * 76_800), allocated: '2000', used: '0' },
    { resource: 'Memory', total: '3904Gi', allocated: '1Gi', used: '0' },
  ]
  t.deepEqual(capacityOf(reported(hostPodReconciler, pod(), world)), [
    ...cpuAndMemory,
    { resource: 'PrimaryStorage', total: '2Ti', allocated: '0', used: '0' },
    { resource: 'SystemIP', total: '51', allocated: '0', used: '0' },
  ])
  t.deepEqual(capacityOf(reported(zoneReconciler, zone(), world)), [
    ...cpuAndMemory,
    { resource: 'PrimaryStorage', total: '3Ti', allocated: '20Gi', used: '0' },
    { resource: 'SecondaryStorage', total: '1Ti', allocated: '1Gi', used: '1Gi' },
    { resource: 'PublicIP', total: '100', allocated: '1', used: '1' },
    { resource: 'SystemIP', total: '51', allocated: '0', used: '0' },
    { resource: 'GuestNetworkSegment', total: '1000', allocated: '1', used: '1' },
  ])
})

test('HST-050 the capacity of a cluster follows a host that goes', t => {
  const world = cloud()
  world.drop(host({ name: 'host-1' }))
  const [cpu] = capacityOf(reported(hostClusterReconciler, cluster({ name: 'cluster-2' }), world)) as {
    total: string
  }[]
  t.is(cpu?.total, String(39 * 76_800))
})

test('NET-041 a zone announces that public addresses or segments run out', t => {
  const world = cloud()
  world.put(physicalNetwork({ segments: ['5000-5003'] }))
  const verdict = () => judge(zoneReconciler, 'CapacityAvailable', zone(), world)
  const take = (value: string) =>
    world.put(allocation({ type: 'Segment', realm: physicalNetwork().metadata.uid, value, holder: holder(network()) }))
  take('5000')
  take('5001')
  t.like(verdict(), { is: 'satisfied' })
  take('5002')
  t.like(verdict(), {
    is: 'waiting',
    reason: 'NearlyFull',
    message: 'Room is running out: GuestNetworkSegment allocated has reached 0.75 of what there is. Add capacity',
  })
  take('5003')
  t.like(verdict(), { is: 'waiting', reason: 'ThresholdPassed' })
})

test('Settings say the thresholds; without them the defaults hold', t => {
  const world = cloud()
  t.is(settingsOf(world).expungeDelay, '24h')
  world.put(settings({ expungeDelay: '0s' }))
  t.is(settingsOf(world).expungeDelay, '0s')
})

test('the conditions of a zone are informational: a zone is Ready without consoles and transfers', t => {
  t.deepEqual(
    zoneReconciler.phases.map(({ condition, informational }) => [condition, informational]),
    [
      ['CapacityAvailable', true],
      ['Evacuated', true],
      ['ConsoleAvailable', true],
      ['TransfersAvailable', true],
    ],
  )
})

test('a zone says who carries its consoles, and what is not supported yet', t => {
  const world = cloud()
  const verdict = (consoleProxy: 'Host' | 'SystemVM' | 'Disabled') =>
    judge(zoneReconciler, 'ConsoleAvailable', zone({ consoleProxy }), world)
  t.like(verdict('Disabled'), { is: 'satisfied', reason: 'Disabled' })
  t.like(verdict('Host'), { is: 'blocked', reason: 'NotSupportedYet' })
  t.like(verdict('SystemVM'), { is: 'acting', reason: 'Creating' })
  world.put(systemVM())
  t.like(verdict('SystemVM'), { is: 'waiting', reason: 'SystemVMNotReady' })
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'Ready',
    message: '',
    lastTransitionTime: world.now(),
  } as const
  world.put(systemVM({ status: { conditions: [ready] } }))
  t.like(verdict('SystemVM'), { is: 'satisfied', reason: 'CarriedBySystemVM' })
})

test('a zone says whether images can be carried', t => {
  const world = cloud()
  const verdict = () => judge(zoneReconciler, 'TransfersAvailable', zone(), world)
  t.like(verdict(), { is: 'satisfied', reason: 'CarriedByHosts' })
  world.put(store({ transfer: 'SystemVM' }))
  t.like(verdict(), { is: 'acting', reason: 'Creating' })
  world.put(systemVM({ name: 'storage-1', role: 'SecondaryStorage' }))
  world.put(store({ name: 'secondary-2' }))
  t.like(verdict(), { is: 'waiting', reason: 'StorageNotConnected', message: 'Not connected: secondary-2' })
  world.drop(store(), store({ name: 'secondary-2' }))
  t.like(verdict(), { is: 'satisfied', reason: 'NoStores' })
})

test('STO-073 a zone stays while anything is in it', t => {
  const world = cloud()
  world.put(machine(), volume(), network(), sharedNetwork(), publicIP(), systemVM())
  t.deepEqual(
    [...users(zoneReconciler, zone(), world)].sort(),
    [
      'HostPod pod-1',
      'PhysicalNetwork fabric',
      'SecondaryStorage secondary-1',
      'PublicIPRange public-1',
      'PrimaryStorage wide',
      'VirtualMachine web-1',
      'Volume data-1',
      'Network web',
      'SharedNetwork shared-1',
      'PublicIP web-ip',
      'SystemVM console-1',
    ].sort(),
  )
  t.deepEqual(users(zoneReconciler, zone({ name: 'zone-b' }), world), [])
  t.deepEqual(users(hostPodReconciler, pod(), world), ['HostCluster cluster-1', 'HostCluster cluster-2'])
  t.deepEqual(users(hostClusterReconciler, cluster(), world), ['Host host-0', 'PrimaryStorage primary-1'])
})
