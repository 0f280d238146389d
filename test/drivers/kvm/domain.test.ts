import test from 'ava'
import fc from 'fast-check'
import type { MachineDefinition, MachineDisk, Mark } from '../../../drivers/contract/facts.ts'
import { type DomainOptions, diskSerial, domainName, parseDomain, renderDomain } from '../../../drivers/kvm/domain.ts'
import { metadataNamespace } from '../../../drivers/kvm/domain-metadata.ts'
import { type FoundDomain, machineFacts } from '../../../drivers/kvm/machine-facts.ts'
import { domainState, shutoffReason } from '../../../drivers/kvm/procedures.ts'
import { parseXml } from '../../../drivers/kvm/xml.ts'

const identity = '6f0c4f7e-2c1d-4b8e-9a3b-0123456789ab'
const rootVolume = '11111111-2222-4333-8444-555555555555'
const dataVolume = '66666666-7777-4888-8999-aaaaaaaaaaaa'
const mark: Mark = { installation: 'i-1', kind: 'VirtualMachine', namespace: 'shop', name: 'web-1' }
const pool = 'PrimaryStorage/p-1'

const options: DomainOptions = {
  type: 'qemu',
  diskPath: disk => `/pool/${disk.identity}.qcow2`,
  diskCache: 'none',
  consoleLog: '/var/log/console.log',
}

function definition(change: Partial<MachineDefinition> = {}): MachineDefinition {
  return {
    role: 'Instance',
    cores: 2,
    clockMHz: 1000,
    memoryBytes: 512 * 1024 ** 2,
    guestHostName: 'web',
    disks: [disk('root', rootVolume)],
    nics: [nic('web', '02:00:00:00:00:01')],
    ...change,
  }
}

function disk(name: string, volume: string): MachineDisk {
  return { identity: volume, pool, name }
}

function nic(name: string, macAddress: string): MachineDefinition['nics'][number] {
  const segment = { network: 'n-1', isolation: 'None', label: 'guest0' } as const
  return { name, macAddress, segment, addresses: ['10.1.1.7', '2001:db8::7'] }
}

function found(xml: string, state: number = domainState.shutoff, reason: number = shutoffReason.unknown): FoundDomain {
  const description = parseDomain(xml)
  return { current: description, next: description, state, reason }
}

const poolOf = (directory: string) => (directory === '/pool' ? pool : undefined)

test('what is rendered is read again as it was given, whatever its texts are', t => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).map(each => each.trim() || 'x')
  const machines = fc.record({
    guestHostName: text,
    name: text,
    nicName: text,
    label: fc.stringMatching(/^[a-z][a-z0-9.-]{0,14}$/),
    cores: fc.integer({ min: 1, max: 64 }),
    memoryBytes: fc.integer({ min: 1, max: 2 ** 45 }),
    clockMHz: fc.integer({ min: 0, max: 10_000 }),
    epoch: fc.integer({ min: 0, max: 2 ** 31 }),
    disks: fc.uniqueArray(fc.uuid(), { maxLength: 12 }),
    namespace: fc.option(text, { nil: undefined }),
  })
  fc.assert(
    fc.property(machines, given => {
      const { guestHostName, cores, memoryBytes, clockMHz, epoch, namespace } = given
      const wished = definition({
        guestHostName,
        cores,
        memoryBytes,
        clockMHz,
        disks: given.disks.map((volume, index) => disk(`disk-${index}`, volume)),
        nics: [
          {
            ...nic(given.nicName, '02:00:00:00:00:01'),
            segment: { network: 'n', isolation: 'None', label: given.label },
          },
        ],
      })
      const own: Mark = {
        installation: 'i',
        kind: 'VirtualMachine',
        ...(namespace === undefined ? {} : { namespace }),
        name: given.name,
      }
      const xml = renderDomain({ identity, epoch, mark: own, definition: wished }, options)
      t.deepEqual(machineFacts(found(xml), poolOf), {
        identity,
        mark: own,
        epoch,
        powerState: 'Off',
        definition: wished,
      })
    }),
  )
})

test('the domain is what was wished: names, sizes, disks with serials, NICs on their bridge, a console, no autostart', t => {
  const wished = definition({ disks: [disk('data', dataVolume), disk('root', rootVolume)] })
  const domain = parseXml(renderDomain({ identity, epoch: 3, mark, definition: wished }, options), 'domain')
  t.is(domain.attribute('type'), 'qemu')
  t.is(domain.child('name')?.text, 'shop-web-1-6f0c4f7e')
  t.is(domain.child('uuid')?.text, identity)
  t.is(domain.child('memory')?.text, `${512 * 1024}`)
  t.is(domain.child('vcpu')?.text, '2')
  const devices = domain.child('devices')
  const disks = (devices?.children('disk') ?? []).map(each => ({
    file: each.child('source')?.attribute('file'),
    target: each.child('target')?.attribute('dev'),
    serial: each.child('serial')?.text,
    format: each.child('driver')?.attribute('type'),
    boots: each.child('boot')?.attribute('order'),
  }))
  t.deepEqual(disks, [
    {
      file: `/pool/${dataVolume}.qcow2`,
      target: 'vda',
      serial: '66666666777748888999',
      format: 'qcow2',
      boots: undefined,
    },
    { file: `/pool/${rootVolume}.qcow2`, target: 'vdb', serial: '11111111222243338444', format: 'qcow2', boots: '1' },
  ])
  const nics = devices?.children('interface') ?? []
  t.deepEqual(
    nics.map(each => [
      each.attribute('type'),
      each.child('source')?.attribute('bridge'),
      each.child('mac')?.attribute('address'),
    ]),
    [['bridge', 'guest0', '02:00:00:00:00:01']],
  )
  t.is(devices?.child('serial')?.child('log')?.attribute('file'), '/var/log/console.log')
  t.is(devices?.child('graphics'), undefined)
})

test('kvm domains take the host processor, qemu domains one that software can be', t => {
  const rendered = (type: DomainOptions['type']) =>
    parseXml(renderDomain({ identity, epoch: 1, mark, definition: definition() }, { ...options, type }), 'domain')
  t.is(rendered('kvm').child('cpu')?.attribute('mode'), 'host-model')
  t.is(rendered('kvm').child('features')?.child('tcg'), undefined)
  t.is(rendered('qemu').child('cpu')?.child('model')?.text, 'qemu64')
})

test('a domain that is defined again keeps its name, its machine type and where its devices are', t => {
  const address = '<address type="pci" domain="0x0000" bus="0x00" slot="0x07" function="0x0"/>'
  const before = renderDomain({ identity, epoch: 1, mark, definition: definition() }, options)
    .replace('machine="pc"', 'machine="pc-i440fx-7.2"')
    .replace('shop-web-1', 'shop-old-name')
    .replace('</disk>', `${address}</disk>`)
  const wished = definition({ disks: [disk('data', dataVolume), disk('root', rootVolume)] })
  const renamed = { ...mark, name: 'web-2' }
  const xml = renderDomain({ identity, epoch: 2, mark: renamed, definition: wished }, options, parseDomain(before))
  const after = parseDomain(xml)
  t.is(after.name, 'shop-old-name-6f0c4f7e')
  t.is(after.machineType, 'pc-i440fx-7.2')
  t.like(after.metadata, { mark: renamed, epoch: 2 })
  const [data, root] = after.disks
  t.like(root, { target: 'vda', address: { slot: '0x07' } })
  t.like(data, { target: 'vdb', address: undefined })
})

test('names are readable, safe as file names and told apart by the identity', t => {
  t.is(domainName({ ...mark, name: 'a/b c' }, identity), 'shop-a-b-c-6f0c4f7e')
  t.is(domainName({ installation: 'i', kind: 'VirtualMachine', name: 'web' }, identity), 'web-6f0c4f7e')
  t.true(domainName({ ...mark, name: 'x'.repeat(253) }, identity).length <= 180)
  t.is(diskSerial(rootVolume).length, 20)
})

test('a domain of somebody else is seen without a mark, and so is one with a foreign or broken mark', t => {
  const xml = (metadata: string) => `<domain type="kvm"><name>theirs</name><uuid>${identity.toUpperCase()}</uuid>
    <metadata>${metadata}</metadata><memory unit="MiB">256</memory><vcpu>3</vcpu>
    <devices><disk type="block" device="disk"><source dev="/dev/vg/x"/><target dev="vda" bus="virtio"/></disk>
    <disk type="file" device="cdrom"><target dev="hda"/></disk>
    <interface type="network"><mac address="52:54:00:AA:bb:cc"/><source network="default"/></interface></devices></domain>`
  const broken = `<skystead:machine xmlns:skystead="${metadataNamespace}" kind="VirtualMachine"/>`
  const other = '<skystead:machine xmlns:skystead="urn:other" installation="i" kind="VirtualMachine" name="x"/>'
  for (const metadata of ['', broken, other]) {
    t.deepEqual(machineFacts(found(xml(metadata)), poolOf), {
      identity,
      epoch: 0,
      powerState: 'Off',
      definition: {
        role: 'Instance',
        cores: 3,
        clockMHz: 0,
        memoryBytes: 256 * 1024 ** 2,
        guestHostName: 'theirs',
        disks: [{ identity: '/dev/vg/x', pool: '', name: 'vda' }],
        nics: [
          {
            name: '52:54:00:aa:bb:cc',
            macAddress: '52:54:00:aa:bb:cc',
            segment: { network: '', isolation: 'None', label: '' },
            addresses: [],
          },
        ],
      },
    })
  }
})

test('a change behind our back shows as a difference: sizes, bridges, disks', t => {
  const xml = renderDomain({ identity, epoch: 1, mark, definition: definition() }, options)
  const changed = (from: string, to: string) => machineFacts(found(xml.replace(from, to)), poolOf).definition
  t.is(changed('<vcpu>2', '<vcpu>4').cores, 4)
  t.is(changed(`${512 * 1024}`, `${768 * 1024}`).memoryBytes, 768 * 1024 ** 2)
  t.is(changed('bridge="guest0"', 'bridge="other0"').nics[0]?.segment.label, 'other0')
  t.deepEqual(changed(`/pool/${rootVolume}`, `/pool/${dataVolume}`).disks, [
    { identity: dataVolume, pool, name: 'vda' },
  ])
  t.deepEqual(changed(`/pool/${rootVolume}`, `/elsewhere/${rootVolume}`).disks, [disk('root', rootVolume)])
})

test('while it runs, disks and NICs are those it has, sizes those of its next start', t => {
  const now = parseDomain(renderDomain({ identity, epoch: 1, mark, definition: definition() }, options))
  const larger = definition({ cores: 8, disks: [disk('root', rootVolume), disk('data', dataVolume)] })
  const next = parseDomain(renderDomain({ identity, epoch: 2, mark, definition: larger }, options))
  const facts = machineFacts({ current: now, next, state: domainState.running, reason: 1 }, poolOf)
  t.like(facts, { epoch: 2, powerState: 'Running' })
  t.is(facts.definition.cores, 8)
  t.deepEqual(facts.definition.disks, [disk('root', rootVolume)])
})

test('power states and causes are what libvirt says, and a stop that was asked for is a request', t => {
  const xml = renderDomain({ identity, epoch: 1, mark, definition: definition() }, options)
  const asked = xml.replace('epoch="1"', 'epoch="1" stopRequested="yes"')
  const rows = [
    [xml, domainState.running, 1, 'Running', undefined],
    [xml, domainState.blocked, 0, 'Running', undefined],
    [xml, domainState.shutdown, 0, 'Running', undefined],
    [xml, domainState.paused, 1, 'Paused', undefined],
    [xml, domainState.suspended, 0, 'Paused', undefined],
    [xml, domainState.none, 0, 'Unknown', undefined],
    [xml, domainState.crashed, 0, 'Crashed', 'Crash'],
    [xml, domainState.shutoff, shutoffReason.unknown, 'Off', undefined],
    [xml, domainState.shutoff, shutoffReason.shutdown, 'Off', 'Guest'],
    [asked, domainState.shutoff, shutoffReason.shutdown, 'Off', 'Request'],
    [asked, domainState.shutoff, shutoffReason.crashed, 'Off', 'Crash'],
    [xml, domainState.shutoff, shutoffReason.destroyed, 'Off', 'Forced'],
    [xml, domainState.shutoff, shutoffReason.daemon, 'Off', 'Unknown'],
    [xml, domainState.shutoff, shutoffReason.failed, 'Off', undefined],
  ] as const
  for (const [document, state, reason, powerState, stopCause] of rows) {
    const facts = machineFacts(found(document, state, reason), poolOf)
    t.deepEqual([facts.powerState, facts.stopCause], [powerState, stopCause], `${state} ${reason}`)
  }
})

test('memory that libvirt rounded up counts as the wish, more does not', t => {
  const xml = renderDomain({ identity, epoch: 1, mark, definition: definition({ memoryBytes: 100_000_001 }) }, options)
  const rounded = Math.ceil(100_000_001 / 1024)
  t.is(parseDomain(xml).memoryBytes, rounded * 1024)
  const read = (kib: number) =>
    machineFacts(found(xml.replace(`>${rounded}<`, `>${kib}<`)), poolOf).definition.memoryBytes
  t.is(read(rounded), 100_000_001)
  t.is(read(Math.ceil(rounded / 1024) * 1024), 100_000_001)
  t.is(read(rounded + 2048), (rounded + 2048) * 1024)
})
