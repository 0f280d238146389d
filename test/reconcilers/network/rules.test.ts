import test from 'ava'
import type { Resource } from '../../../crds/meta.ts'
import type { RouterDocument } from '../../../drivers/contract/facts.ts'
import { firewallRuleReconciler } from '../../../reconcilers/network/firewall-rule.ts'
import { portForwardingRuleReconciler } from '../../../reconcilers/network/port-forwarding-rule.ts'
import { publicIPReconciler } from '../../../reconcilers/network/public-ip.ts'
import { routerDocument } from '../../../reconcilers/network/router-document.ts'
import { publicRange, router } from '../infrastructure-builders.ts'
import { silent } from '../observed-tables.ts'
import { firewallRule, machine, network, networkOffering, portForwardingRule, publicIP } from '../tenant-builders.ts'
import type { TestWorld } from '../world-builder.ts'
import { brief, configureRouter, host1, networkWorld, publicClaim, served, verdictsOf, web } from './network-world.ts'

type Verdicts = ReturnType<typeof verdictsOf>

function judgeRule(object: Resource, world: TestWorld, list: 'phases' | 'teardown' = 'phases'): Verdicts {
  if (object.kind === 'FirewallRule') return verdictsOf(firewallRuleReconciler, object, world, list)
  if (object.kind === 'PublicIP') return verdictsOf(publicIPReconciler, object, world, list)
  return verdictsOf(portForwardingRuleReconciler, object, world, list)
}

function emptied(world: TestWorld): RouterDocument {
  const document = world.derived(routerDocument, web)?.document
  if (document === undefined) throw new Error('Cannot render the document')
  const { egressDefault } = document.firewall
  return { ...document, publicAddresses: [], portForwardings: [], firewall: { egressDefault, rules: [] } }
}

const ingress = firewallRule({ name: 'in', direction: 'Ingress', networkName: undefined, publicIPName: 'web-ip' })
const second = { name: 'second', networkName: 'lab', secondaryIPs: [], securityGroupNames: [] } as const
const first = { name: 'web', networkName: 'web', secondaryIPs: [], securityGroupNames: [] } as const
const lab = network({ name: 'lab', cidr: '10.5.0.0/24' })
const noServices = networkOffering({ services: [{ name: 'DHCP', provider: 'VirtualRouter' }] })
const sourceIP = publicIP({ name: 'web-source-nat', staticNAT: { virtualMachineName: 'web-1' } })
const toMachine = publicIP({ staticNAT: { virtualMachineName: 'web-1' } })

interface Case {
  readonly title: string
  readonly object: Resource
  readonly also?: readonly Resource[]
  readonly condition: string
  readonly expected: string
  readonly message?: RegExp
}

const cases: readonly Case[] = [
  {
    title: 'a rule on a free port is valid',
    object: portForwardingRule(),
    condition: 'Valid',
    expected: 'satisfied Valid',
  },
  {
    title: 'NET-168 overlapping ports of an older rule are refused with its name',
    object: portForwardingRule({ name: 'younger', metadata: { creationTimestamp: '2026-11-02T00:00:00Z' } }),
    also: [portForwardingRule()],
    condition: 'Valid',
    expected: 'blocked PortsTaken',
    message: /^spec\.publicPort: rule "web-http" is older/,
  },
  {
    title: 'NET-141 NET-164 an address with static NAT takes no port forwarding',
    object: portForwardingRule(),
    also: [toMachine],
    condition: 'Valid',
    expected: 'blocked StaticNATOnAddress',
    message: /^spec\.publicIPName/,
  },
  {
    title: 'an offering without the service takes no port forwarding',
    object: portForwardingRule(),
    also: [noServices],
    condition: 'Valid',
    expected: 'blocked NotOffered',
  },
  {
    title: 'NET-169 OFF-118 without conserve mode the source NAT address serves nothing else',
    object: portForwardingRule({ publicIPName: 'web-source-nat' }),
    also: [networkOffering({ conserveMode: false })],
    condition: 'Valid',
    expected: 'blocked AddressServesAlready',
    message: /conserveMode/,
  },
  {
    title: 'NET-169 OFF-119 with conserve mode it does',
    object: portForwardingRule({ publicIPName: 'web-source-nat' }),
    condition: 'Valid',
    expected: 'satisfied Valid',
  },
  {
    title: 'a machine that is not in the network is refused',
    object: portForwardingRule(),
    also: [machine({ nics: [second] }), lab],
    condition: 'Valid',
    expected: 'blocked MachineNotInNetwork',
    message: /^spec\.virtualMachineName: machine "web-1" has no NIC/,
  },
  {
    title: 'a NIC that is not in the network is refused',
    object: portForwardingRule({ nicName: 'second' }),
    also: [machine({ nics: [first, second] }), lab],
    condition: 'Valid',
    expected: 'blocked MachineNotInNetwork',
    message: /no NIC "second"/,
  },
  {
    title: "NET-163 port forwarding works on the machine's default network only",
    object: portForwardingRule(),
    also: [machine({ nics: [second, first] }), lab],
    condition: 'Valid',
    expected: 'blocked NotDefaultNetwork',
    message: /defaultNICName/,
  },
  {
    title: 'a rule on a missing address is waited for',
    object: portForwardingRule({ publicIPName: 'none' }),
    condition: 'Applied',
    expected: 'waiting PublicIPNotFound',
  },
  {
    title: 'NET-166 a rule whose machine is missing forwards nothing and waits',
    object: portForwardingRule({ virtualMachineName: 'none' }),
    condition: 'Applied',
    expected: 'waiting MachineHasNoAddress',
  },
  {
    title: 'a rule that the router does not hold yet waits',
    object: portForwardingRule(),
    condition: 'Applied',
    expected: 'waiting RouterNotConfigured',
  },
  { title: 'an egress rule is valid', object: firewallRule(), condition: 'Valid', expected: 'satisfied Valid' },
  {
    title: 'NET-159 sources of egress are inside the guest network',
    object: firewallRule({ sourceCIDRs: ['10.1.1.128/25', '10.2.0.0/16'] }),
    condition: 'Valid',
    expected: 'blocked SourceOutsideNetwork',
    message: /^spec\.sourceCIDRs: 10\.2\.0\.0\/16 is not inside 10\.1\.1\.0\/24/,
  },
  {
    title: 'NET-159 a part of it is',
    object: firewallRule({ sourceCIDRs: ['10.1.1.128/25'] }),
    condition: 'Valid',
    expected: 'satisfied Valid',
  },
  {
    title: 'sources of ingress are anywhere',
    object: firewallRule({ ...ingress.spec, name: 'in', sourceCIDRs: ['198.51.100.0/24'] }),
    condition: 'Valid',
    expected: 'satisfied Valid',
  },
  {
    title: 'a network without the service has no firewall',
    object: firewallRule(),
    also: [noServices],
    condition: 'Valid',
    expected: 'blocked NotOffered',
    message: /^spec\.networkName/,
  },
  {
    title: 'a rule on a missing address is waited for by name',
    object: firewallRule({ ...ingress.spec, name: 'in', publicIPName: 'none' }),
    condition: 'Applied',
    expected: 'waiting TargetNotFound',
  },
  {
    title: 'a firewall rule that the router does not hold yet waits',
    object: firewallRule(),
    condition: 'Applied',
    expected: 'waiting RouterNotConfigured',
  },
  {
    title: 'NET-137 an address that is held',
    object: publicIP(),
    condition: 'AddressAllocated',
    expected: 'satisfied Allocated',
  },
  {
    title: "an address is taken from the zone's ranges",
    object: publicIP({ name: 'new' }),
    condition: 'AddressAllocated',
    expected: 'acting Allocating Create',
  },
  {
    title: 'an address that is wished for is taken',
    object: publicIP({ name: 'new', address: '192.0.2.150' }),
    condition: 'AddressAllocated',
    expected: 'acting Allocating Create',
    message: /192\.0\.2\.150/,
  },
  {
    title: 'an address outside all ranges is refused',
    object: publicIP({ name: 'new', address: '192.0.2.7' }),
    condition: 'AddressAllocated',
    expected: 'blocked AddressOutsideRanges',
    message: /^spec\.address: 192\.0\.2\.7/,
  },
  {
    title: 'an address that another holds is waited for, with its name',
    object: publicIP({ name: 'new', address: '192.0.2.102' }),
    condition: 'AddressAllocated',
    expected: 'waiting AddressTaken',
    message: /PublicIP "web-ip"/,
  },
  {
    title: 'the broadcast address of a range is never given',
    object: publicIP({ name: 'new', address: '192.0.2.255' }),
    also: [publicRange({ addresses: ['192.0.2.250-192.0.2.255'] })],
    condition: 'AddressAllocated',
    expected: 'blocked AddressKept',
  },
  {
    title: 'a range that is disabled gives no new address',
    object: publicIP({ name: 'new' }),
    also: [publicRange({ allocationState: 'Disabled' })],
    condition: 'AddressAllocated',
    expected: 'waiting AddressesExhausted',
  },
  {
    title: 'nor one that is wished for',
    object: publicIP({ name: 'new', address: '192.0.2.150' }),
    also: [publicRange({ allocationState: 'Disabled' })],
    condition: 'AddressAllocated',
    expected: 'waiting RangeDisabled',
  },
  {
    title: 'addresses that are used up are waited for',
    object: publicIP({ name: 'new' }),
    also: [publicRange({ addresses: ['192.0.2.101-192.0.2.102'] })],
    condition: 'AddressAllocated',
    expected: 'waiting AddressesExhausted',
  },
  {
    title: 'a zone that is missing is waited for',
    object: publicIP({ name: 'new', zoneName: 'none' }),
    condition: 'AddressAllocated',
    expected: 'waiting ZoneNotFound',
  },
  {
    title: 'an address without a value is associated with nothing',
    object: publicIP({ name: 'new' }),
    condition: 'Associated',
    expected: 'waiting AddressPending',
  },
  {
    title: 'an address that the router does not hold yet waits',
    object: publicIP(),
    condition: 'Associated',
    expected: 'waiting RouterNotConfigured',
  },
  {
    title: 'an address whose range is gone is Stalled with both choices',
    object: publicIP(),
    also: [publicRange({ addresses: ['192.0.2.101-192.0.2.101'] })],
    condition: 'Associated',
    expected: 'blocked AddressOutsideRanges',
  },
  {
    title: 'a network without a router takes no address',
    object: publicIP(),
    also: [networkOffering({ services: [] })],
    condition: 'Associated',
    expected: 'blocked NotOffered',
  },
  {
    title: 'NET-141 static NAT is refused while rules forward ports of the address',
    object: toMachine,
    also: [portForwardingRule()],
    condition: 'Associated',
    expected: 'blocked RulesOnAddress',
    message: /remove web-http$/,
  },
  {
    title: 'the source NAT address is not given to one machine',
    object: sourceIP,
    condition: 'Associated',
    expected: 'blocked SourceNATAddress',
  },
  {
    title: 'an offering without static NAT refuses it',
    object: toMachine,
    also: [networkOffering({ services: [{ name: 'SourceNAT', provider: 'VirtualRouter' }] })],
    condition: 'Associated',
    expected: 'blocked NotOffered',
    message: /^spec\.staticNAT/,
  },
  {
    title: "NET-142 static NAT works on the machine's default network only",
    object: toMachine,
    also: [machine({ nics: [second, first] }), lab],
    condition: 'Associated',
    expected: 'blocked NotDefaultNetwork',
  },
  {
    title: 'static NAT to a machine without an address waits',
    object: publicIP({ staticNAT: { virtualMachineName: 'web-2' } }),
    also: [machine({ name: 'web-2' })],
    condition: 'Associated',
    expected: 'waiting MachineHasNoAddress',
  },
]

for (const { title, object, also = [], condition, expected, message } of cases) {
  test(title, t => {
    const world = networkWorld([...served(), object, ...also])
    const verdict = judgeRule(object, world)[condition]
    t.is(brief(verdict), expected)
    if (message !== undefined) t.regex(verdict?.message ?? '', message)
  })
}

const settled: readonly (readonly [string, Resource, string, string])[] = [
  ['a port forwarding rule', portForwardingRule(), 'Applied', 'satisfied Applied'],
  ['an egress rule', firewallRule(), 'Applied', 'satisfied Applied'],
  ['an ingress rule', ingress, 'Applied', 'satisfied Applied'],
  ['an address', publicIP(), 'Associated', 'satisfied Associated'],
  ['an address with static NAT', toMachine, 'Associated', 'satisfied Associated'],
]

for (const [what, object, condition, expected] of settled) {
  test(`SYS-094 SYS-096 ${what} is there once the router holds it, and goes once the router is seen without it`, t => {
    const world = networkWorld([...served(), object])
    t.is(brief(judgeRule(object, world)[condition]), 'waiting RouterNotConfigured')
    configureRouter(world)
    t.is(brief(judgeRule(object, world)[condition]), expected)
    t.is(brief(judgeRule(object, world, 'teardown')[condition]), 'waiting RouterNotConfigured')
    configureRouter(world, undefined, false)
    world.see({ endpoints: { [host1]: silent('2026-11-02T11:00:00Z') } })
    t.is(brief(judgeRule(object, world, 'teardown')[condition]), 'unknown RouterSilent')
    configureRouter(world, emptied(world))
    t.is(brief(judgeRule(object, world, 'teardown')[condition]), 'satisfied Removed')
  })
}

test('NET-050 the source NAT address of a network that has no router yet is Ready/Idle', t => {
  const sourceNAT = publicIP({ name: 'web-source-nat' })
  const world = networkWorld([network(), sourceNAT, publicClaim(sourceNAT, '192.0.2.101')])
  t.is(brief(judgeRule(sourceNAT, world).Associated), 'satisfied Idle')
})

test('a firewall rule of a network without a router is kept for later', t => {
  const world = networkWorld([network(), firewallRule()])
  t.is(brief(judgeRule(firewallRule(), world).Applied), 'satisfied Idle')
})

test('SYS-097 an address goes back only when no router can hold it any more', t => {
  const world = networkWorld(served())
  const judge = () => judgeRule(publicIP(), world, 'teardown')
  configureRouter(world)
  t.is(brief(judge().Associated), 'waiting RouterNotConfigured')
  world.see({ machines: [] })
  t.is(brief(judge().Associated), 'satisfied Removed')
  t.is(brief(judge().AddressAllocated), 'acting Returning Delete')
  world.drop(publicClaim(publicIP(), '192.0.2.102'))
  t.is(brief(judge().AddressAllocated), 'satisfied Returned')
  world.drop(router())
  t.is(brief(judge().Associated), 'satisfied Removed')
})

test('NET-138 an address is kept while rules are on it', t => {
  const world = networkWorld([...served(), portForwardingRule(), ingress])
  const users = (publicIPReconciler.usedBy ?? []).flatMap(({ index, value }) =>
    world.desired.list(index, value(world.desired.get(publicIPReconciler.kind, 'web-ip', 'shop') ?? publicIP())),
  )
  t.deepEqual(
    users.map(({ metadata }) => metadata.name),
    ['web-http', 'in'],
  )
})
