import test from 'ava'
import type { AnyKind } from '../../../crds/define-kind.ts'
import { SystemVM } from '../../../crds/infrastructure/system-vm.ts'
import { Zone } from '../../../crds/infrastructure/zone.ts'
import type { Resource } from '../../../crds/meta.ts'
import type { MachineFacts } from '../../../drivers/contract/facts.ts'
import type { Reconciler } from '../../../reconcilers/define-reconciler.ts'
import { consoleAvailable, transfersAvailable } from '../../../reconcilers/infrastructure/zone-services.ts'
import { virtualRouterReconciler } from '../../../reconcilers/network/virtual-router.ts'
import { systemVMReconciler } from '../../../reconcilers/system/system-vm.ts'
import { abilityOf } from '../../../reconcilers/system/zone-capabilities.ts'
import { systemVMsRetired } from '../../../reconcilers/system/zone-system-vms.ts'
import { allocation, holder, machineClaim } from '../claim-builders.ts'
import { hostFacts, machineFacts } from '../fact-builders.ts'
import { host, pod, router, store, systemVM, zone } from '../infrastructure-builders.ts'
import { brief, created, host1, networkWorld, publicClaim, served, verdictsOf } from '../network/network-world.ts'
import { answering, notCalledYet, silent } from '../observed-tables.ts'
import { keyOf, managed, uidOf } from '../resource-builder.ts'
import { network } from '../tenant-builders.ts'
import { passOf, type TestWorld } from '../world-builder.ts'

const size = { cores: 1, clockMHz: 500, memoryBytes: 512 * 2 ** 20 }
const claim = machineClaim(systemVM(), 'host-1', size)
const systemIP = allocation({
  type: 'SystemIP',
  realm: uidOf('HostPod', 'pod-1'),
  value: '172.16.10.20',
  holder: holder(systemVM()),
})
const publicIP = publicClaim(systemVM(), '192.0.2.110')

function judge(object: Resource, world: TestWorld, list: 'phases' | 'teardown' = 'phases') {
  const reconciler: Reconciler<AnyKind> = object.kind === 'SystemVM' ? systemVMReconciler : virtualRouterReconciler
  return verdictsOf(reconciler, object, world, list)
}

/** Shows the machine as the operation that the world was given describes it. */
function start(world: TestWorld, object: Resource, changes: Partial<MachineFacts> = {}): MachineFacts {
  const verdict = judge(object, world).PowerApplied
  const [operation] = verdict?.is === 'acting' ? world.apply(verdict.effects) : []
  if (operation?.verb !== 'DefineMachine') throw new Error(`Cannot start: ${brief(verdict)}`)
  const { definition } = operation.arguments
  const facts = machineFacts(object, { definition, ...changes })
  world.see({ machines: [{ endpoint: host1, facts }] })
  return facts
}

for (const object of [router(), systemVM()]) {
  const { kind } = object
  const capability = kind === 'SystemVM' ? 'SystemVM' : 'VirtualRouter'

  test(`SYS-045 ${kind}: a place is taken on any host that can carry it`, t => {
    t.is(brief(judge(object, networkWorld([network(), object])).Scheduled), 'acting Placing Create')
    t.is(abilityOf('zone-a', capability, passOf(networkWorld([]))), 'Offered')
  })

  test(`${kind}: a zone whose hosts cannot carry it says so by name; one that is not read yet waits`, t => {
    const lacking = networkWorld([network(), object], { capabilities: { capabilities: ['MachineDefine'] } })
    const verdict = judge(object, lacking).Scheduled
    t.is(brief(verdict), 'blocked NotSupportedYet')
    t.regex(verdict?.message ?? '', new RegExp(`capability ${capability}`))
    const none = { capabilities: ['MachineDefine'] } as const
    const unread = networkWorld([network(), object], { state: notCalledYet, capabilities: none })
    t.is(brief(judge(object, unread).Scheduled), 'waiting InventoriesNotRead')
    t.is(abilityOf('zone-a', capability, passOf(unread)), 'Unknown')
  })

  test(`${kind}: a host without the capability is passed over`, t => {
    const second = host({ name: 'host-2', address: '172.16.10.102' })
    const world = networkWorld([network(), object, second], { capabilities: { capabilities: ['MachineDefine'] } })
    const host2 = keyOf('Host', 'host-2')
    world.see({ endpoints: { [host2]: answering }, hosts: { [host2]: hostFacts({ capabilities: [capability] }) } })
    const verdict = judge(object, world).Scheduled
    t.regex(verdict?.message ?? '', /host-2/)
  })

  test(`VM-054 SYS-050 ${kind}: its place moves when its host is proven off, and not before`, t => {
    const second = host({ name: 'host-2', address: '172.16.10.102' })
    const world = networkWorld([network(), object, second, machineClaim(object, 'host-1')], {
      state: silent('2026-11-02T11:00:00Z'),
    })
    const host2 = keyOf('Host', 'host-2')
    world.see({ endpoints: { [host2]: answering }, hosts: { [host2]: hostFacts({ capabilities: [capability] }) } })
    t.is(brief(judge(object, world).Scheduled), 'unknown HostSilent')
    t.is(brief(judge(object, world).PowerApplied), 'unknown HostSilent')
    const off = { power: 'Off', confirmed: true } as const
    const power = keyOf('PowerController', 'host-1')
    world.see({ endpoints: { [power]: answering }, powers: { [power]: off } })
    const noting = judge(object, world).Scheduled
    t.is(brief(noting), 'acting NotingStray Create')
    if (noting?.is === 'acting') world.apply(noting.effects)
    t.is(brief(judge(object, world).Scheduled), 'acting Moving Update')
  })

  test(`${kind}: without a place it has no power`, t => {
    t.is(brief(judge(object, networkWorld([network(), object])).PowerApplied), 'waiting NotScheduled')
  })

  test(`${kind}: deletionPolicy Orphan is refused by name`, t => {
    const management = { ...managed.management, deletionPolicy: 'Orphan' } as const
    const orphan = kind === 'SystemVM' ? systemVM({ management }) : router({ management })
    const world = networkWorld([network(), orphan])
    t.is(brief(judge(orphan, world, 'teardown').PowerApplied), 'blocked NotSupportedYet')
  })

  test(`${kind}: deleted, it is switched off, removed, its place and values given back`, t => {
    const held = machineClaim(object, 'host-1')
    const world = networkWorld([network(), object, held])
    world.see({ machines: [{ endpoint: host1, facts: machineFacts(object, { powerState: 'Off' }) }] })
    t.is(brief(judge(object, world, 'teardown').PowerApplied), 'acting Removing RemoveMachine')
    world.see({ machines: [] })
    t.is(brief(judge(object, world, 'teardown').PowerApplied), 'satisfied Removed')
    t.is(brief(judge(object, world, 'teardown').Scheduled), 'acting Releasing Delete')
    world.drop(held)
    const value = publicClaim(object, '192.0.2.120')
    world.put(value)
    t.is(brief(judge(object, world, 'teardown').Scheduled), 'satisfied Released')
    t.is(brief(judge(object, world, 'teardown').Configured), 'acting Returning Delete')
    world.drop(value)
    t.is(brief(judge(object, world, 'teardown').Configured), 'satisfied Returned')
  })
}

test('SYS-084 a router has the gateway address on the guest network, and a NIC in the public one; 500 MHz and 256 MiB', t => {
  const world = networkWorld(served())
  const { definition } = start(world, router())
  t.like(definition, { role: 'VirtualRouter', cores: 1, clockMHz: 500, memoryBytes: 256 * 2 ** 20 })
  const [guest, open] = definition.nics
  t.like(guest, { name: 'guest', addresses: ['10.1.1.1'] })
  t.like(guest?.segment, { isolation: 'VXLAN', id: 5001, label: 'guest0' })
  t.like(open, { name: 'public', addresses: [] })
  t.like(open?.segment, { isolation: 'None', label: 'public0' })
})

test('SYS-047 SYS-094 a router that runs is given its configuration, again whenever it has another', t => {
  const world = networkWorld(served())
  t.is(brief(judge(router(), world).Configured), 'waiting NotRunning')
  const facts = start(world, router())
  const configuring = judge(router(), world).Configured
  t.is(brief(configuring), 'acting Configuring ConfigureRouter')
  const [operation] = configuring?.is === 'acting' ? world.apply(configuring.effects) : []
  if (operation?.verb !== 'ConfigureRouter') throw new Error('Cannot configure')
  const { hash, document } = operation.arguments
  world.see({ machines: [{ endpoint: host1, facts: { ...facts, router: { hash, document } } }] })
  t.is(brief(judge(router(), world).Configured), 'satisfied AsDescribed')
  world.see({ machines: [{ endpoint: host1, facts: { ...facts, router: { hash, document } }, current: false }] })
  t.is(brief(judge(router(), world).Configured), 'waiting HostSilent')
  world.see({ machines: [{ endpoint: host1, facts }] })
  t.is(brief(judge(router(), world).Configured), 'acting Configuring ConfigureRouter')
})

test('a router whose network is gone keeps what it has and waits', t => {
  const place = machineClaim(router(), 'host-1', { clockMHz: 500, memoryBytes: 256 * 2 ** 20 })
  const world = networkWorld([router(), place])
  t.is(brief(judge(router(), world).AddressesAllocated), 'waiting NetworkNotFound')
  t.is(brief(judge(router(), world).PowerApplied), 'waiting NetworkNotReady')
  t.is(brief(judge(router(), world).Configured), 'waiting NetworkNotFound')
})

test("SYS-024 SYS-029 SYS-061 a system VM takes one address of its pod's system range and one public address", t => {
  const world = networkWorld([systemVM()])
  t.is(brief(judge(systemVM(), world).AddressesAllocated), 'waiting NotScheduled')
  world.put(claim)
  const management = judge(systemVM(), world).AddressesAllocated
  t.regex(created(management)[0] ?? '', /^systemip-.*-172\.16\.10\.(1\d|[2-5]\d|60)$/)
  world.put(systemIP)
  t.regex(created(judge(systemVM(), world).AddressesAllocated)[0] ?? '', /^publicip-.*-192\.0\.2\.1\d\d$/)
  world.put(publicIP)
  t.is(brief(judge(systemVM(), world).AddressesAllocated), 'satisfied Allocated')
})

test('SYS-024 a pod without a free system address is named', t => {
  const world = networkWorld([systemVM(), claim, pod({ systemIPRanges: [] })])
  const verdict = judge(systemVM(), world).AddressesAllocated
  t.is(brief(verdict), 'waiting AddressesExhausted')
  t.regex(verdict?.message ?? '', /HostPod "pod-1".*spec\.systemIPRanges/)
})

test('an address of a pod that it has left goes back', t => {
  const former = allocation({ type: 'SystemIP', realm: 'former', value: '172.16.99.9', holder: holder(systemVM()) })
  const world = networkWorld([systemVM(), claim, systemIP, publicIP, former])
  t.is(brief(judge(systemVM(), world).AddressesAllocated), 'acting Releasing Delete')
})

test('OFF-059 a system VM runs with 1 core, 500 MHz, 512 MiB and both NICs', t => {
  const world = networkWorld([systemVM(), claim])
  t.is(brief(judge(systemVM(), world).PowerApplied), 'waiting NetworkNotReady')
  world.put(systemIP, publicIP)
  const { definition } = start(world, systemVM())
  t.like(definition, { role: 'ConsoleProxy', cores: 1, clockMHz: 500, memoryBytes: 512 * 2 ** 20 })
  t.deepEqual(
    definition.nics.map(({ name, addresses, segment }) => [name, addresses, segment.label]),
    [
      ['management', ['172.16.10.20'], 'mgmt0'],
      ['public', ['192.0.2.110'], 'public0'],
    ],
  )
  t.is(brief(judge(systemVM(), world).PowerApplied), 'satisfied Running')
  t.is(brief(judge(systemVM(), world).Configured), 'satisfied AsDescribed')
})

test('OFF-057 SYS-019 another size takes a restart, a changed NIC does not', t => {
  const world = networkWorld([systemVM(), claim, systemIP, publicIP])
  const facts = start(world, systemVM())
  world.put(systemVM({ memory: '1Gi' }))
  t.is(brief(judge(systemVM({ memory: '1Gi' }), world).Configured), 'acting Resizing StopMachine')
  world.put(systemVM())
  const [management, open] = facts.definition.nics
  if (management === undefined || open === undefined) throw new Error('Cannot find the NICs')
  const nics = [{ ...management, addresses: ['172.16.10.99'] }, open]
  world.see({ machines: [{ endpoint: host1, facts: { ...facts, definition: { ...facts.definition, nics } } }] })
  t.is(brief(judge(systemVM(), world).Configured), 'acting Changing DefineMachine')
})

test('SYS-045 SYS-132 a zone makes the system VMs that it wishes, and takes away those it no longer wishes', t => {
  const wishing = zone({ consoleProxy: 'SystemVM' })
  const world = networkWorld([wishing, store({ transfer: 'SystemVM' })])
  world.see({ endpoints: { [keyOf('SecondaryStorage', 'secondary-1')]: answering } })
  const self = () => world.desired.get(Zone, 'zone-a') ?? wishing
  for (const phase of [consoleAvailable, transfersAvailable]) {
    const verdict = phase.judge(self(), passOf(world))
    t.is(brief(verdict), 'acting Creating Create')
    if (verdict.is === 'acting') world.apply(verdict.effects)
    t.is(brief(phase.judge(self(), passOf(world))), 'waiting SystemVMNotReady')
    t.true(phase.informational)
  }
  t.deepEqual(
    world
      .all(SystemVM)
      .map(({ spec }) => spec.role)
      .toSorted(),
    ['ConsoleProxy', 'SecondaryStorage'],
  )
  t.is(brief(systemVMsRetired.judge(self(), passOf(world))), 'acting Removing Delete')
  world.put(zone(), store())
  for (const phase of [consoleAvailable, transfersAvailable]) {
    t.is(brief(phase.judge(self(), passOf(world))), 'acting Removing Delete')
  }
})

test('a system VM that somebody else made serves the zone and is not taken away', t => {
  const ready = { type: 'Ready', status: 'True', reason: 'Ready', message: '', lastTransitionTime: '' } as const
  const mine = systemVM({ status: { conditions: [ready] } })
  const wishing = zone({ consoleProxy: 'SystemVM' })
  const world = networkWorld([wishing, mine])
  t.is(brief(consoleAvailable.judge(wishing, passOf(world))), 'satisfied CarriedBySystemVM')
  t.is(brief(systemVMsRetired.judge(wishing, passOf(world))), 'satisfied Removed')
  const stalled = { ...ready, type: 'Stalled', reason: 'NotSupportedYet' }
  world.put(systemVM({ status: { conditions: [{ ...ready, status: 'False' }, stalled] } }))
  t.is(brief(consoleAvailable.judge(wishing, passOf(world))), 'blocked NotSupportedYet')
})

test('a second router of a network does nothing and names the first; one that has a place stays', t => {
  const [first, second] = [router(), { ...router(), metadata: { ...router().metadata, name: 'second', uid: 'second' } }]
  const world = networkWorld([network(), first, second])
  const alone = (object: Resource) => judge(object, world).Alone
  const [older, younger] = alone(first)?.is === 'satisfied' ? [first, second] : [second, first]
  t.is(brief(alone(older)), 'satisfied Alone')
  t.like(alone(younger), {
    is: 'blocked',
    message: `spec.networkRef: VirtualRouter "${older.metadata.name}" serves Network "web" already: delete one of the two`,
  })
  world.put(machineClaim(younger, 'host-1', size))
  t.is(brief(alone(older)), 'blocked NetworkServedAlready')
  const needs = virtualRouterReconciler.phases.slice(1).map(phase => phase.needs ?? [])
  t.true(needs.every(list => list.includes('Alone') || list.includes('PowerApplied')))
})
