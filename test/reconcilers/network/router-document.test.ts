import test from 'ava'
import fc from 'fast-check'
import type { Resource } from '../../../crds/meta.ts'
import { hashOf, macAddressOf } from '../../../reconcilers/identity.ts'
import { routerDocument } from '../../../reconcilers/network/router-document.ts'
import { publicRange } from '../infrastructure-builders.ts'
import { uidOf } from '../resource-builder.ts'
import { firewallRule, machine, network, networkOffering, portForwardingRule, publicIP } from '../tenant-builders.ts'
import { addressClaim, networkWorld, publicClaim, served, web } from './network-world.ts'

function documentOf(...objects: readonly Resource[]) {
  const rendered = networkWorld([...served(), ...objects]).derived(routerDocument, web)
  if (rendered === undefined) throw new Error('Cannot render the document')
  return rendered.document
}

const leaving = { deletionTimestamp: '2026-11-02T11:00:00Z', finalizers: ['x'] }

test("NET-052 NET-211 NET-214 NET-215 a machine has its address, host name and default route by DHCP; DNS goes to the zone's servers", t => {
  const { dhcp, guest } = documentOf()
  t.deepEqual(guest, {
    cidr: '10.1.1.0/24',
    gateway: '10.1.1.1',
    domain: 'zone-a.cloud.internal',
    dns: ['192.0.2.53'],
  })
  const macAddress = macAddressOf(machine().metadata.uid, 'web')
  t.deepEqual(dhcp, [{ macAddress, address: '10.1.1.20', hostName: 'web-1', defaultRoute: true }])
})

test("TPL-073 VM-018 the guest's own name is handed out where it has one", t => {
  t.is(documentOf(machine({ guestHostName: 'shop-front' })).dhcp[0]?.hostName, 'shop-front')
})

test('VM-009 NET-071 NET-082 only the default NIC, the first where none is named, gets the default route', t => {
  const nics = [
    { name: 'lab', networkName: 'lab', secondaryIPs: [], securityGroupNames: [] },
    { name: 'web', networkName: 'web', secondaryIPs: [], securityGroupNames: [] },
  ]
  const lab = network({ name: 'lab', cidr: '10.5.0.0/24' })
  t.false(documentOf(lab, machine({ nics })).dhcp[0]?.defaultRoute)
  t.true(documentOf(lab, machine({ nics, defaultNICName: 'web' })).dhcp[0]?.defaultRoute)
})

test('SYS-093 machines that are being deleted are left out at once', t => {
  t.deepEqual(documentOf(machine({ metadata: leaving })).dhcp, [])
})

test('machines of other networks and without an address are left out', t => {
  const other = machine({
    name: 'web-2',
    nics: [{ name: 'x', networkName: 'lab', secondaryIPs: [], securityGroupNames: [] }],
  })
  t.is(documentOf(other, machine({ name: 'web-3' }), network({ name: 'lab', cidr: '10.5.0.0/24' })).dhcp.length, 1)
})

test('VM-178 user data is named by address and hash, never as it is', t => {
  const document = documentOf(machine({ userData: '#cloud-config\npassword: secret' }))
  t.deepEqual(document.userData, [{ address: '10.1.1.20', hash: hashOf('#cloud-config\npassword: secret') }])
  t.notRegex(JSON.stringify(document), /secret/)
  const plain = networkOffering({ services: [{ name: 'DHCP', provider: 'VirtualRouter' }] })
  t.deepEqual(documentOf(machine({ userData: 'x' }), plain).userData, [])
})

test('NET-053 NET-137 public addresses come with their subnet; one of them translates sources', t => {
  const { publicAddresses } = documentOf()
  t.deepEqual(publicAddresses, [
    { address: '192.0.2.101', cidr: '192.0.2.0/24', gateway: '192.0.2.1', sourceNAT: true },
    { address: '192.0.2.102', cidr: '192.0.2.0/24', gateway: '192.0.2.1', sourceNAT: false },
  ])
})

test('NET-167 an address on a public VLAN says so', t => {
  t.deepEqual(
    documentOf(publicRange({ vlan: 500 })).publicAddresses.map(({ vlan }) => vlan),
    [500, 500],
  )
})

test("NET-140 NET-143 static NAT names the machine's address while it has one", t => {
  const staticNAT = { virtualMachineName: 'web-1' }
  t.is(documentOf(publicIP({ staticNAT })).publicAddresses[1]?.staticNAT, '10.1.1.20')
  t.is(documentOf(publicIP({ staticNAT: { virtualMachineName: 'none' } })).publicAddresses[1]?.staticNAT, undefined)
})

test('SYS-097 an address that is being released is left out with all that is on it', t => {
  const document = documentOf(
    publicIP({ metadata: leaving }),
    portForwardingRule(),
    firewallRule({ direction: 'Ingress', networkName: undefined, publicIPName: 'web-ip' }),
  )
  t.deepEqual(
    document.publicAddresses.map(({ address }) => address),
    ['192.0.2.101'],
  )
  t.deepEqual(document.portForwardings, [])
  t.deepEqual(document.firewall.rules, [])
})

test('NET-148 NET-162 a port is led to a port of the machine, for the sources that are named', t => {
  const [rule] = documentOf(portForwardingRule({ sourceCIDRs: ['198.51.100.0/24', '10.0.0.0/8'] })).portForwardings
  t.deepEqual(rule, {
    identity: portForwardingRule().metadata.uid,
    protocol: 'TCP',
    address: '192.0.2.102',
    publicPort: 80,
    publicPortEnd: 80,
    target: '10.1.1.20',
    privatePort: 8080,
    privatePortEnd: 8080,
    sourceCIDRs: ['10.0.0.0/8', '198.51.100.0/24'],
  })
})

test('NET-162 a range of ports is led to as many ports', t => {
  const [rule] = documentOf(portForwardingRule({ publicPort: 33, publicPortEnd: 44, privatePort: 100 })).portForwardings
  t.like(rule, { publicPort: 33, publicPortEnd: 44, privatePort: 100, privatePortEnd: 111 })
})

test('NET-168 of overlapping rules the oldest holds, also by a part; other protocols and addresses do not matter', t => {
  const at = (name: string, creationTimestamp: string, publicPort: number, publicPortEnd: number) =>
    portForwardingRule({ name, publicPort, publicPortEnd, metadata: { creationTimestamp } })
  const first = at('b', '2026-11-01T00:00:00Z', 10, 20)
  const second = at('a', '2026-11-01T00:00:01Z', 20, 30)
  const third = at('c', '2026-11-01T00:00:02Z', 25, 40)
  const udp = portForwardingRule({ name: 'udp', protocol: 'UDP', publicPort: 10 })
  const names = documentOf(third, second, first, udp).portForwardings.map(({ identity }) => identity)
  const expected = [first, third, udp].map(({ metadata }) => metadata.uid)
  t.deepEqual(names.toSorted(), expected.toSorted())
})

test('NET-141 OFF-121 no port is led on from an address with static NAT; firewall rules hold on it', t => {
  const document = documentOf(
    publicIP({ staticNAT: { virtualMachineName: 'web-1' } }),
    portForwardingRule(),
    firewallRule({ direction: 'Ingress', networkName: undefined, publicIPName: 'web-ip' }),
  )
  t.deepEqual(document.portForwardings, [])
  t.is(document.firewall.rules[0]?.address, '192.0.2.102')
})

test("NET-154 NET-155 NET-156 NET-158 OFF-124 the offering's egress policy stands in the document; rules are its exceptions", t => {
  t.deepEqual(documentOf().firewall, { egressDefault: 'Deny', rules: [] })
  t.is(documentOf(networkOffering({ egressDefault: 'Allow' })).firewall.egressDefault, 'Allow')
  const [rule] = documentOf(firewallRule()).firewall.rules
  t.deepEqual(rule, {
    identity: firewallRule().metadata.uid,
    direction: 'Egress',
    protocol: 'TCP',
    ports: [
      [80, 80],
      [443, 443],
    ],
    sourceCIDRs: [],
    destinationCIDRs: ['0.0.0.0/0'],
  })
})

test('NET-146 NET-147 without a rule nothing is let in to a public address', t => {
  t.deepEqual(documentOf(portForwardingRule({ sourceCIDRs: [] })).firewall.rules, [])
})

test('NET-160 ports and ranges of ports in order; ICMP by type and code', t => {
  const [tcp] = documentOf(firewallRule({ ports: [443, 80], portRanges: ['8000-8100', '80-90'] })).firewall.rules
  t.deepEqual(tcp?.ports, [
    [80, 80],
    [80, 90],
    [443, 443],
    [8000, 8100],
  ])
  const icmp = { protocol: 'ICMP', ports: [], icmpType: 8, icmpCode: 0 } as const
  t.like(documentOf(firewallRule(icmp)).firewall.rules[0], { protocol: 'ICMP', icmpType: 8, icmpCode: 0, ports: [] })
  t.is(documentOf(firewallRule({ protocol: 'All', ports: [] })).firewall.rules[0]?.protocol, 'All')
})

test('rules that are being deleted, or that the API has not stored yet, are left out', t => {
  t.deepEqual(documentOf(firewallRule({ metadata: leaving })).firewall.rules, [])
  t.deepEqual(documentOf(firewallRule({ metadata: { resourceVersion: '' } })).firewall.rules, [])
  t.deepEqual(documentOf(portForwardingRule({ metadata: leaving })).portForwardings, [])
})

test('the same cloud in any order gives the same document and hash, with every list sorted', t => {
  const others = [2, 3, 4].flatMap(number => {
    const guest = machine({ name: `web-${number}` })
    const address = publicIP({ name: `ip-${number}` })
    return [
      guest,
      address,
      addressClaim(guest, `10.1.1.${40 - number}`),
      publicClaim(address, `192.0.2.${120 + number}`),
      portForwardingRule({ name: `rule-${number}`, publicPort: number, virtualMachineName: `web-${number}` }),
      firewallRule({ name: `out-${number}`, ports: [number] }),
    ]
  })
  const objects = [...served(), ...others]
  const render = (list: readonly Resource[]) => networkWorld(list).derived(routerDocument, web)
  const reference = render(objects)
  const { dhcp = [], portForwardings = [] } = reference?.document ?? {}
  t.is(dhcp.length, 4)
  t.deepEqual(
    dhcp,
    dhcp.toSorted((left, right) => (left.macAddress < right.macAddress ? -1 : 1)),
  )
  t.deepEqual(
    portForwardings,
    portForwardings.toSorted((left, right) => (left.identity < right.identity ? -1 : 1)),
  )
  fc.assert(
    fc.property(fc.shuffledSubarray(objects, { minLength: objects.length }), shuffled => {
      t.deepEqual(render(shuffled), reference)
    }),
    { numRuns: 25 },
  )
})

test('a network without a subnet or without an offering has no document', t => {
  t.is(networkWorld([]).derived(routerDocument, web), undefined)
  const l2 = networkOffering({ guestType: 'L2', services: [] })
  t.is(networkWorld([network({ cidr: undefined }), l2]).derived(routerDocument, web), undefined)
  t.truthy(uidOf('Network', 'web', 'shop'))
})
