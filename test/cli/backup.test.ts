import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { readBackup } from '../../apiserver/backup/backup-format.ts'
import { versionJump } from '../../apiserver/backup/store-backup.ts'
import { serve } from '../../apiserver/serving/serve.ts'
import { readMark } from '../../apiserver/storage/high-water-mark.ts'
import { backup } from '../../cli/backup.ts'
import { realEnvironment } from '../../cli/environment.ts'
import { prepareHome } from '../../cli/home.ts'
import { restore } from '../../cli/restore.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'

function directoryFor(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'skystead-backup-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A server on a home, and what is asked of it in this process. */
async function served(home: string) {
  const server = await serve({ home, environment: realEnvironment() })
  async function ask(method: string, path: string, body?: unknown, user?: { name: string; groups: readonly string[] }) {
    const response = await server.handle({
      method,
      path,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: Buffer.from(JSON.stringify(body)) }),
      ...(user !== undefined && { user }),
    })
    const pieces: Uint8Array[] = []
    if (response.body instanceof Uint8Array) pieces.push(response.body)
    else for await (const piece of response.body) pieces.push(piece)
    return { status: response.status, text: Buffer.concat(pieces).toString() }
  }
  const create = async (name: string) => {
    const made = await ask('POST', configMaps, { metadata: { name }, data: { of: name } })
    return Number(JSON.parse(made.text).metadata.resourceVersion)
  }
  const names = async () =>
    JSON.parse((await ask('GET', configMaps)).text).items.map(
      (each: { readonly metadata: { readonly name: string } }) => each.metadata.name,
    )
  return { server, ask, create, names }
}

/** A stopped home with one ConfigMap, and a backup of it. */
async function backedUp(t: ExecutionContext) {
  const directory = directoryFor(t)
  const home = join(directory, 'home')
  const file = join(directory, 'backup')
  const { server, create } = await served(home)
  const version = await create('a')
  await server.close()
  writeFileSync(join(home, 'installation-id'), 'f1d2\n')
  writeFileSync(join(home, 'quickstart-applied'), '')
  await backup(file, { home })
  return { directory, home, file, version }
}

test('a backup of a running server is whole, private, and restores to what was there at one instant', async t => {
  const directory = directoryFor(t)
  const home = join(directory, 'home')
  const file = join(directory, 'backup')
  const { server, create, names } = await served(home)
  const last = await create('a')
  const writing = Promise.all(Array.from({ length: 50 }, (_, index) => create(`later-${index}`)))
  await backup(file, { home })
  await writing
  await server.close()
  t.is(statSync(file).mode & 0o777, 0o600)
  const { objects, files } = readBackup(readFileSync(file))
  t.true(objects.some(({ key, version }) => key === 'default/a' && version === last))
  t.deepEqual([...files.keys()].toSorted(), ['pki/accounts.key', 'pki/ca.crt', 'pki/ca.key', 'pki/token'])
  const restored = join(directory, 'restored')
  await restore(file, { home: restored, replace: false })
  t.is(readFileSync(join(restored, 'pki/ca.key'), 'utf8'), readFileSync(join(home, 'pki/ca.key'), 'utf8'))
  const again = await served(restored)
  const expected = objects.filter(({ resource }) => resource === 'configmaps').map(({ key }) => key.split('/')[1])
  t.deepEqual(await again.names(), expected.toSorted())
  t.true((await names()).length === 51)
  await again.server.close()
})

test('a backup of a stopped home restores with its objects, their versions and uids, its installation and what the first start did', async t => {
  const { directory, home, file } = await backedUp(t)
  const restored = join(directory, 'restored')
  await restore(file, { home: restored, replace: false })
  t.is(readFileSync(join(restored, 'installation-id'), 'utf8'), 'f1d2\n')
  t.true(existsSync(join(restored, 'quickstart-applied')))
  const [one, other] = [await served(home), await served(restored)]
  t.is((await one.ask('GET', `${configMaps}/a`)).text, (await other.ask('GET', `${configMaps}/a`)).text)
  await Promise.all([one.server.close(), other.server.close()])
})

test('versions that were given out since the backup are expired, and never given out again', async t => {
  const { directory, home, file, version } = await backedUp(t)
  const later = await served(home)
  const lost = await later.create('lost')
  await later.server.close()
  const restored = join(directory, 'restored')
  await restore(file, { home: restored, replace: false })
  const { server, ask, create } = await served(restored)
  t.true((await create('new')) > version + versionJump)
  for (const known of [version, lost]) {
    const watch = await ask('GET', `${configMaps}?watch=true&resourceVersion=${known}&timeoutSeconds=1`)
    t.regex(watch.text, /"type":"ERROR".*"reason":"Expired".*"code":410/)
    const list = await ask('GET', `${configMaps}?resourceVersion=${known}&resourceVersionMatch=Exact`)
    t.is(list.status, 410)
  }
  await server.close()
  const mark = readMark(join(restored, 'objects.db-mark')) ?? 0
  t.true(mark > versionJump)
})

test('a backup that is cut off or changed anywhere is refused before anything is touched', async t => {
  const { directory, file } = await backedUp(t)
  const whole = readFileSync(file)
  const restored = join(directory, 'restored')
  for (let offset = 0; offset < whole.length; offset += 997) {
    const changed = Buffer.from(whole)
    changed.writeUInt8(changed.readUInt8(offset) ^ 1, offset)
    for (const damaged of [whole.subarray(0, offset), changed]) {
      writeFileSync(join(directory, 'damaged'), damaged)
      const message = /^Cannot restore .*damaged: it (is|holds)|^Cannot restore .*: its /
      await t.throwsAsync(restore(join(directory, 'damaged'), { home: restored, replace: false }), { message })
    }
  }
  t.false(existsSync(restored))
})

test('a home that is not empty is refused, or what it held is put aside; a home in use and one of another installation are refused', async t => {
  const { directory, home, file } = await backedUp(t)
  await t.throwsAsync(restore(file, { home, replace: false }), { message: /it is not empty .*--replace/ })
  const running = await served(home)
  await running.create('since')
  await t.throwsAsync(restore(file, { home, replace: true }), { message: /another skystead is running there/ })
  await running.server.close()
  const used = readMark(join(home, 'objects.db-mark')) ?? 0
  writeFileSync(join(home, 'simulator.db'), 'the world')
  await restore(file, { home, replace: true })
  const aside = readdirSync(home).find(name => name.startsWith('replaced-')) ?? ''
  t.true(existsSync(join(home, aside, 'objects.db')))
  t.is(readFileSync(join(home, 'simulator.db'), 'utf8'), 'the world')
  const again = await served(home)
  t.deepEqual(await again.names(), ['a'])
  t.true((await again.create('b')) > used + versionJump)
  await again.server.close()
  const foreign = join(directory, 'foreign')
  mkdirSync(foreign)
  writeFileSync(join(foreign, 'installation-id'), 'another\n')
  await t.throwsAsync(restore(file, { home: foreign, replace: true }), { message: /its installation is another/ })
})

test('a home whose restore was interrupted is started by nobody, until it is restored again', async t => {
  const { home, file } = await backedUp(t)
  // As it is left when everything was put aside, and the power went.
  writeFileSync(join(home, 'restore-unfinished'), '')
  for (const name of ['objects.db', 'objects.db-mark', 'installation-id', 'quickstart-applied'])
    rmSync(join(home, name))
  await t.throwsAsync(prepareHome(home), { message: /a restore was interrupted there; run "skystead restore/ })
  await t.throwsAsync(restore(file, { home, replace: false }), { message: /it is not empty/ })
  await restore(file, { home, replace: true })
  await t.notThrowsAsync(prepareHome(home))
  const again = await served(home)
  t.deepEqual(await again.names(), ['a'])
  await again.server.close()
})

test('what the objects take is told with the figures of the server', async t => {
  const { server, ask, create } = await served(join(directoryFor(t), 'home'))
  await create('a')
  const { text } = await ask('GET', '/metrics')
  t.regex(text, /^apiserver_storage_size_bytes [1-9]\d{4,}$/m)
  t.regex(text, /^apiserver_storage_objects\{resource="configmaps"\} 1$/m)
  t.regex(text, /^skystead_storage_limit_bytes 2147483648$/m)
  t.regex(text, /^skystead_storage_replaced_records \d+$/m)
  await server.close()
})

test('nobody but the administrator gets a backup, and a file that exists is not written over', async t => {
  const { home, file } = await backedUp(t)
  await t.throwsAsync(backup(file, { home }), { message: /it exists/ })
  await t.throwsAsync(backup(join(home, 'b'), { home: join(home, 'none') }), { message: /holds no objects\.db/ })
  const { server, ask } = await served(home)
  const guest = { name: 'guest', groups: ['system:authenticated'] }
  t.is((await ask('GET', '/skystead/backup', undefined, guest)).status, 403)
  t.is((await ask('POST', '/skystead/backup', {})).status, 405)
  await server.close()
})
