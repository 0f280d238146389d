import type { MachineDefinition, MachineDisk, Mark } from '../contract/facts.ts'
import { attributes, type XmlElement } from './xml.ts'

/** XML namespace of what Skystead writes into a domain. A change of its meaning needs another one. */
export const metadataNamespace = 'https://skystead.dev/xmlns/libvirt/machine/1'
/** Prefix under which it stands in domains. */
export const metadataPrefix = 'skystead'

/** What a NIC is that libvirt has no place for. */
export interface NicMetadata {
  readonly name: string
  readonly macAddress: string
  /** Identity of its network. */
  readonly network: string
  readonly addresses: readonly string[]
}

/** What Skystead writes into a domain: the mark, the claim's epoch, and what libvirt has no place for. */
export interface DomainMetadata {
  readonly mark: Mark
  readonly epoch: number
  /** Whether the guest was asked to go down since it was last started. */
  readonly stopRequested: boolean
  readonly role: MachineDefinition['role']
  readonly clockMHz: number
  /** As it was wished; libvirt itself rounds up to whole KiB. */
  readonly memoryBytes: number
  readonly guestHostName: string
  readonly disks: readonly MachineDisk[]
  readonly nics: readonly NicMetadata[]
}

const roles: readonly MachineDefinition['role'][] = ['Instance', 'VirtualRouter', 'ConsoleProxy', 'SecondaryStorage']

/** The metadata of a definition. */
export function metadataOf(
  definition: MachineDefinition,
  claim: { readonly mark: Mark; readonly epoch: number; readonly stopRequested: boolean },
): DomainMetadata {
  const { role, clockMHz, memoryBytes, guestHostName, disks, nics } = definition
  return {
    mark: claim.mark,
    epoch: claim.epoch,
    stopRequested: claim.stopRequested,
    role,
    clockMHz,
    memoryBytes,
    guestHostName,
    disks,
    nics: nics.map(({ name, macAddress, segment, addresses }) => ({
      name,
      macAddress,
      network: segment.network,
      addresses,
    })),
  }
}

/**
 * The metadata element. In a whole domain it names its XML namespace; where libvirt is asked to replace the element,
 * it must not, because libvirt adds it.
 */
export function renderMetadata(metadata: DomainMetadata, where: 'InDomain' | 'Alone'): string {
  const prefix = where === 'InDomain' ? `${metadataPrefix}:` : ''
  const { mark } = metadata
  const disks = metadata.disks.map(
    ({ identity, pool, name }) => `<${prefix}disk${attributes({ name, identity, pool })}/>`,
  )
  const nics = metadata.nics.map(({ name, macAddress, network, addresses }) => {
    const inner = addresses.map(address => `<${prefix}address${attributes({ value: address })}/>`).join('')
    return `<${prefix}nic${attributes({ name, macAddress, network })}>${inner}</${prefix}nic>`
  })
  const own = attributes({
    ...(where === 'InDomain' ? { [`xmlns:${metadataPrefix}`]: metadataNamespace } : {}),
    installation: mark.installation,
    kind: mark.kind,
    namespace: mark.namespace,
    name: mark.name,
    epoch: metadata.epoch,
    stopRequested: metadata.stopRequested ? 'yes' : undefined,
    role: metadata.role,
    clockMHz: metadata.clockMHz,
    memoryBytes: metadata.memoryBytes,
    guestHostName: metadata.guestHostName,
  })
  return `<${prefix}machine${own}>${disks.join('')}${nics.join('')}</${prefix}machine>`
}

/** Reads the metadata out of a domain; undefined where it bears no whole mark, which makes the domain not ours. */
export function readMetadata(domain: XmlElement): DomainMetadata | undefined {
  // libvirt keeps the prefix it was given.
  const name = (tag: string) => `${metadataPrefix}:${tag}`
  const machine = domain.child('metadata')?.child(name('machine'))
  if (machine === undefined || machine.attribute(`xmlns:${metadataPrefix}`) !== metadataNamespace) return undefined
  const [installation, kind, resource] = ['installation', 'kind', 'name'].map(each => machine.attribute(each))
  if (installation === undefined || kind === undefined || resource === undefined) return undefined
  const namespace = machine.attribute('namespace')
  return {
    mark: { installation, kind, ...(namespace === undefined ? {} : { namespace }), name: resource },
    epoch: Number(machine.attribute('epoch') ?? 0),
    stopRequested: machine.attribute('stopRequested') === 'yes',
    role: roles.find(role => role === machine.attribute('role')) ?? 'Instance',
    clockMHz: Number(machine.attribute('clockMHz') ?? 0),
    memoryBytes: Number(machine.attribute('memoryBytes') ?? 0),
    guestHostName: machine.attribute('guestHostName') ?? '',
    disks: machine.children(name('disk')).map(disk => ({
      identity: disk.attribute('identity') ?? '',
      pool: disk.attribute('pool') ?? '',
      name: disk.attribute('name') ?? '',
    })),
    nics: machine.children(name('nic')).map(nic => ({
      name: nic.attribute('name') ?? '',
      macAddress: nic.attribute('macAddress') ?? '',
      network: nic.attribute('network') ?? '',
      addresses: nic.children(name('address')).map(address => address.attribute('value') ?? ''),
    })),
  }
}
