/** Machines that change hands: taken over as they run, given back running, disks taken back from the trash. */
import { type Foreigner, type Manifest, zoneOfPlace } from '../scenario.ts'
import { listIn, type Model, manifest, nameIn } from './model.ts'
import { anyTenant, rootVolumeOf } from './tenants.ts'

type Edit = (model: Model) => void

/** Edits by which machines and disks change hands, by weight. */
export const takeovers: readonly (readonly [number, Edit])[] = [
  [3, takeOver],
  [3, giveBack],
  [2, takeBackDisk],
]

const gibibyte = 1024 ** 3

/**
 * Somebody runs machines on hosts of the cloud, from before anything goes wrong: whoever takes one over later has seen it
 * in the inventory, and so has the control plane.
 */
export function addForeigners(model: Model): void {
  const { chance } = model
  for (let count = chance.between(0, 4); count > 0; count--) {
    const host = chance.pick(model.all('Host'))
    const clusterName = nameIn(host, 'clusterName')
    const pool = chance.pick(model.all('PrimaryStorage').filter(({ spec }) => spec.clusterName === clusterName))
    const name = model.newName('old')
    const nic = chance.happens(0.6) ? nicOf(model, zoneOfPlace(host.metadata.name), name) : undefined
    const foreigner = {
      identity: chance.identity(),
      host: host.metadata.name,
      pool: pool.metadata.name,
      power: chance.pick(['Running', 'Running', 'Off'] as const),
      memoryBytes: gibibyte / 2,
      guestHostName: name,
      disks: [8, ...chance.some([2], 0.4)].map(size => ({ identity: chance.identity(), sizeBytes: size * gibibyte })),
      nics: nic === undefined ? [] : [nic],
    }
    model.steps.push({ at: model.at, do: 'AddForeigner', ...foreigner })
    model.foreigners.push(foreigner)
  }
}

/** `skystead adopt` describes a machine that somebody runs, and the manifests are applied, in any order. */
function takeOver(model: Model): void {
  const { chance } = model
  const foreigner = model.foreigners.shift()
  if (foreigner === undefined) return
  const { identity, power, disks, guestHostName: name } = foreigner
  const zoneName = zoneOfPlace(foreigner.host)
  const namespace = anyTenant(model)
  const wire = wireOf(foreigner, zoneName, namespace)
  const volumes = disks.map((disk, index) => ({ ...disk, name: index === 0 ? `${name}-root` : `${name}-data` }))
  const [root, ...data] = volumes
  const management = { deletionPolicy: chance.pick(['Orphan', 'Orphan', 'Delete']) }
  const documents = [
    ...(wire === undefined ? [] : [wire.network]),
    identityOf('VirtualMachine', { namespace, name, identity }),
    ...volumes.map(each => identityOf('Volume', { namespace, name: each.name, identity: each.identity })),
    ...volumes.map(each => {
      const spec = { zoneName, size: `${each.sizeBytes / gibibyte}Gi`, management }
      return annotated(manifest('Volume', each.name, spec, namespace), each.identity)
    }),
    annotated(
      manifest(
        'VirtualMachine',
        name,
        {
          zoneName,
          serviceOfferingName: 'small',
          runStrategy: power === 'Running' ? 'Always' : 'Halted',
          guestHostName: name,
          rootVolume: { volumeName: root?.name },
          volumes: data.map(each => ({ name: each.name, volumeName: each.name })),
          nics: wire === undefined ? [] : [wire.wish],
          management,
        },
        namespace,
      ),
      identity,
    ),
  ]
  for (const document of chance.happens(0.5) ? documents : chance.shuffled(documents)) {
    model.apply(document)
    model.at += chance.pick([0, 0, 0, 2_000])
  }
}

/** A NIC in the fabric of the zone, outside the segments that the cloud gives out. */
function nicOf(model: Model, zoneName: string, name: string): Foreigner['nics'][number] | undefined {
  const fabric = model.all('PhysicalNetwork').find(({ spec }) => spec.zoneName === zoneName)
  const isolation = fabric?.spec.isolation === 'VLAN' ? ('VLAN' as const) : ('VXLAN' as const)
  const id = Number(name.split('-')[1]) + (isolation === 'VLAN' ? 1_000 : 6_000)
  const macAddress = `52:54:00:00:${hex(model.chance)}:${hex(model.chance)}`
  return { name: 'net0', macAddress, segment: { network: '', isolation, id, label: 'guest0' }, addresses: [] }
}

/** The network that a machine's NIC is plugged into, as an object, and the NIC as it is described. */
function wireOf({ guestHostName, nics: [nic] }: Foreigner, zoneName: string, namespace: string) {
  if (nic === undefined) return undefined
  const name = `wire-${guestHostName}`
  return {
    network: manifest('Network', name, { zoneName, networkOfferingName: 'wired', vlan: nic.segment.id }, namespace),
    wish: { name: 'eth0', networkName: name, macAddress: nic.macAddress },
  }
}

function hex(chance: Model['chance']): string {
  return chance.between(0, 255).toString(16).padStart(2, '0')
}

interface Identified {
  readonly namespace: string
  readonly name: string
  readonly identity: string
}

const groups = { VirtualMachine: 'compute.skystead.dev', Volume: 'storage.skystead.dev' } as const

/** That a thing outside is the one that an object describes. */
function identityOf(kind: keyof typeof groups, { namespace, name, identity }: Identified): Manifest {
  const holder = { group: groups[kind], kind, namespace, name, uid: '' }
  const spec = { type: 'Identity', value: identity, holder, epoch: 1 }
  const lastTransitionTime = '2026-01-01T00:00:00Z'
  const conditions = [{ type: 'Ready', status: 'True', reason: 'Held', message: '', lastTransitionTime }]
  return { ...manifest('Allocation', `identity-${identity}`, spec), status: { conditions } }
}

function annotated(object: Manifest, identity: string): Manifest {
  return { ...object, metadata: { ...object.metadata, annotations: { 'skystead.dev/identity': identity } } }
}

/** A machine is given back running, with its disks; one that was taken over may be taken over once more. */
function giveBack(model: Model): void {
  const { chance } = model
  const machine = chance.maybePick(model.all('VirtualMachine'))
  if (machine === undefined) return
  const { namespace = '' } = machine.metadata
  const names = [rootVolumeOf(machine), ...listIn(machine, 'volumes').map(({ volumeName }) => volumeName)]
  const volumes = model.all('Volume', namespace).filter(({ metadata: { name } }) => names.includes(name))
  const objects = [...volumes, machine].map(object => orphaned(model, object))
  model.at += chance.pick([0, 0, 1_000, 30_000])
  const identities = objects.flatMap(object => identitiesOf(model, object))
  for (const object of chance.shuffled(objects)) giveAway(model, object)
  if (identities.length === 0 || !chance.happens(0.4)) return
  model.at += chance.pick([0, 10_000, 120_000])
  for (const object of chance.shuffled([...identities, ...objects])) model.apply(object)
}

function orphaned(model: Model, object: Manifest): Manifest {
  const { mode } = (object.spec.management ?? {}) as { readonly mode?: string }
  const management = { ...(mode === undefined ? {} : { mode }), deletionPolicy: 'Orphan' }
  model.edit(object, { management })
  return { ...object, spec: { ...object.spec, management } }
}

function identitiesOf(model: Model, { metadata: { annotations } }: Manifest): readonly Manifest[] {
  const identity = annotations?.['skystead.dev/identity']
  return model.all('Allocation').filter(({ spec }) => spec.value === identity)
}

/**
 * Deletes an object. The identity that it was given goes with it, and is described no more; or before it, as where all
 * manifests of a takeover are deleted in the order in which they were written.
 */
export function giveAway(model: Model, object: Manifest): void {
  const identities = identitiesOf(model, object)
  const isFirst = model.chance.happens(0.3)
  if (isFirst) for (const given of identities) model.remove(given)
  model.remove(object)
  if (!isFirst) for (const given of identities) model.forget(given)
}

/** A deleted disk is taken back from the trash, as `skystead trash --restore` does. */
function takeBackDisk(model: Model): void {
  model.steps.push({ at: model.at, do: 'TakeBack', nth: model.chance.between(0, 99), name: model.newName('rescued') })
}
