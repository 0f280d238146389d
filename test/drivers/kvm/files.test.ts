import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { DriverError } from '../../../drivers/contract/errors.ts'
import type { Mark } from '../../../drivers/contract/facts.ts'
import { findDaemons } from '../../../drivers/kvm/daemons.ts'
import { bestDomainType } from '../../../drivers/kvm/host-facts.ts'
import { KeyedLock } from '../../../drivers/kvm/keyed-lock.ts'
import { readImageHeader } from '../../../drivers/kvm/qcow2.ts'
import { type Image, sourcePath, templateHash } from '../../../drivers/kvm/templates.ts'
import {
  incomingPath,
  isEmptyPool,
  listLeftovers,
  listTemplates,
  listVolumes,
  readPoolOwner,
  removeRecord,
  requireUsable,
  templatePath,
  type VolumeRecord,
  volumePath,
  writePoolOwner,
  writeRecord,
} from '../../../drivers/kvm/volume-files.ts'

const mark: Mark = { installation: 'i-1', kind: 'Volume', namespace: 'shop', name: 'data' }
const [one, two, three] = [
  '11111111-2222-4333-8444-555555555555',
  '66666666-7777-4888-8999-aaaaaaaaaaaa',
  'bbbbbbbb-cccc-4ddd-8eee-ffffffffffff',
] as const

async function directory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'pool-'))
  t.teardown(() => rm(path, { recursive: true }))
  return path
}

/** A pool's directory with its own record. */
async function pool(t: ExecutionContext): Promise<string> {
  const path = await directory(t)
  await writePoolOwner(path, { identity: 'p-1' })
  return path
}

function qcow2(sizeBytes: number, options: { backing?: string; externalData?: boolean } = {}): Buffer {
  const head = Buffer.alloc(512)
  head.writeUInt32BE(0x514649fb, 0)
  head.writeUInt32BE(3, 4)
  head.writeBigUInt64BE(BigInt(sizeBytes), 24)
  if (options.externalData === true) head.writeBigUInt64BE(4n, 72)
  if (options.backing !== undefined) {
    head.writeBigUInt64BE(104n, 8)
    head.writeUInt32BE(options.backing.length, 16)
    head.write(options.backing, 104)
  }
  return head
}

function record(identity: string, change: Partial<VolumeRecord> = {}): VolumeRecord {
  return { identity, mark, epoch: 1, state: 'Ready', ...change }
}

test("an image's head tells its size, what it lies upon and whether its data is elsewhere", async t => {
  const path = join(await directory(t), 'image')
  await writeFile(path, qcow2(1234567))
  t.deepEqual(await readImageHeader(path), { format: 'QCOW2', sizeBytes: 1234567, externalData: false })
  await writeFile(path, qcow2(10, { backing: '/pool/template.qcow2', externalData: true }))
  t.deepEqual(await readImageHeader(path), {
    format: 'QCOW2',
    sizeBytes: 10,
    backingFile: '/pool/template.qcow2',
    externalData: true,
  })
  await writeFile(path, 'something else')
  t.deepEqual(await readImageHeader(path), { format: 'RAW', sizeBytes: 14, externalData: false })
})

test('a listing has whole volumes with their marks, others without, and nothing half made', async t => {
  const path = await pool(t)
  await writeFile(volumePath(path, one), qcow2(1024))
  await writeRecord(path, record(one, { epoch: 4, trashedAt: '2026-11-20T12:00:00Z' }))
  await writeFile(volumePath(path, two), qcow2(2048))
  await writeRecord(path, record(two, { state: 'Building' }))
  await writeRecord(path, record(three))
  await writeFile(join(path, 'theirs.img'), 'raw')
  await writeFile(templatePath(path, 'abc'), qcow2(512))
  await mkdir(join(path, 'lost+found'))
  const listed = await listVolumes(path)
  t.deepEqual(
    listed.toSorted((a, b) => a.identity.localeCompare(b.identity)),
    [
      { identity: one, mark, epoch: 4, sizeBytes: 1024, format: 'QCOW2', trashedAt: '2026-11-20T12:00:00Z' },
      { identity: 'theirs.img', epoch: 0, sizeBytes: 3, format: 'RAW' },
    ],
  )
})

test('a listing that cannot be complete throws', async t => {
  const path = await pool(t)
  await writeFile(join(path, '.skystead', `${one}.json`), 'no JSON')
  await writeFile(volumePath(path, one), qcow2(1024))
  await t.throwsAsync(listVolumes(path), { instanceOf: DriverError, message: /no JSON/ })
  await t.throwsAsync(listVolumes(join(path, 'missing')), { code: 'ENOENT' })
})

test('leftovers are half-made volumes, records without a file and what other processes were making', async t => {
  const path = await pool(t)
  await writeFile(volumePath(path, one), qcow2(1024))
  await writeRecord(path, record(one))
  await writeFile(volumePath(path, two), 'half')
  await writeRecord(path, record(two, { state: 'Building' }))
  await writeRecord(path, record(three))
  await writeFile(incomingPath(path, 'own', 'a'), '')
  await writeFile(incomingPath(path, 'earlier', 'b'), '')
  const { volumes, files } = await listLeftovers(path, 'own')
  t.deepEqual(volumes.sort(), [two, three])
  t.deepEqual(files, [incomingPath(path, 'earlier', 'b')])
  t.deepEqual(await listLeftovers(join(path, 'nothing'), 'own'), { volumes: [], files: [] })
})

test('a template is used as long as a volume lies upon it', async t => {
  const path = await pool(t)
  for (const hash of ['a', 'b']) await writeFile(templatePath(path, hash), qcow2(512))
  await writeFile(volumePath(path, one), qcow2(1024, { backing: templatePath(path, 'b') }))
  t.deepEqual(await listTemplates(path), [
    { path: templatePath(path, 'a'), used: false },
    { path: templatePath(path, 'b'), used: true },
  ])
})

test('a disk in the trash, half made or missing cannot be used', async t => {
  const path = await pool(t)
  await writeFile(volumePath(path, one), qcow2(1024))
  await writeRecord(path, record(one, { trashedAt: '2026-11-20T12:00:00Z' }))
  await writeFile(volumePath(path, two), qcow2(1024))
  await writeRecord(path, record(two, { state: 'Building' }))
  const use = (identity: string) => requireUsable(path, { identity, pool: 'PrimaryStorage/p-1', name: 'root' }, 'm-1')
  await t.throwsAsync(use(one), { instanceOf: DriverError, message: /disk root .* is in the trash/ })
  await t.throwsAsync(use(two), { instanceOf: DriverError, message: /is not in PrimaryStorage\/p-1/ })
  await t.throwsAsync(use(three), { instanceOf: DriverError, message: /is not in PrimaryStorage\/p-1/ })
  await writeRecord(path, record(one))
  await t.notThrowsAsync(use(one))
})

test('a record is written whole and readable by its owner only', async t => {
  const path = await pool(t)
  t.deepEqual(await readPoolOwner(path), { identity: 'p-1' })
  t.is(await readPoolOwner(join(path, 'elsewhere')), undefined)
  await writeRecord(path, record(one))
  await writeRecord(path, record(one, { epoch: 2 }))
  t.deepEqual((await readdir(join(path, '.skystead'))).sort(), [`${one}.json`, 'pool.json'])
  t.is((await stat(join(path, '.skystead', `${one}.json`))).mode & 0o777, 0o600)
})

test('a pool is empty while its directory holds its own record and nothing else, of whomever', async t => {
  const path = await pool(t)
  t.true(await isEmptyPool(path))
  await writeRecord(path, record(one, { state: 'Building' }))
  t.false(await isEmptyPool(path))
  await removeRecord(path, one)
  await writeFile(join(path, 'of-others.img'), 'x')
  t.false(await isEmptyPool(path))
  await rm(join(path, 'of-others.img'))
  t.true(await isEmptyPool(path))
  await t.throwsAsync(isEmptyPool(join(path, 'elsewhere')), { code: 'ENOENT' })
})

test('an identity that could lead out of the directory is refused', t => {
  for (const identity of ['../../etc/passwd', '', three.toUpperCase(), `${one}/x`]) {
    t.throws(() => volumePath('/pool', identity), { instanceOf: DriverError, message: /no UUID/ })
  }
})

test('images are files of the host; others are refused without telling their URL', t => {
  const image = (url: string): Image => ({ url, format: 'QCOW2' })
  t.is(sourcePath(image('file:///images/tiny%20linux.qcow2')), '/images/tiny linux.qcow2')
  const https = t.throws(() => sourcePath(image('https://host/x?signature=secret')), { instanceOf: DriverError })
  t.is(https?.code, 'Unsupported')
  t.regex(https?.message ?? '', /image\.url with https/)
  const remote = t.throws(() => sourcePath(image('file://host/x?signature=secret')), { instanceOf: DriverError })
  t.is(remote?.code, 'InvalidArgument')
  for (const error of [https, remote]) t.false(`${error?.message}${String(error?.cause)}`.includes('secret'))
})

test('a template is known by where its image comes from, its format and its checksum', t => {
  const image: Image = { url: 'file:///a', format: 'QCOW2' }
  const others: Image[] = [
    { ...image, url: 'file:///b' },
    { ...image, format: 'RAW' },
    { ...image, checksum: 'md5:0' },
  ]
  const hashes = [image, ...others].map(templateHash)
  t.is(new Set(hashes).size, 4)
  for (const hash of hashes) t.regex(hash, /^[0-9a-f]{32}$/)
})

test('the daemons are libvirtd alone or the modular ones side by side', async t => {
  const path = await directory(t)
  const monolithic = { path: join(path, 'libvirt-sock'), uri: 'qemu:///system' }
  t.deepEqual(findDaemons(path), { hypervisor: monolithic, storage: monolithic })
  const own = { path: '/somewhere/own-sock', uri: 'qemu:///system' }
  t.deepEqual(findDaemons('/somewhere/own-sock'), { hypervisor: own, storage: own })
  await writeFile(join(path, 'virtqemud-sock'), '')
  const modular = {
    hypervisor: { path: join(path, 'virtqemud-sock'), uri: 'qemu:///system' },
    storage: { path: join(path, 'virtstoraged-sock'), uri: 'storage:///system' },
  }
  t.deepEqual(findDaemons(path), modular)
  t.deepEqual(findDaemons(join(path, 'virtqemud-sock')), modular)
})

test("a host's domains use the processor's help where libvirt found it for its own architecture", t => {
  const capabilities = (...guests: readonly string[]) =>
    `<capabilities><host><cpu><arch>x86_64</arch></cpu></host>${guests.join('')}</capabilities>`
  const guest = (architecture: string, ...types: readonly string[]) =>
    `<guest><os_type>hvm</os_type><arch name="${architecture}">${types.map(type => `<domain type="${type}"/>`).join('')}</arch></guest>`
  t.is(bestDomainType(capabilities(guest('i686', 'qemu', 'kvm'), guest('x86_64', 'qemu', 'kvm'))), 'kvm')
  t.is(bestDomainType(capabilities(guest('i686', 'qemu', 'kvm'), guest('x86_64', 'qemu'))), 'qemu')
  t.is(bestDomainType(capabilities()), 'qemu')
})

test('one task at a time works on a key, in order, also after one that failed', async t => {
  const lock = new KeyedLock()
  const steps: string[] = []
  const first = Promise.withResolvers<void>()
  const failing = lock.run('a', async () => {
    steps.push('a1')
    await first.promise
    throw new Error('failed')
  })
  const second = lock.run('a', async () => steps.push('a2'))
  await lock.run('b', async () => steps.push('b'))
  t.deepEqual(steps, ['a1', 'b'])
  first.resolve()
  await t.throwsAsync(failing, { message: 'failed' })
  await second
  t.deepEqual(steps, ['a1', 'b', 'a2'])
})
