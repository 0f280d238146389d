import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { createAPIServer } from '../../apiserver/server.ts'
import { memoryLog } from '../../apiserver/storage/durable-log.ts'
import { projectPath } from '../../cli/repository.ts'
import { ApiError, createClient } from '../../controllers/api/client.ts'
import { inProcessTransport } from '../../controllers/api/in-process-transport.ts'
import { install, readDefinitions } from '../../controllers/install.ts'
import { installationOfCluster, installationOfHome, noteNewInstallation } from '../../controllers/installation-id.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { virtualEnvironment } from '../../drivers/simulator/virtual-clock.ts'

/** An API without any object; with the CRDs, unless `isEmpty`. */
async function start({ isEmpty = false } = {}) {
  const environment = virtualEnvironment(1)
  const complete = async <T>(promise: Promise<T>) => (await environment.until(promise)) as T
  const server = await complete(createAPIServer({ log: memoryLog(), environment }))
  const client = createClient(inProcessTransport(request => server.handle(request)))
  if (!isEmpty) await complete(install(client, readDefinitions(projectPath('manifests/crds')), environment))
  return { client, environment, complete }
}

test('a home makes its installation once: only at the first start is it new', async t => {
  const { random } = virtualEnvironment(1)
  const home = await mkdtemp(join(tmpdir(), 'skystead-'))
  t.teardown(() => rm(home, { recursive: true }))
  const first = await installationOfHome(home, random)
  t.is(first.isNew, true)
  t.regex(first.id, /^[0-9a-f-]{36}$/)
  t.deepEqual(await installationOfHome(home, random), { id: first.id })
  t.deepEqual(await readdir(home), ['installation-id'])
  await t.throwsAsync(installationOfHome(join(home, 'none'), random), { code: 'ENOENT' })
})

test('a cluster makes its installation once, whoever starts first: for the others it is not new', async t => {
  const { client, environment, complete } = await start()
  const { random } = environment
  const found = await complete(Promise.all([1, 2, 3].map(() => installationOfCluster(client, random))))
  t.is(new Set(found.map(({ id }) => id)).size, 1)
  t.is(found.filter(({ isNew }) => isNew === true).length, 1)
  t.deepEqual(await complete(installationOfCluster(client, random)), { id: found[0]?.id })
})

test('that an installation is new is noted once in the store; that it cannot be is told', async t => {
  const { client, environment, complete } = await start()
  const note = async () => complete(client.get(Allocation, 'inventory-installation-1'))
  t.is(await note(), undefined)
  await complete(noteNewInstallation(client, 'installation-1', environment))
  const noted = await note()
  t.like(noted, {
    spec: { type: 'Inventory', value: 'installation-1', holder: { kind: 'Installation', uid: 'installation-1' } },
  })
  await complete(noteNewInstallation(client, 'installation-1', environment))
  t.deepEqual(await note(), noted)
  const bare = await start({ isEmpty: true })
  const refused = bare.complete(noteNewInstallation(bare.client, 'installation-1', environment))
  await t.throwsAsync(refused, { instanceOf: ApiError })
})
