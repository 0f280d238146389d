/** Describes what tenants have: networks, machines, disks, addresses, rules. */
import type { Manifest } from '../scenario.ts'
import { listIn, type Model, manifest, nameIn } from './model.ts'

const strategies = [
  [6, 'Always'],
  [2, 'OnFailure'],
  [1, 'Once'],
  [2, 'Halted'],
] as const

/** Describes some tenants. */
export function describeTenants(model: Model, machines: number): void {
  const { chance } = model
  const tenants = chance.between(1, 3)
  for (let tenant = 1; tenant <= tenants; tenant++) {
    const namespace = `tenant-${tenant}`
    model.apply(manifest('Namespace', namespace, {}))
    const zoneName = chance.pick(model.all('Zone')).metadata.name
    for (let count = chance.between(1, 2); count > 0; count--) addNetwork(model, namespace, zoneName)
    for (let count = chance.between(0, 2); count > 0; count--) addVolume(model, namespace)
    for (let count = Math.ceil(machines / tenants); count > 0; count--) addMachine(model, namespace)
    for (let count = chance.between(0, 2); count > 0; count--) addPublicIP(model, namespace)
    for (let count = chance.between(0, 3); count > 0; count--) addRule(model, namespace)
  }
}

/** A namespace. */
export function anyTenant(model: Model): string {
  return model.chance.pick(model.all('Namespace')).metadata.name
}

/** The zone that a namespace's things are in: that of its first network, or any. */
function zoneOf(model: Model, namespace: string): string {
  const network = model.all('Network', namespace)[0]
  if (network !== undefined) return nameIn(network, 'zoneName')
  return model.chance.maybePick(model.all('Zone'))?.metadata.name ?? 'zone-1'
}

/** Adds a network. */
export function addNetwork(model: Model, namespace: string, zoneName = zoneOf(model, namespace)): void {
  const offering = model.chance.weighted([
    [3, 'isolated'],
    [1, 'switched'],
  ])
  const cidr =
    offering === 'isolated' && model.chance.happens(0.5) ? { cidr: `10.60.${model.chance.between(1, 3)}.0/24` } : {}
  model.apply(
    manifest('Network', model.newName('net'), { zoneName, networkOfferingName: offering, ...cidr }, namespace),
  )
}

/** Adds a data disk. */
export function addVolume(model: Model, namespace: string): void {
  const diskOfferingName = model.chance.weighted([
    [4, 'disk'],
    [2, 'custom'],
    [1, 'local-disk'],
  ])
  const size = diskOfferingName === 'custom' ? { size: `${model.chance.between(1, 6)}Gi` } : {}
  const spec = { zoneName: zoneOf(model, namespace), diskOfferingName, ...size }
  model.apply(manifest('Volume', model.newName('disk'), spec, namespace))
}

/** Adds a machine. */
export function addMachine(model: Model, namespace: string): void {
  const { chance } = model
  const zoneName = zoneOf(model, namespace)
  const free = freeVolumes(model, namespace, zoneName)
  const volumes = chance.some(free, 0.4).map(({ metadata: { name } }) => ({ name, volumeName: name }))
  const spec = {
    zoneName,
    serviceOfferingName: chance.weighted([
      [4, 'small'],
      [2, 'large'],
      [3, 'simple'],
      [1, 'local'],
      [2, 'spread'],
    ]),
    templateRef: { kind: 'PublicTemplate', name: templateName(model) },
    runStrategy: chance.weighted(strategies),
    shutdownTimeout: chance.pick(['5s', '30s', '120s']),
    nics: nics(model, namespace, zoneName),
    volumes,
  }
  model.apply(manifest('VirtualMachine', model.newName('vm'), spec, namespace))
}

function templateName(model: Model): string {
  return model.chance.maybePick(model.all('PublicTemplate'))?.metadata.name ?? 'linux'
}

/** NICs in some of the networks that a machine may have. */
export function nics(model: Model, namespace: string, zoneName: string): readonly Readonly<Record<string, unknown>>[] {
  const own = model.all('Network', namespace).filter(network => nameIn(network, 'zoneName') === zoneName)
  const shared = model.all('SharedNetwork').filter(network => nameIn(network, 'zoneName') === zoneName)
  const { chance } = model
  return [
    ...chance.some(own, 0.6).map(({ metadata: { name } }) => ({ name, networkName: name })),
    ...chance.some(shared, 0.3).map(({ metadata: { name } }) => ({ name: 'shared', sharedNetworkName: name })),
  ]
}

/** Volumes that no machine names, be it as its root disk. */
export function freeVolumes(model: Model, namespace: string, zoneName: string): readonly Manifest[] {
  const taken = new Set(
    model
      .all('VirtualMachine', namespace)
      .flatMap(machine => [rootVolumeOf(machine), ...listIn(machine, 'volumes').map(each => each.volumeName)]),
  )
  return model
    .all('Volume', namespace)
    .filter(volume => !taken.has(volume.metadata.name) && nameIn(volume, 'zoneName') === zoneName)
}

/** The volume that a machine names as its root disk; undefined where it has one of its own. */
export function rootVolumeOf({ spec }: Manifest): string | undefined {
  return (spec.rootVolume as { readonly volumeName?: string } | undefined)?.volumeName
}

/** Adds a public address to a network that may have one. */
export function addPublicIP(model: Model, namespace: string): void {
  const network = model.chance.maybePick(isolated(model, namespace))
  if (network === undefined) return
  const spec = { zoneName: nameIn(network, 'zoneName'), networkName: network.metadata.name }
  model.apply(manifest('PublicIP', model.newName('ip'), spec, namespace))
}

/** Adds a rule: of port forwarding where that is possible, else of the firewall. */
export function addRule(model: Model, namespace: string): void {
  const { chance } = model
  const address = chance.maybePick(model.all('PublicIP', namespace).filter(({ spec }) => spec.staticNAT === undefined))
  const machine =
    address === undefined ? undefined : chance.maybePick(machinesOn(model, namespace, nameIn(address, 'networkName')))
  if (address !== undefined && machine !== undefined && chance.happens(0.7)) {
    const port = chance.between(1, 60_000)
    const spec = {
      publicIPName: address.metadata.name,
      protocol: chance.pick(['TCP', 'UDP']),
      publicPort: port,
      virtualMachineName: machine.metadata.name,
      privatePort: port,
      sourceCIDRs: chance.pick([[], ['0.0.0.0/0']]),
    }
    model.apply(manifest('PortForwardingRule', model.newName('port'), spec, namespace))
    return
  }
  const network = chance.maybePick(isolated(model, namespace))
  if (network === undefined) return
  const spec = {
    networkName: network.metadata.name,
    direction: 'Egress',
    protocol: 'TCP',
    ports: [chance.between(1, 60_000)],
    destinationCIDRs: ['0.0.0.0/0'],
  }
  model.apply(manifest('FirewallRule', model.newName('wall'), spec, namespace))
}

/** Machines with a NIC in a network. */
export function machinesOn(model: Model, namespace: string, network: string): readonly Manifest[] {
  return model
    .all('VirtualMachine', namespace)
    .filter(machine => listIn(machine, 'nics').some(nic => nic.networkName === network))
}

function isolated(model: Model, namespace: string): readonly Manifest[] {
  return model.all('Network', namespace).filter(network => nameIn(network, 'networkOfferingName') === 'isolated')
}
