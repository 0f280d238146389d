/** Random edits of a described cloud: from any valid state to any other. */
import { keyOf, type Manifest } from '../scenario.ts'
import { administration } from './administration.ts'
import { type DescribedKind, listIn, type Model, nameIn } from './model.ts'
import { giveAway, takeovers } from './takeovers.ts'
import {
  addMachine,
  addNetwork,
  addPublicIP,
  addRule,
  addVolume,
  anyTenant,
  freeVolumes,
  machinesOn,
  nics,
} from './tenants.ts'

type Edit = (model: Model) => void

const edits: readonly (readonly [number, Edit])[] = [
  [10, editStrategy],
  [6, editOffering],
  [6, editVolumes],
  [3, moveVolume],
  [5, editNICs],
  [2, growVolume],
  [3, editRule],
  [2, editStaticNAT],
  [4, editPlacement],
  [2, editRestartWindow],
  [5, model => addMachine(model, anyTenant(model))],
  [3, model => addVolume(model, anyTenant(model))],
  [1, model => addNetwork(model, anyTenant(model))],
  [2, model => addPublicIP(model, anyTenant(model))],
  [3, model => addRule(model, anyTenant(model))],
  [9, removeSomething],
  [4, bringBack],
  ...administration,
  ...takeovers,
]

/** Makes one edit. */
export function edit(model: Model): void {
  model.chance.weighted(edits)(model)
}

function anyOf(model: Model, kind: DescribedKind): Manifest | undefined {
  return model.chance.maybePick(model.all(kind))
}

function editStrategy(model: Model): void {
  const machine = anyOf(model, 'VirtualMachine')
  if (machine === undefined) return
  const runStrategy = model.chance.pick(['Always', 'Always', 'OnFailure', 'Once', 'Halted'])
  model.edit(machine, { runStrategy })
}

function editOffering(model: Model): void {
  const machine = anyOf(model, 'VirtualMachine')
  if (machine === undefined || machine.spec.serviceOfferingName === 'local') return
  model.edit(machine, { serviceOfferingName: model.chance.pick(['small', 'large', 'simple', 'spread']) })
}

function editVolumes(model: Model): void {
  const machine = anyOf(model, 'VirtualMachine')
  if (machine === undefined) return
  const { namespace = '' } = machine.metadata
  const own = model.chance.some(listIn(machine, 'volumes'), 0.5)
  const free = model.chance.some(freeVolumes(model, namespace, nameIn(machine, 'zoneName')), 0.5)
  const added = free.map(({ metadata: { name } }) => ({ name, volumeName: name }))
  model.edit(machine, { volumes: [...own, ...added] })
}

/** Takes a disk from one machine and gives it to another, in one go. */
function moveVolume(model: Model): void {
  const from = model.chance.maybePick(model.all('VirtualMachine').filter(each => listIn(each, 'volumes').length > 0))
  if (from === undefined) return
  const { namespace } = from.metadata
  const others = model
    .all('VirtualMachine', namespace)
    .filter(({ metadata, spec }) => metadata.name !== from.metadata.name && spec.zoneName === from.spec.zoneName)
  const to = model.chance.maybePick(others)
  const [moved, ...rest] = listIn(from, 'volumes')
  if (to === undefined || moved === undefined) return
  const give = () => model.edit(to, { volumes: [...listIn(to, 'volumes'), moved] })
  const take = () => model.edit(from, { volumes: rest })
  if (model.chance.happens(0.5)) {
    take()
    give()
  } else {
    give()
    take()
  }
}

function editNICs(model: Model): void {
  const machine = anyOf(model, 'VirtualMachine')
  if (machine === undefined) return
  const { namespace = '', name } = machine.metadata
  if (isForwardedTo(model, namespace, name)) return
  model.edit(machine, { nics: nics(model, namespace, nameIn(machine, 'zoneName')) })
}

function isForwardedTo(model: Model, namespace: string, machine: string): boolean {
  const forwarded = model.all('PortForwardingRule', namespace).some(rule => rule.spec.virtualMachineName === machine)
  return forwarded || model.all('PublicIP', namespace).some(address => staticTarget(address) === machine)
}

function staticTarget({ spec }: Manifest): string | undefined {
  return (spec.staticNAT as { readonly virtualMachineName?: string } | undefined)?.virtualMachineName
}

function growVolume(model: Model): void {
  const volume = model.chance.maybePick(model.all('Volume').filter(({ spec }) => spec.size !== undefined))
  if (volume === undefined) return
  model.edit(volume, { size: `${Number.parseInt(nameIn(volume, 'size'), 10) + model.chance.between(0, 4)}Gi` })
}

function editRule(model: Model): void {
  const rule = anyOf(model, 'PortForwardingRule')
  if (rule === undefined) return
  const port = model.chance.between(1, 60_000)
  model.edit(rule, { publicPort: port, privatePort: port, sourceCIDRs: model.chance.pick([[], ['10.0.0.0/8']]) })
}

function editStaticNAT(model: Model): void {
  const address = anyOf(model, 'PublicIP')
  if (address === undefined) return
  const { namespace = '', name } = address.metadata
  if (address.spec.staticNAT !== undefined) {
    model.edit(address, { staticNAT: undefined })
    return
  }
  if (model.all('PortForwardingRule', namespace).some(rule => rule.spec.publicIPName === name)) return
  const taken = new Set(model.all('PublicIP', namespace).map(staticTarget))
  const machines = machinesOn(model, namespace, nameIn(address, 'networkName'))
  const machine = model.chance.maybePick(machines.filter(each => !taken.has(each.metadata.name)))
  if (machine !== undefined) model.edit(address, { staticNAT: { virtualMachineName: machine.metadata.name } })
}

/** Wishes a machine on some host of its zone, or wherever it fits. */
function editPlacement(model: Model): void {
  const machine = anyOf(model, 'VirtualMachine')
  if (machine === undefined) return
  const hosts = model.all('Host').filter(({ metadata: { name } }) => name.startsWith(`${nameIn(machine, 'zoneName')}-`))
  const host = model.chance.maybePick(hosts)
  if (host === undefined || (machine.spec.placement !== undefined && model.chance.happens(0.4))) {
    model.edit(machine, { placement: undefined })
    return
  }
  model.edit(machine, { placement: { hostName: host.metadata.name } })
}

/** A time in which the machine may be restarted: soon, for a while. */
function editRestartWindow(model: Model): void {
  const { chance } = model
  const machine = anyOf(model, 'VirtualMachine')
  if (machine === undefined) return
  const minute = Math.floor(model.at / 60_000) + chance.between(0, 15)
  const start = [Math.floor(minute / 60) % 24, minute % 60].map(part => String(part).padStart(2, '0')).join(':')
  const window = { start, duration: chance.pick(['1m', '5m', '30m']) }
  model.edit(machine, { restartWindow: chance.happens(0.3) ? undefined : window })
}

/** Deletes something of a tenant's; sometimes something that others still use. */
function removeSomething(model: Model): void {
  const { chance } = model
  const kind = chance.weighted([
    [6, 'VirtualMachine'],
    [3, 'Volume'],
    [1, 'Network'],
    [2, 'PublicIP'],
    [2, 'PortForwardingRule'],
    [2, 'FirewallRule'],
  ] as const)
  const object = anyOf(model, kind)
  if (object === undefined) return
  if (isUsed(model, object) && !chance.happens(0.1)) return
  giveAway(model, object)
}

function isUsed(model: Model, { kind, metadata: { name, namespace } }: Manifest): boolean {
  const machines = model.all('VirtualMachine', namespace)
  if (kind === 'Volume')
    return machines.some(machine => listIn(machine, 'volumes').some(each => each.volumeName === name))
  if (kind === 'VirtualMachine') return isForwardedTo(model, namespace ?? '', name)
  if (kind === 'PublicIP')
    return model.all('PortForwardingRule', namespace).some(rule => rule.spec.publicIPName === name)
  if (kind !== 'Network') return false
  const rules = [...model.all('FirewallRule', namespace), ...model.all('PublicIP', namespace)]
  return machinesOn(model, namespace ?? '', name).length > 0 || rules.some(rule => rule.spec.networkName === name)
}

/** Makes something again that was deleted, perhaps while it is still being taken down. */
function bringBack(model: Model): void {
  const gone = new Map(
    model.removed.filter(({ metadata }) => metadata.namespace !== undefined).map(each => [keyOf(each), each]),
  )
  const object = model.chance.maybePick([...gone.values()].filter(each => !model.has(each)))
  if (object === undefined) return
  model.apply(object.kind === 'VirtualMachine' ? withoutTaken(model, object) : object)
}

/** A machine without the disks that others have meanwhile. */
function withoutTaken(model: Model, machine: Manifest): Manifest {
  const { namespace = '' } = machine.metadata
  const free = new Set(freeVolumes(model, namespace, nameIn(machine, 'zoneName')).map(({ metadata }) => metadata.name))
  const volumes = listIn(machine, 'volumes').filter(({ volumeName }) => free.has(String(volumeName)))
  return { ...machine, spec: { ...machine.spec, volumes } }
}
