import test from 'ava'
import { operation } from '../../../drivers/contract/operation.ts'
import { controllerConformance } from '../../drivers/conformance-controllers.ts'
import { refused } from '../../drivers/conformance-rig.ts'
import { skipped } from '../../skipped.ts'
import { commandsMissing } from '../lab/commands.ts'
import { secret, startEmulator, systems } from './emulator.ts'

const missing = commandsMissing(['sushy-emulator'])
const patient = () => ({ signal: AbortSignal.timeout(60_000) })

if (missing.length > 0) {
  skipped(test, 'Redfish against sushy-emulator', missing)
} else {
  controllerConformance(test, 'Redfish', () => startEmulator())

  test('HST-094 of several systems the named one is switched, and the others stay as they are', async t => {
    await using fixture = await startEmulator(['host-1', 'host-2'])
    const { driver, endpoint, means } = fixture
    const { configuration } = endpoint
    await using connection = driver.connect(endpoint, means)
    const off = operation('SetPower', { endpoint: endpoint.key, identity: 'host' }, { power: 'Off' })
    await connection.perform(off, patient())
    t.false(await fixture.isOn())
    const neighbour = { ...endpoint, configuration: { ...configuration, systemID: systems['host-2'] } }
    await using other = driver.connect(neighbour, means)
    t.deepEqual(await other.inventory(patient()), { type: 'PowerController', power: 'On' })
    const nowhere = { ...endpoint, configuration: { ...configuration, systemID: 'host-3' } }
    await using lost = driver.connect(nowhere, means)
    await refused(t, lost.inventory(patient()), 'NotFound')
  })

  test('HST-099 a controller refuses a wrong password, and the driver says so without telling it', async t => {
    await using fixture = await startEmulator()
    const { driver, endpoint } = fixture
    const means = { secret: async () => ({ ...secret, password: 'wrong donkey' }) }
    await using connection = driver.connect(endpoint, means)
    const error = await refused(t, connection.inventory(patient()), 'Unauthenticated')
    t.notRegex(`${error?.message}`, /donkey/)
    t.true(await fixture.isOn())
  })

  test('HST-099 the emulator is not believed without its authority', async t => {
    await using fixture = await startEmulator()
    const { driver, endpoint } = fixture
    const { username, password } = secret
    await using connection = driver.connect(endpoint, { secret: async () => ({ username, password }) })
    await refused(t, connection.inventory(patient()), 'Unauthenticated')
  })
}
