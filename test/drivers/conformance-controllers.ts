import type { TestFn } from 'ava'
import type { ConnectMeans, Driver } from '../../drivers/contract/driver.ts'
import type { Endpoint, PowerControllerConfiguration } from '../../drivers/contract/endpoint.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { refused } from './conformance-rig.ts'

/** A power controller that the suite is run on. Made for each test. */
export interface ControllerFixture extends AsyncDisposable {
  readonly driver: Driver
  readonly endpoint: Endpoint
  readonly means?: ConnectMeans
  /** How long any one call may take, in ms. */
  readonly deadline: number
  /** Whether the host is on, seen without the driver. */
  isOn(): Promise<boolean>
  /** Lets the controller answer no more. */
  kill(): Promise<void>
}

/** A host's power controller on this machine. */
export function localController(
  driver: Endpoint['driver'],
  port: number,
  configuration: Partial<PowerControllerConfiguration> = {},
): Endpoint {
  return {
    key: 'PowerController/host-1-uid',
    driver,
    name: 'host-1',
    configuration: {
      type: 'PowerController',
      host: 'Host/host-1-uid',
      address: `127.0.0.1:${port}`,
      credentials: { secretName: 'bmc-1' },
      ...configuration,
    },
  }
}

/** The rules for drivers that serve power controllers and no hosts (drivers/README.md). */
export function controllerConformance(test: TestFn, name: string, setUp: () => Promise<ControllerFixture>): void {
  const identity = 'host-identity'
  const setPower = (endpoint: Endpoint, power: 'On' | 'Off') =>
    operation('SetPower', { endpoint: endpoint.key, identity }, { power })

  test(`${name}: rule 29: power is switched once it says so, as often as one likes`, async t => {
    await using fixture = await setUp()
    const { driver, endpoint, means, deadline } = fixture
    await using connection = driver.connect(endpoint, means)
    const options = () => ({ signal: AbortSignal.timeout(deadline) })
    for (const power of ['On', 'Off', 'Off', 'On', 'On'] as const) {
      t.is(await connection.perform(setPower(endpoint, power), options()), undefined)
      t.deepEqual(await connection.inventory(options()), { type: 'PowerController', power })
      t.is(await fixture.isOn(), power === 'On')
    }
  })

  test(`${name}: rules 7 and 9: an aborted call sends nothing, a dead controller is Unavailable`, async t => {
    await using fixture = await setUp()
    const { driver, endpoint, means, deadline } = fixture
    await using connection = driver.connect(endpoint, means)
    await connection.perform(setPower(endpoint, 'On'), { signal: AbortSignal.timeout(deadline) })
    const aborted = { signal: AbortSignal.abort() }
    await refused(t, connection.perform(setPower(endpoint, 'Off'), aborted), 'Aborted', 'Timeout')
    t.true(await fixture.isOn())
    await fixture.kill()
    await refused(t, connection.inventory({ signal: AbortSignal.timeout(deadline) }), 'Unavailable', 'Timeout')
  })

  test(`${name}: rules 22 and 27: other verbs are Unsupported, and nothing is done after it was disposed of`, async t => {
    await using fixture = await setUp()
    const { driver, endpoint, means, deadline } = fixture
    const connection = driver.connect(endpoint, means)
    const options = () => ({ signal: AbortSignal.timeout(deadline) })
    const start = operation('StartMachine', { endpoint: endpoint.key, identity }, { identity, epoch: 1 })
    await refused(t, connection.perform(start, options()), 'Unsupported')
    const other = { ...setPower(endpoint, 'Off'), endpoint: 'PowerController/other' as const }
    await refused(t, connection.perform(other, options()), 'InvalidArgument')
    await connection[Symbol.asyncDispose]()
    await refused(t, connection.inventory(options()), 'Unavailable')
  })
}
