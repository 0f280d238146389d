import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { realEnvironment } from '../../../cli/environment.ts'
import type { Endpoint } from '../../../drivers/contract/endpoint.ts'
import { operation } from '../../../drivers/contract/operation.ts'
import { createIPMIDriver } from '../../../drivers/ipmi/driver.ts'
import { type ControllerFixture, controllerConformance } from '../conformance-controllers.ts'
import { refused } from '../conformance-rig.ts'

const endpoint: Endpoint = {
  key: 'PowerController/host-1-uid',
  driver: 'IPMI',
  name: 'host-1',
  configuration: {
    type: 'PowerController',
    host: 'Host/host-1-uid',
    address: 'bmc-1.example:6230',
    credentials: { secretName: 'bmc-1' },
  },
}

interface FakeController extends ControllerFixture {
  /** How many times the Secret was read. */
  readonly reads: () => number
  write(file: string, text: string): Promise<void>
  read(file: string): Promise<string>
  /** Changes what the Secret holds. */
  secret(values: Readonly<Record<string, string>>): void
}

async function fakeController(): Promise<FakeController> {
  const directory = await mkdtemp(join(tmpdir(), 'skystead-ipmi-'))
  const program = join(directory, 'ipmitool')
  await copyFile(join(import.meta.dirname, 'fake-ipmitool.sh'), program)
  const write = (file: string, text: string) => writeFile(join(directory, file), text)
  await write('power', 'on')
  await write('password', 'old horse')
  let values: Readonly<Record<string, string>> = { username: 'admin', password: 'old horse' }
  let reads = 0
  return {
    driver: createIPMIDriver({ environment: realEnvironment(), program }),
    endpoint,
    means: {
      secret: async () => {
        reads += 1
        return values
      },
    },
    deadline: 30_000,
    reads: () => reads,
    write,
    read: file => readFile(join(directory, file), 'utf8'),
    secret: next => {
      values = next
    },
    isOn: async () => (await readFile(join(directory, 'power'), 'utf8')).trim() === 'on',
    kill: () => write('dead', ''),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
}

controllerConformance(test, 'IPMI over a stand-in for ipmitool', fakeController)

const patient = () => ({ signal: AbortSignal.timeout(30_000) })

test('HST-094 HST-099 the password goes by the environment and is in no argument and no error', async t => {
  await using fake = await fakeController()
  await using connection = fake.driver.connect(endpoint, fake.means)
  await connection.inventory(patient())
  const said = await fake.read('arguments')
  t.regex(said, /-H bmc-1\.example -p 6230 -U admin -E chassis power status/)
  t.notRegex(said, /horse/)
  await fake.write('password', 'another')
  const error = await refused(t, connection.inventory(patient()), 'Unauthenticated')
  t.notRegex(`${error?.message} ${error?.stack}`, /horse/)
})

test('the Secret is read once, and anew when the controller refuses the password', async t => {
  await using fake = await fakeController()
  await using connection = fake.driver.connect(endpoint, fake.means)
  await connection.inventory(patient())
  await connection.inventory(patient())
  t.is(fake.reads(), 1)
  await fake.write('password', 'new horse')
  fake.secret({ username: 'admin', password: 'new horse' })
  t.deepEqual(await connection.inventory(patient()), { type: 'PowerController', power: 'On' })
  t.is(fake.reads(), 2)
})

test('a Secret without password, or none at all, is told by its name', async t => {
  await using fake = await fakeController()
  fake.secret({ username: 'admin' })
  await using connection = fake.driver.connect(endpoint, fake.means)
  const error = await refused(t, connection.inventory(patient()), 'Unauthenticated')
  t.is(error?.message, 'Cannot sign in: Secret "bmc-1" has no key "password"')
  await using nameless = fake.driver.connect(endpoint)
  await refused(t, nameless.inventory(patient()), 'Unauthenticated')
})

test('a controller that knows newer cipher suites only is asked with one of these', async t => {
  await using fake = await fakeController()
  await fake.write('newer', '')
  await using connection = fake.driver.connect(endpoint, fake.means)
  t.deepEqual(await connection.inventory(patient()), { type: 'PowerController', power: 'On' })
})

test('a call that hangs ends with its signal, in doubt', async t => {
  await using fake = await fakeController()
  await using connection = fake.driver.connect(endpoint, fake.means)
  await connection.inventory(patient())
  await fake.write('hung', '')
  const off = operation('SetPower', { endpoint: endpoint.key, identity: 'host' }, { power: 'Off' })
  const error = await refused(t, connection.perform(off, { signal: AbortSignal.timeout(200) }), 'Timeout')
  t.true(error?.inDoubt)
})

test('a machine without ipmitool says so', async t => {
  const driver = createIPMIDriver({ environment: realEnvironment(), program: '/nowhere/ipmitool' })
  await using connection = driver.connect(endpoint, { secret: async () => ({ username: 'a', password: 'b' }) })
  const error = await refused(t, connection.inventory(patient()), 'Unavailable')
  t.is(error?.message, 'Cannot call ipmitool: it is not installed on this machine')
})
