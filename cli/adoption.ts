import type { InventoryAnswer, InventoryPlace, InventoryThing } from '../controllers/query/inventory.ts'
import { ServiceOffering } from '../crds/compute/service-offering.ts'
import { VirtualMachine } from '../crds/compute/virtual-machine.ts'
import { Host } from '../crds/infrastructure/host.ts'
import { HostCluster } from '../crds/infrastructure/host-cluster.ts'
import { HostPod } from '../crds/infrastructure/host-pod.ts'
import { formatQuantity, parseBytes } from '../crds/invariants/quantity.ts'
import { Volume } from '../crds/storage/volume.ts'
import type { MachineFacts, VolumeFacts } from '../drivers/contract/facts.ts'
import { allocation, identityAnnotation } from '../reconcilers/claims.ts'
import { NetworkFinder } from './adoption-networks.ts'
import { type Document, freeName, label, NotAdoptable } from './adoption-parts.ts'
import type { Cloud } from './cloud.ts'

/** What taking machines over needs: a file for each machine, and one for what several of them use. */
export interface Adoption {
  readonly files: readonly { readonly name: string; readonly documents: readonly Document[] }[]
  /** Machines that cannot be taken over, and why. */
  readonly refused: readonly { readonly machine: string; readonly host: string; readonly reason: string }[]
}

/** Which machines are meant, and where their objects are to be. */
export interface AdoptionWish {
  readonly namespace: string
  /** Identities, or names of guests; left out: every machine that can be taken over. */
  readonly machines?: readonly string[]
  /** When the manifests are made (RFC 3339). */
  readonly now: string
}

const identityPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The clock rate of an offering for machines whose hypervisor tells none. */
const unknownClockMHz = 1000

/** Manifests that describe machines which bear no mark exactly as they are, so that applying them takes them over. */
export function adoptionOf(inventory: InventoryAnswer, cloud: Cloud, wish: AdoptionWish): Adoption {
  const writer = new Writer(inventory, cloud, wish)
  const files: Adoption['files'][number][] = []
  const refused: Adoption['refused'][number][] = []
  for (const place of inventory.places) {
    for (const thing of place.things) {
      const facts = machineOf(thing)
      if (facts === undefined || !isMeant(facts, wish)) continue
      try {
        files.push(writer.machine(facts, place))
      } catch (error) {
        if (!(error instanceof NotAdoptable)) throw error
        refused.push({ machine: facts.identity, host: place.name, reason: error.message })
      }
    }
  }
  const shared = writer.shared()
  return { files: shared.length === 0 ? files : [{ name: '0-shared', documents: shared }, ...files], refused }
}

function machineOf({ belongs, facts }: InventoryThing): MachineFacts | undefined {
  return belongs === 'Adoptable' && 'definition' in facts ? facts : undefined
}

function isMeant({ identity, definition }: MachineFacts, { machines }: AdoptionWish): boolean {
  return machines === undefined || machines.includes(identity) || machines.includes(definition.guestHostName)
}

class Writer {
  readonly #cloud: Cloud
  readonly #wish: AdoptionWish
  readonly #volumes: ReadonlyMap<string, VolumeFacts>
  readonly #names: Set<string>
  readonly #volumeNames: Set<string>
  readonly #offerings = new Map<string, Document>()
  readonly #networks: NetworkFinder

  constructor(inventory: InventoryAnswer, cloud: Cloud, wish: AdoptionWish) {
    this.#cloud = cloud
    this.#wish = wish
    const things = inventory.places.flatMap(place => place.things)
    const disks = things.flatMap(({ belongs, facts }) => (belongs === 'Adoptable' && 'format' in facts ? [facts] : []))
    this.#volumes = new Map(disks.map(facts => [facts.identity, facts]))
    const taken = (objects: readonly { metadata: { name: string; namespace?: string } }[]) =>
      new Set(objects.flatMap(({ metadata }) => (metadata.namespace === wish.namespace ? [metadata.name] : [])))
    this.#names = taken(cloud.of(VirtualMachine))
    this.#volumeNames = taken(cloud.of(Volume))
    this.#networks = new NetworkFinder(cloud, wish.namespace)
  }

  /** Offerings and networks that none of the cloud's own fits. */
  shared(): readonly Document[] {
    return [...this.#offerings.values(), ...this.#networks.made()]
  }

  machine(facts: MachineFacts, { name: hostName }: InventoryPlace): Adoption['files'][number] {
    const { identity, definition, powerState } = facts
    if (powerState !== 'Running' && powerState !== 'Off') {
      throw new NotAdoptable(`it is ${powerState}: it must run or be off`)
    }
    const zoneName = this.#zoneOf(hostName)
    const disks = definition.disks.map(disk => this.#disk(disk.identity))
    if (disks.length === 0) throw new NotAdoptable('it has no disk: a machine boots from one')
    // Everything that may be refused is looked at before a name is taken.
    const nics = this.#networks.plan(definition.nics, { zoneName, hostName })
    const name = freeName(definition.guestHostName, this.#names)
    const volumes = disks.map((volume, index) => {
      const own = index === 0 ? `${name}-root` : `${name}-data-${index}`
      return { ...volume, key: `data-${index}`, name: freeName(own, this.#volumeNames) }
    })
    const [root, ...data] = volumes
    const machine = this.#object(VirtualMachine, name, identity, {
      zoneName,
      serviceOfferingName: this.#offering(definition),
      runStrategy: powerState === 'Running' ? 'Always' : 'Halted',
      guestHostName: label(definition.guestHostName),
      rootVolume: { volumeName: root?.name },
      ...(data.length === 0 ? {} : { volumes: data.map(({ key, name: volumeName }) => ({ name: key, volumeName })) }),
      ...(nics.length === 0 ? {} : { nics }),
    })
    const documents = [
      this.#identity(VirtualMachine, name, identity),
      ...volumes.map(volume => this.#identity(Volume, volume.name, volume.facts.identity)),
      ...volumes.map(({ name: own, facts: { identity: disk, sizeBytes } }) =>
        this.#object(Volume, own, disk, { zoneName, size: formatQuantity(sizeBytes, 'Bytes') }),
      ),
      machine,
    ]
    return { name, documents }
  }

  #zoneOf(hostName: string): string {
    const host = this.#cloud.of(Host).find(({ metadata }) => metadata.name === hostName)
    const cluster = this.#cloud.of(HostCluster).find(({ metadata }) => metadata.name === host?.spec.clusterName)
    const pod = this.#cloud.of(HostPod).find(({ metadata }) => metadata.name === cluster?.spec.podName)
    if (pod === undefined) throw new NotAdoptable(`host "${hostName}" is in no zone: apply its cluster and pod`)
    return pod.spec.zoneName
  }

  #disk(identity: string): { readonly facts: VolumeFacts } {
    const facts = this.#volumes.get(identity)
    if (facts === undefined) {
      throw new NotAdoptable(
        identityPattern.test(identity)
          ? `its disk ${identity} lies in no primary storage of the cloud, or is not free: declare one`
          : `its disk ${identity} is not named <uuid>.qcow2 in the directory of a primary storage: move it there while the machine is off`,
      )
    }
    return { facts }
  }

  #offering({ cores, clockMHz, memoryBytes }: MachineFacts['definition']): string {
    const fitting = this.#cloud
      .of(ServiceOffering)
      .find(
        ({ spec }) =>
          spec.cores === cores &&
          parseBytes(spec.memory) === memoryBytes &&
          (clockMHz === 0 || spec.clockMHz === clockMHz) &&
          spec.allocationState === 'Enabled' &&
          spec.provisioningType === 'Thin' &&
          !spec.cpuCap &&
          spec.diskLimits === undefined &&
          spec.hostTags.length === 0 &&
          spec.storageTags.length === 0,
      )
    if (fitting !== undefined) return fitting.metadata.name
    const clock = clockMHz === 0 ? unknownClockMHz : clockMHz
    const memory = formatQuantity(memoryBytes, 'Bytes')
    const name = `custom-${cores}-${clock}-${memory.toLowerCase()}`
    const { apiVersion, kind } = ServiceOffering
    const spec = { displayText: 'Made for machines that were taken over', cores, clockMHz: clock, memory }
    this.#offerings.set(name, { apiVersion, kind, metadata: { name }, spec })
    return name
  }

  /** Deleting what was taken over gives it back, unless somebody says otherwise. */
  #object(kind: typeof VirtualMachine | typeof Volume, name: string, identity: string, spec: Document): Document {
    const annotations = { [identityAnnotation]: identity }
    return {
      apiVersion: kind.apiVersion,
      kind: kind.kind,
      metadata: { name, namespace: this.#wish.namespace, annotations },
      spec: { ...spec, management: { deletionPolicy: 'Orphan' } },
    }
  }

  #identity(kind: typeof VirtualMachine | typeof Volume, name: string, identity: string): Document {
    const holder = { group: kind.group, kind: kind.kind, namespace: this.#wish.namespace, name, uid: '' }
    return { ...allocation({ type: 'Identity', value: identity, holder }, this.#wish.now) }
  }
}
