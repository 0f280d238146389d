/** `skystead up` as a process of its own, described by `kubectl` from `manifests/kvm-example`, on a libvirt of the tests' own. */
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { parseAllDocuments, stringify } from 'yaml'
import { projectPath } from '../../../cli/repository.ts'
import type { AnyKind, ResourceOf } from '../../../crds/define-kind.ts'
import { Allocation } from '../../../crds/infrastructure/allocation.ts'
import { conditionOf, isTrue, type Resource } from '../../../crds/meta.ts'
import { SkysteadProcess } from '../../durability/skystead-process.ts'
import { until } from '../../until.ts'
import { GuestConsoles } from '../lab/guest-console.ts'
import { type GuestImage, guestImage, guestMemoryBytes, readyLine } from '../lab/guest-image.ts'
import { type LibvirtLab, startLibvirtLab } from '../lab/libvirt.ts'

const run = promisify(execFile)
/** Where the driver keeps the logs of serial consoles unless it is told otherwise. */
const consoleDirectory = '/var/log/skystead/console'

/** The size of root disks, in bytes. */
export const rootDiskBytes = 64 * 1024 ** 2

/** A document of a manifest. */
interface Document {
  readonly kind: string
  readonly spec?: Readonly<Record<string, unknown>>
}

/** A cloud of one real host. */
export class KVMCloud implements AsyncDisposable {
  readonly lab: LibvirtLab
  readonly skystead: SkysteadProcess
  /** Directory of the manifests that describe the cloud, in the lab. */
  readonly manifests: string
  readonly poolDirectory: string
  readonly #consoles = new GuestConsoles()

  private constructor(lab: LibvirtLab, skystead: SkysteadProcess) {
    this.lab = lab
    this.skystead = skystead
    this.manifests = join(lab.directory, 'manifests')
    this.poolDirectory = join(lab.directory, 'pool')
  }

  /** Starts the host and the control plane, and fits the example's manifests to them; nothing is applied yet. */
  static async start(): Promise<KVMCloud> {
    const image = await guestImage()
    const cloud = new KVMCloud(await startLibvirtLab(), await SkysteadProcess.make())
    try {
      await cloud.#writeManifests(image)
      await cloud.skystead.start()
    } catch (error) {
      await cloud[Symbol.asyncDispose]()
      throw error
    }
    return cloud
  }

  /** Runs kubectl against the cloud's API; answers with what it printed. */
  async kubectl(...command: readonly string[]): Promise<string> {
    const { home } = this.skystead
    const access = ['--kubeconfig', join(home, 'kubeconfig'), '--cache-dir', join(home, 'cache')]
    return (await run('kubectl', [...command, ...access])).stdout
  }

  /** Applies the example, and Settings without a trash: what is deleted is gone at once. */
  async describe(): Promise<void> {
    await this.kubectl('apply', '-f', projectPath('manifests/first-start'), '-f', this.manifests)
  }

  /** Waits until everything described is Ready. Fails with what is not. */
  async ready(): Promise<void> {
    let lacking: readonly Resource[] = []
    const holds = async () => {
      const { items }: { items: readonly Resource[] } = JSON.parse(
        await this.kubectl('get', 'skystead', '-A', '-o', 'json'),
      )
      lacking = items.filter(item => item.kind !== Allocation.kind && !isTrue(item, 'Ready'))
      return items.length > 0 && lacking.length === 0
    }
    try {
      await until('Ready of everything', holds)
    } catch (error) {
      const lines = lacking.map(({ kind, metadata, status }) => `${kind} ${metadata.name} ${JSON.stringify(status)}`)
      throw new Error(`${error}\n${lines.join('\n')}\n${this.skystead.complaints}`)
    }
  }

  /** Names of what is held, but for the note that the installation began with this store. */
  async allocations(): Promise<readonly string[]> {
    const { items } = await this.skystead.client.list(Allocation)
    return items.filter(({ spec }) => spec.holder.kind !== 'Installation').map(({ metadata }) => metadata.name)
  }

  /** Merges a patch into an object's spec, as a person does it. */
  async patch(kind: string, name: string, spec: object): Promise<void> {
    await this.kubectl('patch', kind, name, '-n', namespace, '--type=merge', '-p', JSON.stringify({ spec }))
  }

  /** Writes a manifest into the lab; answers with its path. */
  async write(name: string, content: string): Promise<string> {
    const path = join(this.lab.directory, name)
    await writeFile(path, content)
    return path
  }

  /** An object of the tenant. Throws where it does not exist. */
  async object<K extends AnyKind>(kind: K, name: string): Promise<ResourceOf<K>> {
    const found = await this.skystead.client.get(kind, name, kind.scope === 'Namespaced' ? namespace : undefined)
    if (found === undefined) throw new Error(`${kind.kind} ${name} does not exist`)
    return found as unknown as ResourceOf<K>
  }

  /** Waits until the object is judged as it is described now and the condition has that reason; answers with it. */
  async settled<K extends AnyKind>(kind: K, name: string, condition: string, reason: string): Promise<ResourceOf<K>> {
    let last: Resource | undefined
    const holds = async () => {
      last = (await this.object(kind, name)) as Resource
      const judged = last.status?.observedGeneration === last.metadata.generation
      return judged && conditionOf(last, condition)?.reason === reason
    }
    try {
      await until(`${condition}/${reason} of ${kind.kind} ${name}`, holds)
    } catch (error) {
      throw new Error(`${error}\n${JSON.stringify(last?.status, undefined, 2)}\n${this.skystead.complaints}`)
    }
    return last as ResourceOf<K>
  }

  /** What a machine has said on its serial console so far. */
  consoleText(identity: string): Promise<string> {
    return readFile(join(consoleDirectory, `${identity}.log`), 'utf8').catch(() => '')
  }

  /** Whether the log of a machine's console is there. */
  async hasConsole(identity: string): Promise<boolean> {
    return (await readdir(consoleDirectory)).some(file => file.startsWith(identity))
  }

  /** Waits until a guest is up for the given time since its disk was made. */
  async booted(identity: string, times: number): Promise<void> {
    const line = new RegExp(`${readyLine} boots=${times}\\b`)
    await until(`boot ${times} of the guest`, async () => line.test(await this.consoleText(identity)))
  }

  /** Types a line on a guest's console, again while nothing that fits is said after it. */
  async ask(identity: string, line: string, answer: RegExp): Promise<void> {
    const before = (await this.consoleText(identity)).length
    await until(`the answer of the guest to ${line}`, async () => {
      this.#consoles.type((await this.lab.virsh('ttyconsole', identity)).trim(), line)
      // A guest in software takes a moment, and one that is not asked again may have missed the question.
      for (let wait = 0; wait < 20; wait++) {
        if (answer.test((await this.consoleText(identity)).slice(before))) return true
        await new Promise(resolve => setTimeout(resolve, 50))
      }
      return false
    })
  }

  /** Shuts a guest down from inside; resolves once it goes. */
  async shutDownFromInside(identity: string): Promise<void> {
    await this.ask(identity, 'halt-guest', /GUEST HALTING/)
  }

  /** UUIDs of everything that libvirt has defined. */
  async domains(): Promise<string[]> {
    return (await this.lab.virsh('list', '--all', '--uuid')).split('\n').filter(line => line !== '')
  }

  /** Loses everything that the API has stored, while the control plane does not run. */
  async loseStore(): Promise<void> {
    const { home } = this.skystead
    for (const file of (await readdir(home)).filter(name => name.startsWith('objects.db'))) await rm(join(home, file))
  }

  /** Runs `skystead adopt --rebind`; answers with what it printed. */
  async rebind(): Promise<string> {
    const command = [projectPath('cli/main.ts'), 'adopt', '--rebind', '--yes', '--home', this.skystead.home]
    return (await run(process.execPath, command)).stdout
  }

  /** What libvirt says of a machine: `running`, `shut off` … */
  async state(identity: string): Promise<string> {
    return (await this.lab.virsh('domstate', identity)).trim()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#consoles[Symbol.dispose]()
    await this.skystead[Symbol.asyncDispose]()
    // What a test that failed has left outside the lab.
    for (const identity of await this.domains().catch(() => []))
      await rm(join(consoleDirectory, `${identity}.log`), { force: true })
    await this.lab[Symbol.asyncDispose]()
  }

  /** The example as it is shipped, with the lab's socket, bridge, directory and image in it, and a small guest's sizes. */
  async #writeManifests(image: GuestImage): Promise<void> {
    const fitted: Readonly<Record<string, object>> = {
      Host: { kvm: { socketPath: this.lab.socketPath, emulator: 'TCG' } },
      PhysicalNetwork: { traffic: [{ type: 'Guest', label: this.lab.bridge }] },
      PrimaryStorage: { url: pathToFileURL(this.poolDirectory).href, capacity: '2Gi' },
      ServiceOffering: { memory: `${guestMemoryBytes / 1024 ** 2}Mi` },
      PublicTemplate: {
        size: `${rootDiskBytes / 1024 ** 2}Mi`,
        images: [{ hypervisor: 'KVM', format: 'QCOW2', url: pathToFileURL(image.path).href, checksum: image.checksum }],
      },
      Volume: { size: '8Mi' },
    }
    await mkdir(this.manifests)
    const shipped = projectPath('manifests/kvm-example')
    for (const file of (await readdir(shipped)).filter(name => name.endsWith('.yaml'))) {
      const documents = parseAllDocuments(await readFile(join(shipped, file), 'utf8')).map(
        each => each.toJS() as Document,
      )
      const own = documents.map(each =>
        fitted[each.kind] ? { ...each, spec: { ...each.spec, ...fitted[each.kind] } } : each,
      )
      await writeFile(join(this.manifests, file), own.map(each => stringify(each)).join('---\n'))
    }
  }
}

/** The namespace of the example's tenant. */
export const namespace = 'kvm-shop'
