import type { ResourceOf } from '../crds/define-kind.ts'
import { Host } from '../crds/infrastructure/host.ts'
import { HostCluster } from '../crds/infrastructure/host-cluster.ts'
import { PhysicalNetwork } from '../crds/infrastructure/physical-network.ts'
import { Network } from '../crds/network/network.ts'
import { NetworkOffering } from '../crds/network/network-offering.ts'
import type { MachineNIC } from '../drivers/contract/facts.ts'
import { type Document, freeName, NotAdoptable } from './adoption-parts.ts'
import type { Cloud } from './cloud.ts'

/** Where a machine is. */
interface Place {
  readonly zoneName: string
  readonly hostName: string
}

/** A network that a NIC can be described in: one of the cloud's, or one that is to be made. */
interface Fitting {
  readonly name: string
  readonly physicalName: string
  readonly segment: number | undefined
}

/** Finds networks for NICs that are plugged in already, and describes layer-2 networks where none fits. */
export class NetworkFinder {
  readonly #cloud: Cloud
  readonly #namespace: string
  readonly #names: Set<string>
  readonly #fitting: Fitting[] = []
  readonly #made: Document[] = []
  readonly #offerings = new Map<string, Document>()

  constructor(cloud: Cloud, namespace: string) {
    this.#cloud = cloud
    this.#namespace = namespace
    const own = cloud.of(Network).filter(({ metadata }) => metadata.namespace === namespace)
    this.#names = new Set(own.map(({ metadata }) => metadata.name))
    for (const { metadata, spec, status } of own) {
      const offering = cloud.of(NetworkOffering).find(each => each.metadata.name === spec.networkOfferingName)
      // Where addresses are given, the guest might be given another than it has.
      if (offering?.spec.guestType !== 'L2' || spec.physicalNetworkName === undefined) continue
      const segment = spec.vlan ?? status?.segment
      this.#fitting.push({ name: metadata.name, physicalName: spec.physicalNetworkName, segment })
    }
  }

  /** Offerings and networks that must be made. */
  made(): readonly Document[] {
    return [...this.#offerings.values(), ...this.#made]
  }

  /** The entries of `spec.nics` for NICs as they are. Throws `NotAdoptable` where one cannot be described. */
  plan(nics: readonly MachineNIC[], place: Place): readonly Document[] {
    const physical = nics.map(nic => this.#physicalOf(nic, place))
    const used = new Set<string>()
    return nics.map(({ macAddress, segment }, index) => {
      const carrier = physical[index]
      if (carrier === undefined) throw new Error('Cannot describe a NIC without its physical network')
      const networkName = this.#networkFor(carrier, segment.id, { place, used })
      used.add(networkName)
      return { name: `eth${index}`, networkName, macAddress }
    })
  }

  #physicalOf({ macAddress, segment }: MachineNIC, { zoneName, hostName }: Place): ResourceOf<typeof PhysicalNetwork> {
    const host = this.#cloud.of(Host).find(({ metadata }) => metadata.name === hostName)
    const cluster = this.#cloud.of(HostCluster).find(({ metadata }) => metadata.name === host?.spec.clusterName)
    const found = this.#cloud.of(PhysicalNetwork).find(({ spec }) => {
      const guest = spec.traffic.find(({ type }) => type === 'Guest')
      if (guest === undefined || spec.zoneName !== zoneName || spec.isolation !== segment.isolation) return false
      const own = guest.labels?.find(({ hypervisor }) => hypervisor === cluster?.spec.hypervisor)?.label
      return (host?.spec.kvm?.guestBridge ?? own ?? guest.label) === segment.label
    })
    if (found !== undefined) return found
    const where = segment.label === '' ? 'no bridge' : `"${segment.label}" (isolation ${segment.isolation})`
    throw new NotAdoptable(
      `its NIC ${macAddress} is plugged into ${where}, which is no Guest traffic of a physical network in zone "${zoneName}"`,
    )
  }

  #networkFor(
    { metadata: { name: physicalName }, spec: { isolation } }: ResourceOf<typeof PhysicalNetwork>,
    segment: number | undefined,
    { place, used }: { readonly place: Place; readonly used: ReadonlySet<string> },
  ): string {
    const known = this.#fitting.find(
      each => each.physicalName === physicalName && each.segment === segment && !used.has(each.name),
    )
    if (known !== undefined) return known.name
    const name = freeName(segment === undefined ? `l2-${physicalName}` : `l2-${physicalName}-${segment}`, this.#names)
    const networkOfferingName = this.#offering(isolation !== 'None')
    const { apiVersion, kind } = Network
    const spec = {
      zoneName: place.zoneName,
      networkOfferingName,
      physicalNetworkName: physicalName,
      ...(segment === undefined ? {} : { vlan: segment }),
    }
    this.#made.push({ apiVersion, kind, metadata: { name, namespace: this.#namespace }, spec })
    this.#fitting.push({ name, physicalName, segment })
    return name
  }

  #offering(specifyVLAN: boolean): string {
    const known = this.#cloud
      .of(NetworkOffering)
      .find(
        ({ spec }) =>
          spec.guestType === 'L2' &&
          spec.allocationState === 'Enabled' &&
          spec.tags.length === 0 &&
          spec.specifyVLAN === specifyVLAN,
      )
    if (known !== undefined) return known.metadata.name
    const name = specifyVLAN ? 'l2-adopted-segment' : 'l2-adopted'
    const { apiVersion, kind } = NetworkOffering
    this.#offerings.set(name, { apiVersion, kind, metadata: { name }, spec: { guestType: 'L2', specifyVLAN } })
    return name
  }
}
