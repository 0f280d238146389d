import { randomUUID } from 'node:crypto'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ava, { type ExecutionContext, type TestFn } from 'ava'
import type { InventoryEvent } from '../../../drivers/contract/driver.ts'
import type { Endpoint } from '../../../drivers/contract/endpoint.ts'
import type { MachineFacts } from '../../../drivers/contract/facts.ts'
import { Rig, refused } from '../../drivers/conformance-rig.ts'
import { skipped } from '../../skipped.ts'
import { until } from '../../until.ts'
import { guestMemoryBytes } from '../lab/guest-image.ts'
import { missingForGuests } from '../lab/libvirt.ts'
import { type KVMFixture, startKVMFixture } from './fixture.ts'

const test = ava as TestFn<{ fixture: KVMFixture; rig: Rig }>
const missing = missingForGuests()
const mebibyte = 1024 ** 2

if (missing.length > 0) {
  skipped(test, 'real guests on KVM', missing)
} else {
  test.before(async t => {
    const fixture = await startKVMFixture()
    t.context = { fixture, rig: new Rig(fixture) }
  })
  test.after.always(async t => {
    await t.context.rig[Symbol.asyncDispose]()
  })
  guestTests()
}

interface Guest {
  readonly machine: string
  readonly volume: string
  readonly definition: MachineFacts['definition']
}

/** A machine with a clone of the guest image, whose guest is up. */
async function boot(t: ExecutionContext<{ fixture: KVMFixture; rig: Rig }>): Promise<Guest> {
  const { fixture, rig } = t.context
  const [machine, volume] = [rig.identity(), rig.identity()]
  const { guestImage: image } = fixture
  await rig.perform(rig.create(volume, { sizeBytes: 64 * mebibyte, ...(image === undefined ? {} : { image }) }))
  const definition = rig.definition({
    memoryBytes: guestMemoryBytes,
    disks: [{ identity: volume, pool: fixture.pool.key, name: 'root' }],
    nics: [{ name: 'web', macAddress: macOf(machine), segment: fixture.segment, addresses: ['10.1.1.7'] }],
  })
  await rig.perform(rig.define(machine, { definition, power: 'Running' }))
  await fixture.guestReady?.(machine)
  return { machine, volume, definition }
}

function macOf(identity: string): string {
  return `02:${identity.slice(0, 8).replace(/(..)/g, '$1:')}01`
}

/** What a command typed on the guest's console prints before the next prompt. */
async function ask(fixture: KVMFixture, machine: string, command: string, answer: RegExp): Promise<void> {
  const before = (await fixture.consoleText(machine)).length
  await until(`the answer of the guest to ${command}`, async () => {
    await fixture.typeOnConsole(machine, command)
    // A guest in software takes a moment, and one that is not asked again may have missed the question.
    await new Promise(resolve => setTimeout(resolve, 500))
    return answer.test((await fixture.consoleText(machine)).slice(before))
  })
}

function events(rig: Rig): { readonly seen: readonly InventoryEvent[] } & Disposable {
  const seen: InventoryEvent[] = []
  const subscription = rig.host.subscribe?.(event => seen.push(event))
  return { seen, [Symbol.dispose]: () => subscription?.[Symbol.dispose]() }
}

function machineEvent(seen: readonly InventoryEvent[], identity: string, power: string): MachineFacts | undefined {
  for (const event of seen.toReversed()) {
    if (event.event !== 'Machine' || event.facts.identity !== identity) continue
    if (event.facts.powerState === power) return event.facts
  }
  return undefined
}

function guestTests(): void {
  test.serial('a guest boots from a clone of a file:// image and sees what was defined', async t => {
    const { fixture, rig } = t.context
    const { machine, volume } = await boot(t)
    const said = await fixture.consoleText(machine)
    t.regex(said, /GUEST READY boots=1/)
    t.regex(said, new RegExp(`disks=vda:${(64 * mebibyte) / 512}:${volume.replaceAll('-', '').slice(0, 20)} `))
    t.regex(said, new RegExp(`nics=${macOf(machine)} `))
    const template = (await readdir(fixture.poolDirectory)).find(name => name.startsWith('template-'))
    const chain = await fixture.lab.image('info', '-U', '--output=json', join(fixture.poolDirectory, `${volume}.qcow2`))
    t.is(JSON.parse(chain)['backing-filename'], join(fixture.poolDirectory, template ?? ''))
    t.is((await rig.machine(machine))?.powerState, 'Running')
    t.regex(await fixture.lab.virsh('domname', machine), new RegExp(`^shop-web-${machine.slice(0, 8)}$`, 'm'))
  })

  test.serial('a destroy behind our back is told within a second, and the machine starts again', async t => {
    const { fixture, rig } = t.context
    const { machine } = await boot(t)
    using told = events(rig)
    await rig.hostListing()
    await fixture.lab.virsh('destroy', machine)
    const destroyed = performance.now()
    await until('the event', async () => machineEvent(told.seen, machine, 'Off') !== undefined, { limit: 1_000 })
    t.log(`told ${Math.round(performance.now() - destroyed)} ms after virsh returned`)
    t.is(machineEvent(told.seen, machine, 'Off')?.stopCause, 'Forced')
    const started = await rig.perform(rig.onHost('StartMachine', machine, { identity: machine, epoch: 1 }))
    t.like(started, { powerState: 'Running', stopCause: undefined })
    await until('the second boot', async () => (await fixture.consoleText(machine)).includes('GUEST READY boots=2'))
  })

  test.serial('a guest that is asked to stop goes down by itself, and the cause is the request', async t => {
    const { fixture, rig } = t.context
    const { machine } = await boot(t)
    using told = events(rig)
    await rig.hostListing()
    await rig.perform(rig.onHost('StopMachine', machine, { identity: machine, epoch: 1, mode: 'Graceful' }))
    await until('the end of the guest', async () => machineEvent(told.seen, machine, 'Off') !== undefined)
    t.regex(await fixture.consoleText(machine), /GUEST HALTING/)
    t.is((await rig.machine(machine))?.stopCause, 'Request')
  })

  test.serial(
    'a guest that shuts itself down is off by its own wish, also when it was asked in an earlier run',
    async t => {
      const { fixture, rig } = t.context
      const { machine } = await boot(t)
      const off = async () => (await rig.machine(machine))?.powerState === 'Off'
      await rig.perform(rig.onHost('StopMachine', machine, { identity: machine, epoch: 1, mode: 'Graceful' }))
      await until('the end of the guest', off)
      await rig.perform(rig.onHost('StartMachine', machine, { identity: machine, epoch: 1 }))
      await until('the second boot', async () => (await fixture.consoleText(machine)).includes('GUEST READY boots=2'))
      using told = events(rig)
      await rig.hostListing()
      await fixture.typeOnConsole(machine, 'halt-guest')
      await until('the end of the guest', async () => machineEvent(told.seen, machine, 'Off') !== undefined)
      t.is(machineEvent(told.seen, machine, 'Off')?.stopCause, 'Guest')
      t.is((await rig.machine(machine))?.stopCause, 'Guest')
    },
  )

  test.serial('a guest whose QEMU dies has crashed', async t => {
    const { fixture, rig } = t.context
    const { machine } = await boot(t)
    const name = (await fixture.lab.virsh('domname', machine)).trim()
    using told = events(rig)
    await rig.hostListing()
    process.kill(await fixture.lab.qemuPid(name), 'SIGKILL')
    await until('the event', async () => machineEvent(told.seen, machine, 'Off') !== undefined)
    t.is(machineEvent(told.seen, machine, 'Off')?.stopCause, 'Crash')
  })

  test.serial('a running machine gets a disk and a NIC, its disk grows, and it loses them again', async t => {
    const { fixture, rig } = t.context
    const { machine, volume, definition } = await boot(t)
    const data = rig.identity()
    await rig.perform(rig.create(data, { sizeBytes: 8 * mebibyte }))
    const nic = { name: 'back', macAddress: '02:00:00:00:00:77', segment: fixture.segment, addresses: [] }
    const larger = {
      ...definition,
      disks: [...definition.disks, { identity: data, pool: fixture.pool.key, name: 'data' }],
      nics: [...definition.nics, nic],
    }
    t.deepEqual((await rig.perform(rig.define(machine, { definition: larger }))).definition, larger)
    await ask(fixture, machine, 'cat /sys/block/vdb/size', /\n16384\r/)
    await ask(fixture, machine, 'cat /sys/class/net/eth1/address', /02:00:00:00:00:77/)
    const sizeBytes = 96 * mebibyte
    t.is(
      (await rig.perform(rig.onPool('ResizeVolume', volume, { identity: volume, epoch: 1, sizeBytes }))).sizeBytes,
      sizeBytes,
    )
    await ask(fixture, machine, 'cat /sys/block/vda/size', /\n196608\r/)
    await rig.perform(rig.define(machine, { definition }))
    const seen = await rig.eventually(
      () => rig.machine(machine),
      facts => facts?.definition.disks.length === 1 && facts.definition.nics.length === 1,
    )
    t.deepEqual(seen?.definition, definition)
    await rig.perform(rig.onPool('DeleteVolume', data, { identity: data, epoch: 1 }))
    t.is(await rig.volume(data), undefined)
  })

  test.serial('more memory and cores of a running machine hold from its next start', async t => {
    const { fixture, rig } = t.context
    const { machine, definition } = await boot(t)
    const larger = { ...definition, cores: 2, memoryBytes: 160 * mebibyte }
    t.deepEqual((await rig.perform(rig.define(machine, { definition: larger }))).definition, larger)
    t.regex(await fixture.lab.virsh('dominfo', machine), /^CPU\(s\): +1$/m)
    await rig.perform(rig.onHost('StopMachine', machine, { identity: machine, epoch: 1, mode: 'Forced' }))
    await rig.perform(rig.onHost('StartMachine', machine, { identity: machine, epoch: 1 }))
    await until('the second boot', async () => /GUEST cpus=2 /.test(await fixture.consoleText(machine)))
    t.deepEqual((await rig.machine(machine))?.definition, larger)
  })

  test.serial('guests outlive the daemon: its end is told, and after its start all is seen and told again', async t => {
    const { fixture, rig } = t.context
    const { machine } = await boot(t)
    using told = events(rig)
    await rig.hostListing()
    await fixture.lab.stopDaemon('SIGKILL')
    await until('the loss', async () => told.seen.some(event => event.event === 'Disconnected'))
    await refused(t, rig.hostListing(), 'Unavailable')
    await refused(t, rig.poolListing(), 'Unavailable')
    await fixture.lab.startDaemon()
    const back = await rig.eventually(
      () => rig.machine(machine).catch(() => undefined),
      facts => facts !== undefined,
    )
    t.is(back?.powerState, 'Running')
    await fixture.lab.virsh('destroy', machine)
    await until('the event', async () => machineEvent(told.seen, machine, 'Off') !== undefined)
    t.is(machineEvent(told.seen, machine, 'Off')?.stopCause, 'Forced')
  })

  test.serial('a machine whose bridge is missing waits for it', async t => {
    const { fixture, rig } = t.context
    const machine = rig.identity()
    const segment = { ...fixture.segment, label: 'nowhere0' }
    const definition = rig.definition({ nics: [{ name: 'web', macAddress: macOf(machine), segment, addresses: [] }] })
    const error = await refused(
      t,
      rig.perform(rig.define(machine, { definition, power: 'Running' })),
      'FailedPrecondition',
    )
    t.regex(error?.message ?? '', /nowhere0/)
    t.is((await rig.machine(machine))?.powerState, 'Off')
  })

  test.serial(
    'TPL-018 an image that does not sum up to its checksum is refused, and nothing is left of it',
    async t => {
      const { fixture, rig } = t.context
      const volume = rig.identity()
      const before = (await readdir(fixture.poolDirectory, { recursive: true })).sort()
      const image = { url: fixture.guestImage?.url ?? '', format: 'QCOW2', checksum: `sha256:${'0'.repeat(64)}` }
      const error = await refused(t, rig.perform(rig.create(volume, { image })), 'InvalidArgument')
      t.regex(error?.message ?? '', /sha256/)
      t.deepEqual((await readdir(fixture.poolDirectory, { recursive: true })).sort(), before)
    },
  )

  test.serial('an image that refers to other files of the host is refused', async t => {
    const { fixture, rig } = t.context
    const secret = join(fixture.lab.directory, 'secret')
    await writeFile(secret, 'x'.repeat(65536))
    const path = join(fixture.lab.directory, 'sly.qcow2')
    await fixture.lab.image('create', '-q', '-f', 'qcow2', '-b', secret, '-F', 'raw', path)
    const image = { url: pathToFileURL(path).href, format: 'QCOW2' }
    const error = await refused(t, rig.perform(rig.create(rig.identity(), { image })), 'InvalidArgument')
    t.regex(error?.message ?? '', /other files/)
  })

  test.serial('a pool whose file system is not there cannot be listed', async t => {
    const { fixture, rig } = t.context
    const record = join(fixture.poolDirectory, '.skystead/pool.json')
    const content = await readFile(record)
    await rm(record)
    await refused(t, rig.poolListing(), 'Unavailable')
    await refused(t, rig.perform(rig.create(rig.identity())), 'Unavailable')
    await writeFile(record, content)
    t.is((await rig.poolListing()).type, 'PrimaryStorage')
  })

  test.serial('a directory is taken over from a pool that is gone, but not from one in use or of others', async t => {
    const { fixture, rig } = t.context
    const directory = join(fixture.lab.directory, 'second-pool')
    const record = join(directory, '.skystead', 'pool.json')
    const pools = [randomUUID(), randomUUID()].map((identity): Endpoint => {
      const configuration = { ...fixture.pool.configuration, url: pathToFileURL(directory).href }
      return { ...fixture.pool, key: `PrimaryStorage/${identity}`, configuration } as Endpoint
    })
    const [first, second] = pools as [Endpoint, Endpoint]
    const [one, two] = [rig.identity(), rig.identity()]
    const make = (identity: string, { key }: Endpoint) => ({ ...rig.create(identity), endpoint: key })
    await using later = fixture.driver.connect(second)
    {
      await using before = fixture.driver.connect(first)
      await before.perform(make(one, first), rig.options())
      await refused(t, later.perform(make(two, second), rig.options()), 'FailedPrecondition')
    }
    const others = { ...rig.options(), installation: 'somebody else' }
    await refused(t, later.perform(make(two, second), others), 'FailedPrecondition')
    t.like(JSON.parse(await readFile(record, 'utf8')), { identity: first.key.split('/')[1] })
    await later.perform(make(two, second), rig.options())
    t.deepEqual(JSON.parse(await readFile(record, 'utf8')), {
      identity: second.key.split('/')[1],
      installation: rig.installation,
    })
    for (const identity of [one, two]) {
      t.true((await readdir(directory)).includes(`${identity}.qcow2`))
      const args = { identity, epoch: 1 }
      await later.perform({ ...rig.onPool('DeleteVolume', identity, args), endpoint: second.key }, rig.options())
    }
    t.deepEqual(await readdir(directory), [])
    t.notRegex(await fixture.lab.virsh('pool-list', '--all', '--name'), new RegExp(second.key.split('/')[1] ?? '-'))
  })

  test.serial('what a killed caller left half made is not listed and goes with the next change', async t => {
    const { fixture, rig } = t.context
    const half = randomUUID()
    const own = join(fixture.poolDirectory, '.skystead')
    await writeFile(join(fixture.poolDirectory, `${half}.qcow2`), 'half a volume')
    const record = { identity: half, mark: rig.mark('half', 'Volume'), epoch: 1, state: 'Building' }
    await writeFile(join(own, `${half}.json`), JSON.stringify(record))
    await writeFile(join(own, `incoming-${randomUUID()}-${randomUUID()}`), 'half a template')
    t.is(await rig.volume(half), undefined)
    // A process that comes after the killed one.
    await using next = fixture.driver.connect(fixture.pool)
    await next.perform(rig.create(rig.identity()), rig.options())
    t.false((await fixture.volumes()).includes(half))
    t.deepEqual(
      (await readdir(own)).filter(name => name.startsWith('incoming-')),
      [],
    )
  })

  test.serial('removal leaves no domain and no file', async t => {
    const { fixture, rig } = t.context
    const { machine, volume } = await boot(t)
    await rig.perform(rig.onHost('StopMachine', machine, { identity: machine, epoch: 1, mode: 'Forced' }))
    await rig.perform(rig.onHost('RemoveMachine', machine, { identity: machine, epoch: 1 }))
    t.is(await fixture.consoleText(machine), '')
    for (const { identity, powerState } of (await rig.hostListing()).machines) {
      if (powerState !== 'Off') {
        await rig.perform(rig.onHost('StopMachine', identity, { identity, epoch: 1, mode: 'Forced' }))
      }
      await rig.perform(rig.onHost('RemoveMachine', identity, { identity, epoch: 1 }))
    }
    t.true((await rig.poolListing()).volumes.some(each => each.identity === volume))
    for (const { identity } of (await rig.poolListing()).volumes) {
      await rig.perform(rig.onPool('DeleteVolume', identity, { identity, epoch: 1 }))
    }
    t.is((await fixture.lab.virsh('list', '--all', '--name')).trim(), '')
    t.deepEqual(await readdir(fixture.poolDirectory), [])
    t.is((await fixture.lab.virsh('pool-list', '--all', '--name')).trim(), '')
    t.deepEqual(await readdir(join(fixture.lab.directory, 'console')), [])
  })
}
