import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { realEnvironment } from '../../../cli/environment.ts'
import type { Endpoint } from '../../../drivers/contract/endpoint.ts'
import type { Mark } from '../../../drivers/contract/facts.ts'
import { metadataNamespace } from '../../../drivers/kvm/domain-metadata.ts'
import { createKVMDriver } from '../../../drivers/kvm/driver.ts'
import type { ConformanceFixture } from '../../drivers/conformance-rig.ts'
import { until } from '../../until.ts'
import { breakableSocket } from '../lab/breakable-socket.ts'
import { GuestConsoles } from '../lab/guest-console.ts'
import { guestImage, readyLine } from '../lab/guest-image.ts'
import { type LibvirtLab, startLibvirtLab } from '../lab/libvirt.ts'

/** A KVM host of the tests' own with the driver on it. */
export interface KVMFixture extends ConformanceFixture {
  readonly lab: LibvirtLab
  readonly poolDirectory: string
  /** What a machine has said on its serial console so far. */
  consoleText(identity: string): Promise<string>
  /** Types a line on a running machine's serial console. */
  typeOnConsole(identity: string, line: string): Promise<void>
}

/** Starts a host and a driver on it. Needs what `missingForGuests` names. */
export async function startKVMFixture(): Promise<KVMFixture> {
  const image = await guestImage()
  const lab = await startLibvirtLab()
  const socket = await breakableSocket(join(lab.directory, 'sock', 'breakable'), lab.socketPath)
  const poolDirectory = join(lab.directory, 'pool')
  const consoleDirectory = join(lab.directory, 'console')
  const consoles = new GuestConsoles()
  const driver = createKVMDriver({ environment: realEnvironment(), consoleDirectory })
  const configuration = { type: 'Host', address: '127.0.0.1', socketPath: socket.path } as const
  const host: Endpoint = { key: `Host/${randomUUID()}`, driver: 'KVM', name: 'lab', configuration }
  const pool: Endpoint = {
    key: `PrimaryStorage/${randomUUID()}`,
    driver: 'KVM',
    name: 'lab-disks',
    configuration: {
      type: 'PrimaryStorage',
      url: pathToFileURL(poolDirectory).href,
      capacityBytes: 4 * 1024 ** 3,
      hosts: [{ endpoint: host.key, configuration }],
    },
  }
  const present = { url: pathToFileURL(image.path).href, format: 'QCOW2' }
  const consoleText = (identity: string) => readFile(join(consoleDirectory, `${identity}.log`), 'utf8').catch(() => '')

  async function addForeignMachine(mark: Mark | undefined): Promise<string> {
    const identity = randomUUID()
    const file = join(lab.directory, `${identity}.xml`)
    await writeFile(file, foreignDomain(identity, mark))
    await lab.virsh('define', file)
    return identity
  }

  async function addForeignVolume(mark: Mark | undefined): Promise<string> {
    const identity = randomUUID()
    await mkdir(join(poolDirectory, '.skystead'), { recursive: true })
    await lab.image('create', '-q', '-f', 'qcow2', join(poolDirectory, `${identity}.qcow2`), '8M')
    if (mark !== undefined) {
      const record = { identity, mark, epoch: 1, state: 'Ready' }
      await writeFile(join(poolDirectory, '.skystead', `${identity}.json`), JSON.stringify(record))
    }
    return identity
  }

  return {
    driver,
    host,
    pool,
    lab,
    poolDirectory,
    segment: { network: 'web', isolation: 'None', label: lab.bridge },
    guestImage: { ...present, checksum: image.checksum },
    images: { ...present, present: present.url, missing: pathToFileURL('/nowhere/missing.qcow2').href },
    deadline: 30_000,
    guestDeadline: 60_000,
    async guestReady(identity) {
      await until('the boot of the guest', async () => (await consoleText(identity)).includes(readyLine))
    },
    addForeignMachine,
    addForeignVolume,
    destroyMachine: async identity => void (await lab.virsh('destroy', identity)),
    removeVolume: identity => rm(join(poolDirectory, `${identity}.qcow2`)),
    machines: async () => (await lab.virsh('list', '--all', '--uuid')).split('\n').filter(line => line !== ''),
    volumes: () => volumesIn(poolDirectory),
    breakConnections: async () => socket.break(),
    silence: async () => socket.silence(),
    logs: () => [],
    consoleText,
    typeOnConsole: async (identity, line) => {
      consoles.type((await lab.virsh('ttyconsole', identity)).trim(), line)
    },
    async [Symbol.asyncDispose]() {
      consoles[Symbol.dispose]()
      await socket[Symbol.asyncDispose]()
      await lab[Symbol.asyncDispose]()
    },
  }
}

async function volumesIn(directory: string): Promise<string[]> {
  const files = await readdir(directory, { recursive: true }).catch(() => [])
  const names = files.flatMap(file => /([0-9a-f-]{36})\.(qcow2|json)$/.exec(file)?.[1] ?? [])
  return [...new Set(names)]
}

function foreignDomain(identity: string, mark: Mark | undefined): string {
  const own =
    mark === undefined
      ? ''
      : `<metadata><skystead:machine xmlns:skystead="${metadataNamespace}" installation="${mark.installation}"
          kind="${mark.kind}" namespace="${mark.namespace}" name="${mark.name}" epoch="1"/></metadata>`
  return `<domain type="qemu"><name>foreign-${identity}</name><uuid>${identity}</uuid>${own}
    <memory unit="MiB">32</memory><os><type>hvm</type></os></domain>`
}
