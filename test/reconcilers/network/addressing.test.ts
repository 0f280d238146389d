import test from 'ava'
import fc from 'fast-check'
import type { NIC } from '../../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../../crds/infrastructure/allocation.ts'
import { addressFromNumber, addressToNumber, hostRangeOf, rangeOf } from '../../../crds/invariants/addresses.ts'
import { virtualMachineReconciler } from '../../../reconcilers/compute/virtual-machine.ts'
import { macAddressOf } from '../../../reconcilers/identity.ts'
import { chooseAddress, isUsable } from '../../../reconcilers/network/addressing.ts'
import { freeValue } from '../../../reconcilers/network/free-value.ts'
import { type NICPlan, planNIC } from '../../../reconcilers/network/machine-nics.ts'
import { networkPlan } from '../../../reconcilers/network/network-plan.ts'
import { machineFacts } from '../fact-builders.ts'
import { machine, network, networkOffering, sharedNetwork } from '../tenant-builders.ts'
import { passOf, type TestWorld, worldOf } from '../world-builder.ts'
import { addressClaim, brief, created, host1, networkWorld, segmentClaim, verdictsOf, web } from './network-world.ts'

function planned(guest: ReturnType<typeof machine>, wished: NIC, world: TestWorld): NICPlan {
  return planNIC(guest, wished, passOf(world))
}

const nic: NIC = { name: 'web', networkName: 'web', secondaryIPs: [], securityGroupNames: [] }

test('NET-054 any number of machines in any order: no address twice, none of subnet, broadcast or gateway; then none is free', t => {
  const situations = fc.record({
    prefix: fc.integer({ min: 26, max: 29 }),
    gatewayAt: fc.nat(1_000),
    names: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 70 }),
  })
  fc.assert(
    fc.property(situations, ({ prefix, gatewayAt, names }) => {
      const cidr = `10.7.0.64/${prefix}`
      const { first, last } = hostRangeOf(cidr)
      const gateway = addressFromNumber(first + (gatewayAt % (last - first + 1)))
      const world = networkWorld([network({ cidr, gateway })])
      const room = last - first
      const given = new Set<string>()
      for (const [index, name] of names.entries()) {
        const guest = machine({ name })
        world.put(guest)
        const verdict = planned(guest, nic, world).address
        if (index >= room) {
          t.is(brief(verdict), 'waiting AddressesExhausted')
          continue
        }
        if (verdict.is !== 'acting') throw new Error(`Cannot allocate: ${verdict.reason}`)
        world.apply(verdict.effects)
        const [address = ''] = planned(guest, nic, world).addresses
        t.false(given.has(address))
        t.not(address, gateway)
        t.true(addressToNumber(address) > rangeOf(cidr).first && addressToNumber(address) < rangeOf(cidr).last)
        given.add(address)
        t.is(planned(guest, nic, world).address.is, 'satisfied')
      }
      t.is(world.all(Allocation).length, Math.min(names.length, room))
    }),
    { numRuns: 40 },
  )
})

test('the search starts at a place that follows from the identity, and ends after one round', t => {
  const pool = [
    { first: 10, last: 19 },
    { first: 30, last: 39 },
  ]
  fc.assert(
    fc.property(fc.uuid(), fc.uniqueArray(fc.integer({ min: 10, max: 39 })), (identity, taken) => {
      const free = freeValue(pool, identity, value => taken.includes(value))
      t.is(
        free,
        freeValue(pool, identity, value => taken.includes(value)),
      )
      const all = [...Array(10).keys()].flatMap(step => [10 + step, 30 + step])
      const left = all.filter(value => !taken.includes(value))
      t.is(free === undefined, left.length === 0)
      if (free !== undefined) t.true(left.includes(free))
    }),
  )
  t.is(
    freeValue([], 'x', () => false),
    undefined,
  )
  t.deepEqual(new Set(['a', 'b', 'c', 'd', 'e', 'f'].map(name => freeValue(pool, name, () => false))).size > 1, true)
})

test('an address that the machine was seen with is taken again, unless somebody has it', t => {
  const pool = { uid: 'n', cidr: '10.1.1.0/24', gateway: '10.1.1.1', ranges: [hostRangeOf('10.1.1.0/24')] }
  const world = worldOf()
  t.is(chooseAddress(pool, 'x', ['10.1.1.77'], world), '10.1.1.77')
  t.not(chooseAddress(pool, 'x', ['10.1.1.1'], world), '10.1.1.1')
  t.not(chooseAddress(pool, 'x', ['10.9.9.9'], world), '10.9.9.9')
  world.put(addressClaim(machine({ name: 'other' }), '10.1.1.77', 'n'))
  t.not(chooseAddress(pool, 'x', ['10.1.1.77'], world), '10.1.1.77')
})

test('only addresses of the ranges, and neither end of the subnet nor its gateway, may be given', t => {
  const pool = { uid: 'n', cidr: '10.1.1.0/24', gateway: '10.1.1.5', ranges: [rangeOf('10.1.1.0/24')] }
  const usable = ['10.1.1.0', '10.1.1.1', '10.1.1.5', '10.1.1.254', '10.1.1.255', '10.1.2.1']
  t.deepEqual(
    usable.filter(address => isUsable(address, pool)),
    ['10.1.1.1', '10.1.1.254'],
  )
})

test('a fresh control plane gives every machine the address it is seen with', t => {
  const guest = machine()
  const world = networkWorld([network(), guest])
  const { definition } = machineFacts(guest)
  const segment = { network: 'n', isolation: 'None', label: 'guest0' } as const
  const nics = [{ name: 'web', macAddress: '02:00:00:00:00:01', segment, addresses: ['10.1.1.123'] }]
  world.see({ machines: [{ endpoint: host1, facts: machineFacts(guest, { definition: { ...definition, nics } }) }] })
  t.deepEqual(created(planned(guest, nic, world).address), [`ip-${world.derived(networkPlan, web)?.uid}-10.1.1.123`])
})

const refusals: readonly (readonly [string, Partial<NIC>, string, RegExp])[] = [
  ['a wished address is taken', { ipAddress: '10.1.1.44' }, 'acting Allocating Create', /Taking 10\.1\.1\.44/],
  [
    'the gateway is refused',
    { ipAddress: '10.1.1.1' },
    'blocked AddressIsGateway',
    /^spec\.nics\[web\]\.ipAddress: 10\.1\.1\.1 is the network's gateway/,
  ],
  [
    "the subnet's own address is refused",
    { ipAddress: '10.1.1.0' },
    'blocked AddressOutsideNetwork',
    /10\.1\.1\.0\/24/,
  ],
  ['the broadcast address is refused', { ipAddress: '10.1.1.255' }, 'blocked AddressOutsideNetwork', /10\.1\.1\.255/],
  [
    'an address of another subnet is refused',
    { ipAddress: '10.1.2.7' },
    'blocked AddressOutsideNetwork',
    /10\.1\.2\.7/,
  ],
  [
    'an address that another machine holds is waited for, with its name',
    { ipAddress: '10.1.1.9' },
    'waiting AddressTaken',
    /held by VirtualMachine "other"/,
  ],
  [
    'NET-106 NET-107 further addresses are taken beside the first',
    { secondaryIPs: ['10.1.1.50', '10.1.1.51'] },
    'acting Allocating Create Create Create',
    /10\.1\.1\.50, 10\.1\.1\.51/,
  ],
  [
    'a further address outside the network is refused by its field',
    { secondaryIPs: ['10.2.1.50'] },
    'blocked AddressOutsideNetwork',
    /^spec\.nics\[web\]\.secondaryIPs/,
  ],
]

for (const [title, changes, expected, message] of refusals) {
  test(`addresses: ${title}`, t => {
    const wished = { ...nic, ...changes }
    const guest = machine({ nics: [wished] })
    const world = networkWorld([network(), guest, addressClaim(machine({ name: 'other' }), '10.1.1.9')])
    const verdict = planned(guest, wished, world).address
    t.is(brief(verdict), expected)
    t.regex(verdict.message, message)
  })
}

test('VM-010 NET-079 a MAC address that is given is used; of two machines in one network the older has it', t => {
  const macAddress = '02:aa:00:00:00:01'
  const wished = { ...nic, macAddress }
  const older = machine({ name: 'older', nics: [wished], metadata: { creationTimestamp: '2026-10-01T00:00:00Z' } })
  const younger = machine({ name: 'younger', nics: [wished] })
  const world = networkWorld([network(), younger, older])
  t.is(planned(older, wished, world).macAddress, macAddress)
  t.is(planned(older, wished, world).address.is, 'acting')
  const verdict = planned(younger, wished, world).address
  t.is(brief(verdict), 'blocked MACAddressTaken')
  t.regex(verdict.message, /^spec\.nics\[web\]\.macAddress: machine "older"/)
})

test("a MAC address that is not given follows from the machine and the NIC's name, local and unicast", t => {
  const guest = machine()
  const world = networkWorld([network(), guest])
  const { macAddress } = planned(guest, nic, world)
  t.is(macAddress, macAddressOf(guest.metadata.uid, 'web'))
  t.is(Number.parseInt(macAddress.slice(0, 2), 16) & 0b11, 0b10)
  t.not(macAddress, planned(guest, { ...nic, name: 'second' }, world).macAddress)
})

test('NET-081 two NICs of a machine are in different subnets', t => {
  const second = { ...nic, name: 'second', networkName: 'other' }
  const guest = machine({ nics: [nic, second] })
  const world = networkWorld([network(), network({ name: 'other', cidr: '10.1.0.0/16' }), guest])
  const verdict = planned(guest, nic, world).address
  t.is(brief(verdict), 'blocked SubnetsOverlap')
  t.regex(verdict.message, /web \(10\.1\.1\.0\/24\) and second \(10\.1\.0\.0\/16\)/)
  world.put(network({ name: 'other', cidr: '10.2.0.0/16' }))
  t.is(planned(guest, nic, world).address.is, 'acting')
})

test('a NIC in a network that is being deleted and has no segment any more says so', t => {
  const guest = machine()
  const going = network({ metadata: { deletionTimestamp: '2026-11-02T11:59:00Z' } })
  const world = networkWorld([going, networkOffering({ guestType: 'L2', services: [] }), guest])
  const { service } = planned(guest, nic, world)
  t.is(brief(service), 'waiting NetworkDeleting')
  t.regex(service.message, /^spec\.nics\[web\]\.networkName: Network "web" is being deleted/)
  world.put(segmentClaim(network(), '5001'))
  t.is(brief(planned(guest, nic, world).service), 'satisfied NoRouterNeeded')
})

test('NET-049 an L2 network gives no addresses and serves nothing; one that is wished there is refused', t => {
  const guest = machine()
  const l2 = networkOffering({ guestType: 'L2', services: [] })
  const world = networkWorld([network({ cidr: undefined }), l2, guest])
  t.is(brief(planned(guest, nic, world).address), 'satisfied NotNeeded')
  t.is(brief(planned(guest, nic, world).service), 'satisfied NoRouterNeeded')
  const wished = { ...nic, ipAddress: '10.1.1.5' }
  t.is(brief(planned(guest, wished, world).address), 'blocked NoAddresses')
})

test('NET-047 addresses of a shared network come from its ranges', t => {
  const shared = { name: 'shared', sharedNetworkName: 'shared-1', secondaryIPs: [], securityGroupNames: [] }
  const guest = machine({ nics: [shared] })
  const offering = networkOffering({ name: 'shared', guestType: 'Shared', services: [] })
  const world = networkWorld([sharedNetwork({ addresses: ['10.20.0.10-10.20.0.10'] }), offering, guest])
  const verdict = planned(guest, shared, world).address
  t.regex(created(verdict)[0] ?? '', /-10\.20\.0\.10$/)
  t.is(brief(planned(guest, { ...shared, ipAddress: '10.20.0.11' }, world).address), 'blocked AddressOutsideNetwork')
})

test('a network that is missing is waited for', t => {
  const guest = machine()
  t.is(brief(planned(guest, nic, networkWorld([guest])).address), 'waiting NetworkNotFound')
})

test('NET-074 addresses of a NIC that is gone go back when the machine no longer has them', t => {
  const guest = machine({ nics: [] })
  const world = networkWorld([network(), guest, addressClaim(guest, '10.1.1.30')])
  const { definition } = machineFacts(guest)
  const segment = { network: 'n', isolation: 'None', label: 'guest0' } as const
  const nics = [{ name: 'web', macAddress: '02:00:00:00:00:01', segment, addresses: ['10.1.1.30'] }]
  const judge = () => brief(verdictsOf(virtualMachineReconciler, guest, world).AddressesAllocated)
  world.see({ machines: [{ endpoint: host1, facts: machineFacts(guest, { definition: { ...definition, nics } }) }] })
  t.is(judge(), 'satisfied Allocated')
  world.see({ machines: [{ endpoint: host1, facts: machineFacts(guest) }] })
  t.is(judge(), 'acting Releasing Delete')
})
