import { DriverError } from '../contract/errors.ts'
import {
  affect,
  blockResizeBytes,
  domainEventLifecycle,
  metadataType,
  procedure,
  shutdownFlag,
  undefineFlags,
  xmlFlag,
} from './procedures.ts'
import { openRpc, type RpcConnection, type RpcOptions } from './rpc.ts'
import { type XdrReader, XdrWriter } from './xdr.ts'

/** A domain, as libvirt's protocol names it. */
export interface DomainHandle {
  readonly name: string
  /** Lower case, with dashes. */
  readonly uuid: string
  /** Number of the running process; -1 while there is none. */
  readonly id: number
}

/** A storage pool, as libvirt's protocol names it. */
export interface PoolHandle {
  readonly name: string
  readonly uuid: string
}

/** A storage volume, as libvirt's protocol names it. The key of a file is its path. */
export interface VolumeHandle {
  readonly pool: string
  readonly name: string
  readonly key: string
}

/** What libvirt says of the machine it runs on; memory in bytes. */
export interface NodeInfo {
  readonly memoryBytes: number
  readonly cpus: number
  readonly mhz: number
}

/** Opens a connection and the hypervisor behind it: no password is asked, so the socket's own rights decide. */
export async function openLibvirt(options: RpcOptions, uri: string, signal: AbortSignal): Promise<Libvirt> {
  const rpc = await openRpc(options, signal)
  try {
    await authenticate(rpc, signal)
    await rpc.call(procedure.connectOpen, new XdrWriter().optionalString(uri).uint(0), signal)
    return new Libvirt(rpc)
  } catch (error) {
    rpc.close()
    throw error
  }
}

async function authenticate(rpc: RpcConnection, signal: AbortSignal): Promise<void> {
  const offered = (await rpc.call(procedure.authList, undefined, signal)).list(reader => reader.int())
  const [none, polkit] = [0, 2]
  if (offered.length === 0 || offered.includes(none)) return
  if (offered.includes(polkit)) {
    await rpc.call(procedure.authPolkit, undefined, signal)
    return
  }
  throw new DriverError('Unauthenticated', 'Cannot open libvirt: its socket asks for a password (SASL)')
}

/** The calls of libvirt that the driver uses, typed. All throw `DriverError`; none waits longer than its signal. */
export class Libvirt {
  readonly #rpc: RpcConnection

  constructor(rpc: RpcConnection) {
    this.#rpc = rpc
  }

  /** Why the connection ended; undefined while it is open. */
  get closed(): DriverError | undefined {
    return this.#rpc.closed
  }

  close(): void {
    this.#rpc.close()
  }

  /** The hypervisor's version: major × 1,000,000 + minor × 1,000 + release. */
  async version(signal: AbortSignal): Promise<number> {
    return Number((await this.#rpc.call(procedure.connectGetVersion, undefined, signal)).hyper())
  }

  async nodeInfo(signal: AbortSignal): Promise<NodeInfo> {
    const reader = await this.#rpc.call(procedure.nodeGetInfo, undefined, signal)
    // The model's name: an array of 32 signed characters, each as wide as an integer on the wire.
    for (let at = 0; at < 32; at += 1) reader.int()
    return { memoryBytes: Number(reader.hyper()) * 1024, cpus: reader.int(), mhz: reader.int() }
  }

  async capabilities(signal: AbortSignal): Promise<string> {
    return (await this.#rpc.call(procedure.connectGetCapabilities, undefined, signal)).string()
  }

  /** Every domain, running or not. */
  async domains(signal: AbortSignal): Promise<DomainHandle[]> {
    const body = new XdrWriter().int(1).uint(0)
    return (await this.#rpc.call(procedure.connectListAllDomains, body, signal)).list(readDomain)
  }

  /** A domain by its UUID. Throws a `LibvirtError` (`noDomain`) where there is none. */
  async domain(uuid: string, signal: AbortSignal): Promise<DomainHandle> {
    const body = new XdrWriter().fixed(uuidBytes(uuid))
    return readDomain(await this.#rpc.call(procedure.domainLookupByUUID, body, signal))
  }

  /** A domain's XML: as it runs, or as it will at its next start. */
  async domainXML(domain: DomainHandle, which: 'Current' | 'Inactive', signal: AbortSignal): Promise<string> {
    const body = writeDomain(domain).uint(which === 'Inactive' ? xmlFlag.inactive : 0)
    return (await this.#rpc.call(procedure.domainGetXMLDesc, body, signal)).string()
  }

  /** State and reason, as numbers (virDomainState). */
  async domainState(domain: DomainHandle, signal: AbortSignal): Promise<{ state: number; reason: number }> {
    const reader = await this.#rpc.call(procedure.domainGetState, writeDomain(domain).uint(0), signal)
    return { state: reader.int(), reason: reader.int() }
  }

  async defineDomain(xml: string, signal: AbortSignal): Promise<DomainHandle> {
    const body = new XdrWriter().string(xml).uint(0)
    return readDomain(await this.#rpc.call(procedure.domainDefineXMLFlags, body, signal))
  }

  async startDomain(domain: DomainHandle, signal: AbortSignal): Promise<DomainHandle> {
    return readDomain(await this.#rpc.call(procedure.domainCreateWithFlags, writeDomain(domain).uint(0), signal))
  }

  /** Lets the processors of a paused domain go on. */
  async resumeDomain(domain: DomainHandle, signal: AbortSignal): Promise<void> {
    await this.#rpc.call(procedure.domainResume, writeDomain(domain), signal)
  }

  /** Presses the power button; returns at once. */
  async shutdownDomain(domain: DomainHandle, signal: AbortSignal): Promise<void> {
    await this.#rpc.call(procedure.domainShutdownFlags, writeDomain(domain).uint(shutdownFlag.acpiPowerButton), signal)
  }

  /** Takes the power; returns when the process is gone. */
  async destroyDomain(domain: DomainHandle, signal: AbortSignal): Promise<void> {
    await this.#rpc.call(procedure.domainDestroyFlags, writeDomain(domain).uint(0), signal)
  }

  async undefineDomain(domain: DomainHandle, signal: AbortSignal): Promise<void> {
    await this.#rpc.call(procedure.domainUndefineFlags, writeDomain(domain).uint(undefineFlags), signal)
  }

  /** Plugs a device into a running domain, until its power goes. */
  async attachDevice(domain: DomainHandle, xml: string, signal: AbortSignal): Promise<void> {
    await this.#rpc.call(procedure.domainAttachDeviceFlags, writeDomain(domain).string(xml).uint(affect.live), signal)
  }

  /** Asks a running domain to let go of a device. */
  async detachDevice(domain: DomainHandle, xml: string, signal: AbortSignal): Promise<void> {
    await this.#rpc.call(procedure.domainDetachDeviceFlags, writeDomain(domain).string(xml).uint(affect.live), signal)
  }

  /** Replaces the metadata element of one XML namespace, in the definition and, where it runs, in the process. */
  async setMetadata(
    domain: DomainHandle,
    metadata: {
      /** Left out: the element is taken out. */
      readonly xml: string | undefined
      readonly prefix: string
      readonly namespace: string
      readonly live: boolean
    },
    signal: AbortSignal,
  ): Promise<void> {
    const body = writeDomain(domain)
      .int(metadataType.element)
      .optionalString(metadata.xml)
      .optionalString(metadata.xml === undefined ? undefined : metadata.prefix)
      .optionalString(metadata.namespace)
      .uint(metadata.live ? affect.live | affect.config : affect.config)
    await this.#rpc.call(procedure.domainSetMetadata, body, signal)
  }

  /** Grows the disk of a running domain; `disk` is its path or target. */
  async resizeBlock(domain: DomainHandle, disk: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
    const body = writeDomain(domain).string(disk).hyper(BigInt(sizeBytes)).uint(blockResizeBytes)
    await this.#rpc.call(procedure.domainBlockResize, body, signal)
  }

  /** Has life-cycle changes of every domain told to the connection's `onEvent`. */
  async registerLifecycle(signal: AbortSignal): Promise<void> {
    const everyDomain = 0
    const body = new XdrWriter().int(domainEventLifecycle).uint(everyDomain)
    await this.#rpc.call(procedure.domainEventCallbackRegisterAny, body, signal)
  }

  async pool(name: string, signal: AbortSignal): Promise<PoolHandle> {
    return readPool(await this.#rpc.call(procedure.storagePoolLookupByName, new XdrWriter().string(name), signal))
  }

  async poolXML(pool: PoolHandle, signal: AbortSignal): Promise<string> {
    return (await this.#rpc.call(procedure.storagePoolGetXMLDesc, writePool(pool).uint(0), signal)).string()
  }

  /** State (virStoragePoolState) and sizes in bytes. */
  async poolInfo(pool: PoolHandle, signal: AbortSignal): Promise<{ state: number; capacity: number; used: number }> {
    const reader = await this.#rpc.call(procedure.storagePoolGetInfo, writePool(pool), signal)
    return { state: reader.int(), capacity: Number(reader.hyper()), used: Number(reader.hyper()) }
  }

  async definePool(xml: string, signal: AbortSignal): Promise<PoolHandle> {
    const body = new XdrWriter().string(xml).uint(0)
    return readPool(await this.#rpc.call(procedure.storagePoolDefineXML, body, signal))
  }

  async startPool(pool: PoolHandle, signal: AbortSignal): Promise<void> {
    await this.#rpc.call(procedure.storagePoolCreate, writePool(pool).uint(0), signal)
  }

  /** Takes the pool out of use; what it holds stays. */
  async stopPool(pool: PoolHandle, signal: AbortSignal): Promise<void> {
    await this.#rpc.call(procedure.storagePoolDestroy, writePool(pool), signal)
  }

  /** Forgets the pool; what it holds stays. */
  async undefinePool(pool: PoolHandle, signal: AbortSignal): Promise<void> {
    await this.#rpc.call(procedure.storagePoolUndefine, writePool(pool), signal)
  }

  /** Has libvirt look again at what the pool holds. */
  async refreshPool(pool: PoolHandle, signal: AbortSignal): Promise<void> {
    await this.#rpc.call(procedure.storagePoolRefresh, writePool(pool).uint(0), signal)
  }

  /** The pool's volumes, as libvirt saw them at its last refresh. */
  async volumes(pool: PoolHandle, signal: AbortSignal): Promise<VolumeHandle[]> {
    const reader = await this.#rpc.call(procedure.storagePoolListAllVolumes, writePool(pool).int(1).uint(0), signal)
    return reader.list(readVolume)
  }

  async volume(pool: PoolHandle, name: string, signal: AbortSignal): Promise<VolumeHandle> {
    const body = writePool(pool).string(name)
    return readVolume(await this.#rpc.call(procedure.storageVolLookupByName, body, signal))
  }

  async createVolume(pool: PoolHandle, xml: string, signal: AbortSignal): Promise<VolumeHandle> {
    const body = writePool(pool).string(xml).uint(0)
    return readVolume(await this.#rpc.call(procedure.storageVolCreateXML, body, signal))
  }

  async resizeVolume(volume: VolumeHandle, sizeBytes: number, signal: AbortSignal): Promise<void> {
    const body = writeVolume(volume).hyper(BigInt(sizeBytes)).uint(0)
    await this.#rpc.call(procedure.storageVolResize, body, signal)
  }

  async deleteVolume(volume: VolumeHandle, signal: AbortSignal): Promise<void> {
    await this.#rpc.call(procedure.storageVolDelete, writeVolume(volume).uint(0), signal)
  }
}

/** Reads the domain at the head of a life-cycle message; its event and detail follow. */
export function readLifecycle(reader: XdrReader): { domain: DomainHandle; event: number; detail: number } {
  reader.int()
  return { domain: readDomain(reader), event: reader.int(), detail: reader.int() }
}

function readDomain(reader: XdrReader): DomainHandle {
  return { name: reader.string(), uuid: uuidText(reader.fixed(16)), id: reader.int() }
}

function writeDomain(domain: DomainHandle): XdrWriter {
  return new XdrWriter().string(domain.name).fixed(uuidBytes(domain.uuid)).int(domain.id)
}

function readPool(reader: XdrReader): PoolHandle {
  return { name: reader.string(), uuid: uuidText(reader.fixed(16)) }
}

function writePool(pool: PoolHandle): XdrWriter {
  return new XdrWriter().string(pool.name).fixed(uuidBytes(pool.uuid))
}

function readVolume(reader: XdrReader): VolumeHandle {
  return { pool: reader.string(), name: reader.string(), key: reader.string() }
}

function writeVolume(volume: VolumeHandle): XdrWriter {
  return new XdrWriter().string(volume.pool).string(volume.name).string(volume.key)
}

function uuidBytes(uuid: string): Buffer {
  const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex')
  if (bytes.length !== 16)
    throw new DriverError('InvalidArgument', `Cannot use "${uuid}" as an identity: it is no UUID`)
  return bytes
}

function uuidText(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
