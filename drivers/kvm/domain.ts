import type { MachineDefinition, MachineDisk, MachineNIC, Mark } from '../contract/facts.ts'
import { type DomainMetadata, metadataOf, readMetadata, renderMetadata } from './domain-metadata.ts'
import { attributes, escapeXml, parseXml, type XmlElement } from './xml.ts'

/** A disk of a domain. */
export interface DomainDisk {
  /** Path of the image. */
  readonly path: string
  /** `vda` … */
  readonly target: string
  /** Where it is plugged in, as libvirt chose it. */
  readonly address?: Readonly<Record<string, string>>
}

/** A NIC of a domain. */
export interface DomainNic {
  readonly macAddress: string
  /** The bridge it is plugged into; empty for NICs of another sort. */
  readonly bridge: string
  readonly address?: Readonly<Record<string, string>>
}

/** A domain, as its XML describes it. */
export interface DomainDescription {
  readonly uuid: string
  readonly name: string
  readonly type: string
  readonly architecture: string
  readonly machineType: string
  readonly cores: number
  readonly memoryBytes: number
  readonly disks: readonly DomainDisk[]
  readonly nics: readonly DomainNic[]
  /** Left out: not made by Skystead. */
  readonly metadata?: DomainMetadata
}

/** How a host wants its domains. */
export interface DomainOptions {
  readonly type: 'kvm' | 'qemu'
  /** Where a disk's image is. */
  readonly diskPath: (disk: MachineDisk) => string
  /** How QEMU caches disks on the host. */
  readonly diskCache: 'none' | 'writeback'
  /** File that gets everything the guest says on its serial console. */
  readonly consoleLog: string
}

const longestSerial = 20

/** The serial number a guest sees on a volume's disk: virtio has room for twenty characters. */
export function diskSerial(identity: string): string {
  return identity.replaceAll('-', '').slice(0, longestSerial)
}

/** The name of a machine's domain: readable, and unique by the identity's first eight digits. */
export function domainName(mark: Mark, identity: string): string {
  const readable = mark.namespace === undefined ? mark.name : `${mark.namespace}-${mark.name}`
  // libvirt makes file names of it, so neither a slash nor more than a file name holds.
  return `${readable.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 160)}-${identity.slice(0, 8)}`
}

/**
 * A machine's domain XML. With what is defined so far, the same disks and NICs keep their places on the guest's bus,
 * so that its device names do not change.
 */
export function renderDomain(
  machine: {
    readonly identity: string
    readonly epoch: number
    readonly mark: Mark
    readonly definition: MachineDefinition
  },
  options: DomainOptions,
  previous?: DomainDescription,
): string {
  const { identity, mark, epoch, definition } = machine
  const stopRequested = previous?.metadata?.stopRequested ?? false
  const metadata = metadataOf(definition, { mark, epoch, stopRequested })
  const targets = targetsOf(definition.disks, options, previous)
  const root = definition.disks.find(disk => disk.name === 'root') ?? definition.disks[0]
  const disks = definition.disks.map((disk, index) => {
    const path = options.diskPath(disk)
    return renderDisk(disk, {
      path,
      target: targets[index] ?? '',
      cache: options.diskCache,
      boots: disk === root,
      ...addressOf(previous?.disks.find(each => each.path === path)),
    })
  })
  const nics = definition.nics.map(nic =>
    renderNic(nic, previous?.nics.find(each => each.macAddress === nic.macAddress)?.address),
  )
  return [
    `<domain type="${options.type}">`,
    `<name>${escapeXml(previous?.name ?? domainName(mark, identity))}</name>`,
    `<uuid>${identity}</uuid>`,
    `<metadata>${renderMetadata(metadata, 'InDomain')}</metadata>`,
    `<memory unit="KiB">${Math.ceil(definition.memoryBytes / 1024)}</memory>`,
    `<vcpu>${definition.cores}</vcpu>`,
    `<os><type${attributes({ machine: previous?.machineType ?? 'pc' })}>hvm</type></os>`,
    renderProcessor(options.type),
    '<clock offset="utc"/>',
    '<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>',
    '<devices>',
    ...disks,
    ...nics,
    `<serial type="pty"><log${attributes({ file: options.consoleLog, append: 'on' })}/></serial>`,
    '<controller type="usb" model="none"/>',
    '<memballoon model="virtio"/>',
    '<rng model="virtio"><backend model="random">/dev/urandom</backend></rng>',
    '<panic model="isa"/>',
    '</devices>',
    '</domain>',
  ].join('\n')
}

/** A disk as it is plugged into a running domain. */
export function renderHotDisk(disk: MachineDisk, options: DomainOptions, running: DomainDescription): string {
  const taken = running.disks.map(each => each.target)
  const path = options.diskPath(disk)
  return renderDisk(disk, { path, target: freeTarget(taken), cache: options.diskCache, boots: false })
}

/** A NIC of a definition, at the place on the bus that it has. */
export function renderNic(nic: MachineNIC, address?: Readonly<Record<string, string>>): string {
  return [
    `<interface type="bridge"><mac${attributes({ address: nic.macAddress })}/>`,
    `<source${attributes({ bridge: nic.segment.label })}/><model type="virtio"/>`,
    `${renderAddress(address)}</interface>`,
  ].join('')
}

/** A NIC of a running domain, as far as it must be named to be unplugged. */
export function renderPluggedNic(nic: DomainNic): string {
  const source = `<source${attributes({ bridge: nic.bridge })}/>`
  return `<interface type="bridge"><mac${attributes({ address: nic.macAddress })}/>${source}</interface>`
}

/** A disk of a running domain, as far as it must be named to be unplugged. */
export function renderPluggedDisk(disk: DomainDisk): string {
  const source = `<source${attributes({ file: disk.path })}/>`
  return `<disk type="file" device="disk">${source}<target${attributes({ dev: disk.target, bus: 'virtio' })}/></disk>`
}

/** Reads a domain's XML. */
export function parseDomain(xml: string): DomainDescription {
  const domain = parseXml(xml, 'domain')
  const devices = domain.child('devices')
  const type = domain.child('os')?.child('type')
  const metadata = readMetadata(domain)
  return {
    uuid: (domain.child('uuid')?.text ?? '').toLowerCase(),
    name: domain.child('name')?.text ?? '',
    type: domain.attribute('type') ?? '',
    architecture: type?.attribute('arch') ?? '',
    machineType: type?.attribute('machine') ?? '',
    cores: Number(domain.child('vcpu')?.text ?? 0),
    memoryBytes: memoryBytes(domain.child('memory')),
    disks: (devices?.children('disk') ?? []).flatMap(readDisk),
    nics: (devices?.children('interface') ?? []).map(readNic),
    ...(metadata === undefined ? {} : { metadata }),
  }
}

function readDisk(disk: XmlElement): readonly DomainDisk[] {
  // CD-ROMs and floppies are no volumes of ours, and an empty drive has no source.
  if ((disk.attribute('device') ?? 'disk') !== 'disk') return []
  const source = disk.child('source')
  const path = source?.attribute('file') ?? source?.attribute('dev') ?? source?.attribute('name') ?? ''
  const target = disk.child('target')?.attribute('dev') ?? ''
  return [{ path, target, ...pciAddress(disk) }]
}

function readNic(nic: XmlElement): DomainNic {
  return {
    macAddress: (nic.child('mac')?.attribute('address') ?? '').toLowerCase(),
    bridge: nic.child('source')?.attribute('bridge') ?? '',
    ...pciAddress(nic),
  }
}

function pciAddress(device: XmlElement): { address?: Readonly<Record<string, string>> } {
  const address = device.child('address')?.attributes
  return address === undefined || address.type !== 'pci' ? {} : { address }
}

function addressOf(device: { readonly address?: Readonly<Record<string, string>> } | undefined) {
  return device?.address === undefined ? {} : { address: device.address }
}

const units: Readonly<Record<string, number>> = { b: 1, bytes: 1, KiB: 1024, k: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

function memoryBytes(memory: XmlElement | undefined): number {
  return Number(memory?.text ?? 0) * (units[memory?.attribute('unit') ?? 'KiB'] ?? 1024)
}

function renderDisk(
  disk: MachineDisk,
  place: {
    readonly path: string
    readonly target: string
    readonly cache: DomainOptions['diskCache']
    readonly boots: boolean
    readonly address?: Readonly<Record<string, string>>
  },
): string {
  return [
    '<disk type="file" device="disk">',
    `<driver${attributes({ name: 'qemu', type: 'qcow2', cache: place.cache, discard: 'unmap' })}/>`,
    `<source${attributes({ file: place.path })}/><target${attributes({ dev: place.target, bus: 'virtio' })}/>`,
    `<serial>${diskSerial(disk.identity)}</serial>`,
    place.boots ? '<boot order="1"/>' : '',
    `${renderAddress(place.address)}</disk>`,
  ].join('')
}

function renderAddress(address: Readonly<Record<string, string>> | undefined): string {
  return address === undefined ? '' : `<address${attributes(address)}/>`
}

function renderProcessor(type: DomainOptions['type']): string {
  if (type === 'kvm') return '<features><acpi/><apic/></features>\n<cpu mode="host-model"/>'
  // Without a bound, translated code alone may take a gigabyte a guest.
  const cache = '<tcg><tb-cache unit="MiB">64</tb-cache></tcg>'
  const model = '<cpu mode="custom" match="exact" check="none"><model fallback="allow">qemu64</model></cpu>'
  return `<features><acpi/><apic/>${cache}</features>\n${model}`
}

/** Disks keep the target they have; others get the first free one. */
function targetsOf(
  disks: readonly MachineDisk[],
  options: DomainOptions,
  previous: DomainDescription | undefined,
): readonly string[] {
  const kept = disks.map(disk => previous?.disks.find(each => each.path === options.diskPath(disk))?.target)
  const taken = kept.filter(target => target !== undefined)
  return kept.map(target => {
    if (target !== undefined) return target
    const free = freeTarget(taken)
    taken.push(free)
    return free
  })
}

function freeTarget(taken: readonly string[]): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz'
  const free = [...letters].map(letter => `vd${letter}`).find(target => !taken.includes(target))
  if (free !== undefined) return free
  return `vda${letters[taken.length - letters.length] ?? 'a'}`
}
