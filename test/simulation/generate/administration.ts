/** Random edits that operators make: of places, of the Settings, of what is managed and how. */
import { keyOf, type Manifest, zoneOfPlace } from '../scenario.ts'
import { type DescribedKind, type Model, manifest, nameIn } from './model.ts'

type Edit = (model: Model) => void

/** Edits of operators, by weight. */
export const administration: readonly (readonly [number, Edit])[] = [
  [2, editHost],
  [2, editAllocation],
  [3, editHostLifecycle],
  [2, editPlaceLifecycle],
  [3, editSettings],
  [2, editHostFailure],
  [2, editManagement],
  [1, editTemplate],
  [1, addHost],
  [1, addPool],
  [1, moveHost],
  [2, removePlace],
  [2, bringPlaceBack],
]

function anyOf(model: Model, kind: DescribedKind): Manifest | undefined {
  return model.chance.maybePick(model.all(kind))
}

function editHost(model: Model): void {
  const host = anyOf(model, 'Host')
  if (host === undefined) return
  const tags = model.chance.some(['fast', 'quiet', 'old'], 0.4)
  model.edit({ ...host, metadata: { ...host.metadata, labels: { rack: `r${model.chance.between(1, 3)}` } } }, { tags })
}

const allocatable = [
  'Zone',
  'HostPod',
  'HostCluster',
  'Host',
  'PrimaryStorage',
  'ServiceOffering',
  'DiskOffering',
  'PublicTemplate',
] as const

function editAllocation(model: Model): void {
  const place = anyOf(model, model.chance.pick(allocatable))
  if (place === undefined) return
  model.edit(place, { allocationState: place.spec.allocationState === 'Disabled' ? 'Enabled' : 'Disabled' })
}

/** Empties a host, or opens it again; most stay open. */
function editHostLifecycle(model: Model): void {
  const closed = model.all('Host').filter(({ spec }) => spec.lifecycle === 'Maintenance')
  if (closed.length > 0 && model.chance.happens(0.3 + 0.2 * closed.length)) {
    model.edit(model.chance.pick(closed), { lifecycle: 'Active' })
    return
  }
  const host = model.chance.maybePick(model.all('Host').filter(({ spec }) => spec.lifecycle !== 'Lost'))
  if (host !== undefined) model.edit(host, { lifecycle: 'Maintenance' })
}

/** Closes a pool, or a place with all its hosts, or opens it again; sooner or later it is open. */
function editPlaceLifecycle(model: Model): void {
  const { chance } = model
  const kind = chance.weighted([
    [4, 'PrimaryStorage'],
    [3, 'HostCluster'],
    [1, 'HostPod'],
    [1, 'Zone'],
  ] as const)
  const closed = model.all(kind).find(({ spec }) => spec.lifecycle === 'Maintenance')
  const place = closed ?? anyOf(model, kind)
  if (place !== undefined) model.edit(place, { lifecycle: closed === undefined ? 'Maintenance' : 'Active' })
}

function editSettings(model: Model): void {
  const settings = model.all('Settings')[0]
  if (settings === undefined) return
  const { chance } = model
  const change: () => Readonly<Record<string, unknown>> = chance.pick([
    () => ({ expungeDelay: chance.pick(['0s', '60s', '10m']) }),
    () => ({ hostLossDelay: chance.pick(['10s', '30s', '60s', '3m']) }),
    () => ({ networkIdleDelay: chance.pick(['0s', '60s', '10m']) }),
    () => ({ managementDefaults: managementDefaults(model) }),
    () => ({
      hostFailure: {
        ...failurePolicy(model),
        silentShareLimit: chance.pick(['0', '0.25', '0.5', '1']),
        fencesAtOnce: chance.pick([1, 2, 10]),
      },
    }),
    () => ({
      migrations: {
        perSourceHost: chance.between(1, 3),
        perTargetHost: chance.between(1, 3),
        perZone: chance.pick([1, 3, 20]),
        bandwidthMbps: chance.pick([0, 1000]),
        timeout: chance.pick(['30s', '5m', '1h']),
        retryDelay: chance.pick(['5s', '1m']),
      },
    }),
  ])
  model.edit(settings, change())
}

const managed = ['Host', 'PrimaryStorage', 'SecondaryStorage', 'VirtualMachine', 'Volume'] as const

function managementDefaults(model: Model): readonly Readonly<Record<string, unknown>>[] {
  const kinds = model.chance.some([...managed, 'VirtualRouter', 'SystemVM'], 0.15)
  return kinds.map(kind => ({ kind, mode: model.chance.pick(['Observe', 'Pause', 'Enforce']) }))
}

function failurePolicy({ chance }: Model): Readonly<Record<string, unknown>> {
  return {
    ...(chance.happens(0.7) ? { fencing: chance.pick(['Automatic', 'Automatic', 'Manual']) } : {}),
    ...(chance.happens(0.4) ? { unreachableLimit: chance.pick(['1m', '5m']) } : {}),
    ...(chance.happens(0.5) ? { powerOnAttempts: chance.between(0, 2) } : {}),
  }
}

function editHostFailure(model: Model): void {
  const place = anyOf(model, model.chance.pick(['Host', 'HostCluster', 'Zone'] as const))
  if (place !== undefined)
    model.edit(place, { hostFailure: model.chance.happens(0.3) ? undefined : failurePolicy(model) })
}

/** What is only observed or paused stays so for a while; so does what is protected. */
function editManagement(model: Model): void {
  const { chance } = model
  const kind = chance.weighted([
    [4, 'VirtualMachine'],
    [3, 'Volume'],
    [1, 'Host'],
    [1, 'PrimaryStorage'],
    [1, 'SecondaryStorage'],
  ] as const)
  const object = anyOf(model, kind)
  if (object === undefined) return
  if (chance.happens(0.25)) {
    model.edit(object, { protected: object.spec.protected === 'Enabled' ? undefined : 'Enabled' })
    return
  }
  const { deletionPolicy = 'Delete' } = (object.spec.management ?? {}) as { readonly deletionPolicy?: string }
  const mode = object.spec.management === undefined ? chance.pick(['Observe', 'Pause']) : 'Enforce'
  model.edit(object, { management: { mode, deletionPolicy } })
}

function editTemplate(model: Model): void {
  const { chance } = model
  if (chance.happens(0.4)) {
    model.apply(template(model.newName('template')))
    return
  }
  const object = anyOf(model, 'PublicTemplate')
  if (object === undefined) return
  const minimumMemory = chance.pick(['128Mi', '256Mi', '768Mi'])
  model.edit(object, { minimumMemory, displayText: model.newName('Text') })
}

/** A template. */
export function template(name: string): Manifest {
  return manifest('PublicTemplate', name, {
    osType: 'Linux',
    images: [{ hypervisor: 'Simulator', format: 'QCOW2', url: `sim://images/${name}` }],
  })
}

/** Adds a host beside others, at an address of its own. */
function addHost(model: Model): void {
  const like = anyOf(model, 'Host')
  if (like === undefined) return
  const { lifecycle: _, hostFailure: __, management: ___, ...spec } = like.spec
  const name = model.newName(`${nameIn(like, 'clusterName')}-h9`)
  model.apply({ ...like, metadata: { name }, spec: { ...spec, address: `${name}.example` } })
}

function addPool(model: Model): void {
  const cluster = anyOf(model, 'HostCluster')
  if (cluster === undefined) return
  const clusterName = cluster.metadata.name
  const name = model.newName(`${clusterName}-pool`)
  const spec = { scope: 'Cluster', clusterName, url: `sim://${name}`, capacity: '500Gi', tags: [] }
  model.apply(manifest('PrimaryStorage', name, spec))
}

/** A host is described anew in another cluster of its zone: it is emptied first, deleted, and made again. */
function moveHost(model: Model): void {
  const host = anyOf(model, 'Host')
  if (host === undefined || host.spec.lifecycle === 'Lost') return
  const zoneName = zoneOfPlace(host.metadata.name)
  const others = model
    .all('HostCluster')
    .filter(({ metadata: { name } }) => zoneOfPlace(name) === zoneName && name !== host.spec.clusterName)
  const cluster = model.chance.maybePick(others)
  if (cluster === undefined) return
  model.edit(host, { lifecycle: 'Maintenance' })
  model.at += model.chance.pick([0, 1_000, 120_000])
  model.remove(host)
  const { lifecycle: _, ...spec } = host.spec
  model.apply({ ...host, spec: { ...spec, clusterName: cluster.metadata.name } })
}

const places: readonly (readonly [number, DescribedKind])[] = [
  [6, 'Host'],
  [4, 'PrimaryStorage'],
  [1, 'HostCluster'],
  [1, 'HostPod'],
  [1, 'Zone'],
  [1, 'SecondaryStorage'],
  [1, 'PhysicalNetwork'],
  [1, 'PublicIPRange'],
  [1, 'SharedNetwork'],
  [2, 'ServiceOffering'],
  [1, 'DiskOffering'],
  [1, 'NetworkOffering'],
  [2, 'PublicTemplate'],
]

const placeKinds = new Set<string>(places.map(([, kind]) => kind))

/** Deletes a place or an offering, mostly one in use: it goes when nothing uses it any more. */
function removePlace(model: Model): void {
  const place = anyOf(model, model.chance.weighted(places))
  if (place === undefined || place.spec.lifecycle === 'Lost') return
  if (place.kind === 'Host' && model.chance.happens(0.5)) model.edit(place, { lifecycle: 'Maintenance' })
  model.remove(place)
}

/** Describes a place again, as it was, perhaps while it is still being taken down. */
function bringPlaceBack(model: Model): void {
  const gone = new Map(model.removed.filter(({ kind }) => placeKinds.has(kind)).map(place => [keyOf(place), place]))
  const place = model.chance.maybePick([...gone.values()].filter(each => !model.has(each)))
  if (place === undefined) return
  const { lifecycle: _, ...spec } = place.spec
  model.apply({ ...place, spec })
}
