import test from 'ava'
import type { MachineFacts } from '../../../drivers/contract/facts.ts'
import { heldOfHost } from '../../../reconcilers/holdings.ts'
import { accountOfInstallation, mayHide } from '../../../reconcilers/infrastructure/accounted.ts'
import { hostReconciler } from '../../../reconcilers/infrastructure/host.ts'
import { hostsByPowerAddress } from '../../../reconcilers/infrastructure/topology.ts'
import { allocation, machineClaim } from '../claim-builders.ts'
import { brief } from '../compute/power-situations.ts'
import { hostFacts, machineFacts } from '../fact-builders.ts'
import { cluster, host, pod, pool, zone } from '../infrastructure-builders.ts'
import { judge, judgeTeardown, reported, users } from '../judge.ts'
import { answering, notCalledYet, silent } from '../observed-tables.ts'
import { keyOf, uidOf } from '../resource-builder.ts'
import { machine } from '../tenant-builders.ts'
import { worldOf } from '../world-builder.ts'

const key = keyOf('Host', 'host-1')
const power = keyOf('PowerController', 'host-1')
const longAgo = silent('2026-11-02T11:00:00Z')

function cloud(self = host(), state = answering) {
  return worldOf({
    objects: [zone(), pod(), cluster(), self],
    endpoints: { [key]: state },
    hosts: { [key]: hostFacts() },
  })
}

test('a host declares its hypervisor and its power controller', t => {
  const world = cloud()
  t.deepEqual(hostReconciler.endpoints?.(host(), world), [
    {
      key,
      driver: 'Simulator',
      name: 'host-1',
      configuration: {
        type: 'Host',
        address: '172.16.10.101',
        simulated: { cores: 16, clockMHz: 2400, memoryBytes: 64 * 2 ** 30 },
      },
    },
    { key: power, driver: 'Simulator', name: 'host-1', configuration: { type: 'PowerController', host: key } },
  ])
})

test('a KVM host is reached by its libvirt socket, and while its cluster is missing by what it says itself', t => {
  const kvm = { socketPath: '/run/libvirt-sock', emulator: 'TCG' } as const
  const self = host({ simulator: undefined, powerControl: undefined, kvm })
  const configuration = { type: 'Host', address: '172.16.10.101', ...kvm } as const
  const endpoints = [{ key, driver: 'KVM', name: 'host-1', configuration }] as const
  t.deepEqual(hostReconciler.endpoints?.(self, worldOf({ objects: [cluster({ hypervisor: 'KVM' }), self] })), endpoints)
  t.deepEqual(hostReconciler.endpoints?.(self, worldOf({ objects: [self] })), endpoints)
})

test('a host of a hypervisor without a driver is stalled, names the field, and is never called', t => {
  const self = host({ simulator: undefined })
  const world = worldOf({ objects: [cluster({ hypervisor: 'VSphere' }), self] })
  t.deepEqual(hostReconciler.endpoints?.(self, world), [])
  t.deepEqual(judge(hostReconciler, 'Connected', self, world), {
    is: 'blocked',
    reason: 'NotSupportedYet',
    message: 'No driver serves VSphere yet (HostCluster "cluster-1" spec.hypervisor)',
  })
  t.like(judge(hostReconciler, 'LossContained', self, world), { is: 'satisfied', reason: 'NeverCalled' })
})

test('INF-134 of two hosts with one address the older has it: the other is refused by name and not called', t => {
  const younger = host({ name: 'host-2', metadata: { creationTimestamp: '2026-11-02T00:00:00Z' } })
  const world = cloud()
  world.put(younger)
  t.like(judge(hostReconciler, 'Valid', host(), world), { is: 'satisfied' })
  t.deepEqual(judge(hostReconciler, 'Valid', younger, world), {
    is: 'blocked',
    reason: 'AddressTaken',
    message: 'spec.address: 172.16.10.101 is that of Host "host-1": give the host an address of its own',
  })
  t.deepEqual(hostReconciler.endpoints?.(younger, world), [])
  t.like(judge(hostReconciler, 'Connected', younger, world), { is: 'waiting', reason: 'NotCalled' })
})

test('a power controller is the same one with its usual port and without', t => {
  const addressOf = (driver: 'IPMI' | 'Redfish', address: string) =>
    hostsByPowerAddress.values(host({ powerControl: { driver, address, credentialsSecretName: 'bmc-1' } }))
  t.deepEqual(addressOf('IPMI', 'BMC-1.example:623'), ['bmc-1.example'])
  t.deepEqual(addressOf('Redfish', 'bmc-1.example:443'), ['bmc-1.example'])
  t.deepEqual(addressOf('Redfish', 'bmc-1.example:8443'), ['bmc-1.example:8443'])
  t.deepEqual(addressOf('Redfish', '2001:db8::443'), ['2001:db8::443'])
})

test('of two hosts with one power controller the older has it: the other is refused by name, and its power is not read there', t => {
  const powerControl = { driver: 'Simulator', address: 'BMC-1.example' } as const
  const [older, self] = [
    host({ name: 'host-2', address: '172.16.10.102', powerControl }),
    host({ powerControl: { ...powerControl, address: 'bmc-1.example' } }),
  ]
  const younger = { ...self, metadata: { ...self.metadata, creationTimestamp: '2026-11-02T00:00:00Z' } }
  const world = cloud(younger)
  world.put(older)
  t.like(judge(hostReconciler, 'Valid', younger, world), { is: 'blocked', reason: 'PowerControllerTaken' })
  t.like(judge(hostReconciler, 'Valid', older, world), { is: 'satisfied' })
  t.deepEqual(
    hostReconciler.endpoints?.(younger, world).map(({ key }) => key),
    [keyOf('Host', 'host-1')],
  )
})

test('behind one Redfish controller each host has a system of its own; who names none has its only one', t => {
  const at = (name: string, systemID?: string) =>
    host({
      name,
      address: `${name}.example`,
      metadata: { creationTimestamp: `2026-11-0${name.at(-1)}T00:00:00Z` },
      powerControl: {
        driver: 'Redfish',
        address: 'chassis.example',
        ...(systemID === undefined ? {} : { redfish: { systemID } }),
      },
    })
  const [first, second, third, fourth] = [at('h2', 'Blade1'), at('h3', 'Blade2'), at('h4', 'Blade1'), at('h5')] as const
  const world = cloud(first)
  world.put(second, third, fourth)
  t.like(judge(hostReconciler, 'Valid', first, world), { is: 'satisfied' })
  t.like(judge(hostReconciler, 'Valid', second, world), { is: 'satisfied' })
  for (const self of [third, fourth]) {
    const verdict = judge(hostReconciler, 'Valid', self, world)
    t.like(verdict, { is: 'blocked', reason: 'PowerControllerTaken' })
    t.regex(verdict.message, /that of Host "h2".*or each its own system by redfish\.systemID/)
  }
})

test('how a Redfish controller is reached goes with its endpoint', t => {
  const powerControl = {
    driver: 'Redfish',
    address: 'bmc-1.example:8443',
    credentialsSecretName: 'bmc-1',
    redfish: { systemID: '1', certificateFingerprint: 'A7:00' },
  } as const
  const self = host({ powerControl })
  const [, power] = hostReconciler.endpoints?.(self, cloud(self)) ?? []
  t.like(power, {
    driver: 'Redfish',
    configuration: {
      type: 'PowerController',
      address: 'bmc-1.example:8443',
      credentials: { secretName: 'bmc-1' },
      systemID: '1',
      certificateFingerprint: 'A7:00',
    },
  })
})

test('INF-135 a host whose address falls into a reserved range is refused', t => {
  const self = host({ address: '172.16.10.60' })
  t.deepEqual(judge(hostReconciler, 'Valid', self, cloud(self)), {
    is: 'blocked',
    reason: 'AddressReserved',
    message: 'spec.address: 172.16.10.60 lies in spec.systemIPRanges of HostPod "pod-1": take one outside',
  })
  const named = host({ address: 'host-1.example.org' })
  t.like(judge(hostReconciler, 'Valid', named, cloud(named)), { is: 'satisfied' })
})

test('HST-004 a host must be described for the hypervisor of its cluster', t => {
  const bare = host({ simulator: undefined })
  t.like(judge(hostReconciler, 'Valid', bare, cloud(bare)), { is: 'blocked', reason: 'SizeMissing' })
  const kvm = host({ simulator: undefined, kvm: {} })
  t.like(judge(hostReconciler, 'Valid', kvm, worldOf({ objects: [cluster({ hypervisor: 'KVM' })] })), {
    is: 'satisfied',
  })
  const wrong = worldOf({ objects: [cluster({ hypervisor: 'KVM' })] })
  t.like(judge(hostReconciler, 'Valid', host(), wrong), {
    is: 'blocked',
    reason: 'HypervisorMismatch',
    message: `spec.simulator does not fit cluster "cluster-1", whose hosts run KVM: remove it`,
  })
})

test('a host is Connected once its inventory was read, and says what is missing until then', t => {
  const verdict = (state: typeof answering) => judge(hostReconciler, 'Connected', host(), cloud(host(), state))
  t.like(verdict(answering), { is: 'satisfied', reason: 'Connected' })
  t.like(verdict({ answers: 'Yes', listed: false }), { is: 'unknown', reason: 'InventoryNotRead' })
  t.like(verdict(notCalledYet), { is: 'unknown', reason: 'NotCalledYet' })
})

test('a silent host names since when, why, and what its power controller says', t => {
  const world = cloud(host(), longAgo)
  const message = (evidence: string) =>
    `The host has not answered since 2026-11-02T11:00:00Z: connection refused. ${evidence}`
  const silentWith = (evidence: string) =>
    ({ is: 'waiting', reason: 'HostSilent', message: message(evidence) }) as const
  t.deepEqual(
    judge(hostReconciler, 'Connected', host(), world),
    silentWith('Its power controller has not said anything'),
  )
  world.see({ powers: { [power]: { power: 'Off', confirmed: true } as const } })
  t.deepEqual(judge(hostReconciler, 'Connected', host(), world), silentWith('Its power controller says Off, confirmed'))
  const alone = host({ powerControl: undefined })
  t.deepEqual(
    judge(hostReconciler, 'Connected', alone, cloud(alone, longAgo)),
    silentWith('It has no power controller'),
  )
})

test('a host in maintenance is Ready with that reason, and does not pretend to be empty', t => {
  const self = host({ lifecycle: 'Maintenance' })
  t.deepEqual(judge(hostReconciler, 'Connected', self, cloud(self)), {
    is: 'satisfied',
    reason: 'InMaintenance',
    message:
      'Host "host-1" is in maintenance: nothing new is placed here. The condition Evacuated says how far it is empty',
    summary: true,
  })
})

test('HST-106 INF-196 a host names the pools that it should reach and that are not connected', t => {
  const world = cloud()
  t.like(judge(hostReconciler, 'StoragesConnected', host(), world), { is: 'satisfied', reason: 'NoStorages' })
  const ofZone = pool({
    name: 'primary-z',
    url: 'sim://primary-z',
    scope: 'Zone',
    clusterName: undefined,
    zoneName: 'zone-a',
  })
  const ofOther = pool({
    name: 'primary-o',
    url: 'sim://primary-o',
    scope: 'Host',
    clusterName: undefined,
    hostName: 'host-2',
  })
  world.put(pool(), ofZone, ofOther)
  world.see({ endpoints: { [keyOf('PrimaryStorage', 'primary-1')]: answering } })
  t.like(judge(hostReconciler, 'StoragesConnected', host(), world), {
    is: 'waiting',
    reason: 'StorageNotConnected',
    message: 'PrimaryStorage not connected: primary-z',
  })
  const wrong = pool({ name: 'primary-n', url: 'nfs://store/path' })
  world.put(
    wrong,
    pool({ name: 'primary-zz', url: ofZone.spec.url, scope: 'Zone', clusterName: undefined, zoneName: 'zone-a' }),
  )
  world.see({ endpoints: { [keyOf('PrimaryStorage', 'primary-z')]: answering } })
  t.like(judge(hostReconciler, 'StoragesConnected', host(), world), { is: 'satisfied', reason: 'Connected' })
})

test('HST-005 INF-163 a host reports what was found, what is promised and used, and what it does not know', t => {
  const world = cloud()
  const web = machine()
  world.put(machineClaim(web, 'host-1'), machineClaim(machine({ name: 'web-2' }), 'host-1'))
  const off = machineFacts(machine({ name: 'lost' }), { powerState: 'Off' })
  const { mark: _, ...foreign } = machineFacts(machine({ name: 'foreign' }))
  world.see({
    machines: [machineFacts(web), off, foreign].map(facts => ({ endpoint: key, facts })),
    counts: { [key]: { things: 2, foreign: 1 } },
    powers: { [power]: { power: 'On', confirmed: false } as const },
  })
  t.deepEqual(reported(hostReconciler, host(), world) as unknown, {
    capacity: [
      { resource: 'CPU', total: '76800', allocated: '4000', used: '2000' },
      { resource: 'Memory', total: '64Gi', allocated: '2Gi', used: '1Gi' },
    ],
    machines: 2,
    powerState: 'On',
    hypervisorVersion: 'Simulator 1.0',
    cores: 16,
    clockMHz: 2400,
    memory: '64Gi',
    leftovers: 1,
    adoptables: 1,
  })
})

test('HST-005 what is on a host without a claim is promised; what a silent host had, or what is foreign and off, is not', t => {
  const world = cloud()
  const allocated = () => heldOfHost(uidOf('Host', 'host-1'), world).memoryBytes / 2 ** 20
  const [claimed, moving] = [machine(), machine({ name: 'moving' })]
  world.put(machineClaim(claimed, 'host-1', { memoryBytes: 1024 * 2 ** 20 }), machineClaim(moving, 'host-2'))
  t.is(allocated(), 1024)
  const larger = machineFacts(claimed)
  const grown = { ...larger, definition: { ...larger.definition, memoryBytes: 1536 * 2 ** 20 } }
  const { mark: _, ...foreign } = machineFacts(machine({ name: 'foreign' }))
  const seen = (...facts: readonly MachineFacts[]) =>
    world.see({ machines: facts.map(each => ({ endpoint: key, facts: each })) })
  seen(larger)
  t.is(allocated(), 1024, 'claimed and seen: the larger, once')
  seen(grown)
  t.is(allocated(), 1536, 'it still has more than its claim says')
  seen(grown, machineFacts(moving, { powerState: 'Off' }))
  t.is(allocated(), 2048, 'its claim names another host')
  seen(foreign)
  t.is(allocated(), 1536, 'not ours')
  seen({ ...foreign, powerState: 'Off' })
  t.is(allocated(), 1024, 'not ours, and off')
  world.see({ machines: [{ endpoint: key, facts: foreign, current: false }] })
  t.is(allocated(), 1024, 'that was')
})

test('that nothing of ours is left over on a host is noted, kept while it is silent, and taken back when something is', t => {
  const world = cloud()
  const accounted = () => judge(hostReconciler, 'Accounted', host(), world)
  const follow = () => {
    const verdict = accounted()
    if (verdict.is === 'acting') world.apply(verdict.effects)
    return brief(verdict)
  }
  world.see({ endpoints: { [key]: notCalledYet } })
  t.is(follow(), 'unknown NotRead')
  world.see({ endpoints: { [key]: answering } })
  t.is(follow(), 'acting Noting Create')
  t.is(follow(), 'satisfied Accounted')
  world.see({ endpoints: { [key]: longAgo } })
  t.is(follow(), 'satisfied Accounted')
  const lost = machine({ name: 'lost' })
  world.see({ endpoints: { [key]: answering }, machines: [{ endpoint: key, facts: machineFacts(lost) }] })
  t.is(follow(), 'acting LeftoversThere Delete')
  t.is(follow(), 'waiting LeftoversThere')
  world.put(machineClaim(lost, 'host-1'))
  t.is(follow(), 'acting Noting Create')
  const forgotten = judgeTeardown(hostReconciler, 'Accounted', host(), world)
  t.is(brief(forgotten), 'acting Forgetting Delete')
})

test('in a store that is the first one, a host with something left over is noted, and waited for until nothing is', t => {
  const world = cloud()
  world.put(allocation(accountOfInstallation('installation-1', '2026-11-01T00:00:00Z').spec))
  const follow = () => {
    const verdict = judge(hostReconciler, 'Accounted', host(), world)
    if (verdict.is === 'acting') world.apply(verdict.effects)
    return brief(verdict)
  }
  const hides = () => mayHide(key, world)
  world.see({ endpoints: { [key]: notCalledYet } })
  t.is(follow(), 'satisfied Accounted')
  t.false(hides())
  const left = machine({ name: 'left' })
  world.see({ endpoints: { [key]: answering }, machines: [{ endpoint: key, facts: machineFacts(left) }] })
  t.is(follow(), 'acting LeftoversThere Create')
  t.is(follow(), 'waiting LeftoversThere')
  world.see({ endpoints: { [key]: notCalledYet }, machines: [] })
  t.is(follow(), 'waiting LeftoversThere', 'as after a restart')
  t.true(hides(), 'so nothing of that name is made elsewhere')
  world.see({ endpoints: { [key]: answering } })
  t.is(follow(), 'acting Noting Delete')
  t.is(follow(), 'satisfied Accounted')
  t.false(hides())
})

test('HST-043 INF-159 capacity is announced at the notification threshold and again at the disable threshold', t => {
  const world = cloud()
  const verdict = () => judge(hostReconciler, 'CapacityAvailable', host(), world)
  const claim = (memoryBytes: number) => world.put(machineClaim(machine(), 'host-1', { memoryBytes }))
  claim(48 * 2 ** 30 - 1)
  t.like(verdict(), { is: 'satisfied', reason: 'BelowThresholds' })
  claim(48 * 2 ** 30)
  t.like(verdict(), {
    is: 'waiting',
    reason: 'NearlyFull',
    message: 'Room is running out: Memory allocated has reached 0.75 of what there is. Add capacity',
  })
  claim(55 * 2 ** 30)
  t.like(verdict(), { is: 'waiting', reason: 'ThresholdPassed' })
  t.true(hostReconciler.phases.find(({ condition }) => condition === 'CapacityAvailable')?.informational)
})

test('HST-045 INF-175 a host with machines is not deleted, and names them', t => {
  const world = cloud()
  world.put(machineClaim(machine(), 'host-1'))
  t.deepEqual(judgeTeardown(hostReconciler, 'Unclaimed', host(), world), {
    is: 'waiting',
    reason: 'InUse',
    message: 'Cannot be deleted: used by VirtualMachine shop/web-1',
  })
  world.drop(machineClaim(machine(), 'host-1'))
  t.like(judgeTeardown(hostReconciler, 'Unclaimed', host(), world), { is: 'satisfied' })
  world.put(pool({ name: 'local', scope: 'Host', clusterName: undefined, hostName: 'host-1' }))
  t.deepEqual(users(hostReconciler, host(), world), ['PrimaryStorage local'])
})

test('a host that is silent still counts its promised capacity', t => {
  const world = cloud(host(), longAgo)
  world.put(machineClaim(machine(), 'host-1', { hostIdentity: uidOf('Host', 'host-1') }))
  t.like(reported(hostReconciler, host(), world), {
    machines: 1,
    capacity: [
      { resource: 'CPU', allocated: '1000' },
      { resource: 'Memory', allocated: '512Mi' },
    ],
  } as never)
})
