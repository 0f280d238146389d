import test from 'ava'
import { operation } from '../../../drivers/contract/operation.ts'
import { controllerConformance } from '../conformance-controllers.ts'
import { refused } from '../conformance-rig.ts'
import { actionInfo, collectionOf, emulated, errorOf, withActionInfo } from './answers.ts'
import { type StandIn, startStandIn } from './stand-in.ts'

controllerConformance(test, 'Redfish over a stand-in', startStandIn)

const patient = () => ({ signal: AbortSignal.timeout(20_000) })
const connectionTo = ({ driver, endpoint, means }: StandIn) => driver.connect(endpoint, means)
const setPower = ({ endpoint }: StandIn, power: 'On' | 'Off') =>
  operation('SetPower', { endpoint: endpoint.key, identity: 'host' }, { power })
const resetPath = emulated.Actions['#ComputerSystem.Reset'].target
const systemPath = emulated['@odata.id']

test('HST-091 HST-094 OPS-117 status, on and off by Redfish: the system is told On or ForceOff, and only when it is not so', async t => {
  await using bmc = await startStandIn()
  await using connection = connectionTo(bmc)
  await connection.perform(setPower(bmc, 'On'), patient())
  t.false(bmc.asked.some(({ method }) => method === 'POST'))
  await connection.perform(setPower(bmc, 'Off'), patient())
  await connection.perform(setPower(bmc, 'On'), patient())
  t.deepEqual(
    bmc.asked.filter(({ method }) => method === 'POST'),
    ['ForceOff', 'On'].map(ResetType => ({ method: 'POST', url: resetPath, body: JSON.stringify({ ResetType }) })),
  )
})

test('a reading is what the controller says then, and nothing that it said before', async t => {
  await using bmc = await startStandIn()
  await using connection = connectionTo(bmc)
  for (const [said, power] of [
    ['Off', 'Off'],
    ['On', 'On'],
    ['PoweringOff', 'Unknown'],
    ['Off', 'Off'],
  ] as const) {
    bmc.powerState = said
    const before = bmc.asked.length
    t.deepEqual(await connection.inventory(patient()), { type: 'PowerController', power })
    t.true(bmc.asked.length > before)
  }
})

test('a host that hangs while it goes off is told to be off by force', async t => {
  await using bmc = await startStandIn()
  await using connection = connectionTo(bmc)
  bmc.powerState = 'PoweringOff'
  await connection.perform(setPower(bmc, 'Off'), patient())
  t.is(bmc.powerState, 'Off')
})

test('switching is over when the controller says so, and not when it has taken the wish', async t => {
  await using bmc = await startStandIn()
  await using connection = connectionTo(bmc)
  bmc.answers.set(`POST ${resetPath}`, { status: 202, headers: { location: '/redfish/v1/TaskService/Tasks/1' } })
  bmc.powerState = 'PoweringOff'
  const error = await refused(
    t,
    connection.perform(setPower(bmc, 'Off'), { signal: AbortSignal.timeout(1_500) }),
    'Timeout',
  )
  t.true(error?.inDoubt)
})

test('a switch that was taken and cannot be followed is in doubt', async t => {
  await using bmc = await startStandIn()
  await using connection = connectionTo(bmc)
  bmc.answers.get = key => {
    const isTaken = bmc.asked.some(({ method }) => method === 'POST')
    return isTaken && key === `GET ${systemPath}`
      ? { status: 404, body: errorOf('Base.1.0.ResourceMissing', 'gone') }
      : undefined
  }
  const error = await refused(t, connection.perform(setPower(bmc, 'Off'), patient()), 'NotFound')
  t.true(error?.inDoubt)
})

test('what a system may be told is read from its ActionInfo, and nothing else is sent', async t => {
  await using bmc = await startStandIn({ configuration: { systemID: 'system' } })
  await using connection = connectionTo(bmc)
  const [path, infoPath] = ['/redfish/v1/Systems/system', '/redfish/v1/Systems/system/ResetActionInfo']
  bmc.answers.set(`GET ${path}`, { body: { ...withActionInfo, PowerState: 'On' } })
  bmc.answers.set(`GET ${infoPath}`, { body: actionInfo('On', 'GracefulShutdown') })
  await refused(t, connection.perform(setPower(bmc, 'Off'), patient()), 'Unsupported')
  t.false(bmc.asked.some(({ method }) => method === 'POST'))
})

test('of several systems the one named is read, and without a name none is', async t => {
  const name = { configuration: { systemID: emulated.Id } }
  for (const [options, isNamed] of [
    [name, true],
    [{}, false],
  ] as const) {
    await using bmc = await startStandIn(options)
    await using connection = connectionTo(bmc)
    bmc.answers.set('GET /redfish/v1/Systems', { body: collectionOf('other', emulated.Id) })
    const reading = connection.inventory(patient())
    if (isNamed) t.deepEqual(await reading, { type: 'PowerController', power: 'On' })
    else await refused(t, reading, 'InvalidArgument')
  }
})

test('HST-099 the password is in no error, also where the controller repeats it', async t => {
  await using bmc = await startStandIn()
  await using connection = connectionTo(bmc)
  for (const status of [400, 401, 403, 404, 409, 500, 503]) {
    bmc.answers.set('GET /redfish/v1/Systems', { status, body: errorOf('old horse', 'old horse') })
    const error = await t.throwsAsync(connection.inventory(patient()))
    const basic = Buffer.from('admin:old horse').toString('base64')
    t.notRegex(`${error?.message} ${error?.stack} ${error?.cause}`, /horse/)
    t.false(`${error?.message} ${error?.stack} ${error?.cause}`.includes(basic))
  }
})

test('every status has its code, and only a server that failed leaves a switch in doubt', async t => {
  const expected = {
    302: 'Unsupported',
    400: 'Unsupported',
    401: 'Unauthenticated',
    403: 'Unauthenticated',
    404: 'NotFound',
    409: 'FailedPrecondition',
    429: 'Unavailable',
    500: 'Internal',
    501: 'Unsupported',
    503: 'Unavailable',
  } as const
  await using bmc = await startStandIn()
  await using connection = connectionTo(bmc)
  for (const [status, code] of Object.entries(expected)) {
    const headers = { location: 'https://elsewhere.example/' }
    bmc.answers.set(`POST ${resetPath}`, { status: Number(status), body: errorOf('Base.1.8.Some', 'text'), headers })
    const error = await refused(t, connection.perform(setPower(bmc, 'Off'), patient()), code)
    t.is(error?.inDoubt, Number(status) >= 500, status)
    t.regex(error?.message ?? '', /HTTP status \d+, Base\.1\.8\.Some/)
  }
})

test('a link that leads to another server is not followed', async t => {
  await using bmc = await startStandIn()
  await using connection = connectionTo(bmc)
  for (const link of [
    'https://elsewhere.example/redfish/v1/Systems/1',
    '//elsewhere.example/1',
    'http://127.0.0.1/1',
  ]) {
    const Members = [{ '@odata.id': link }]
    bmc.answers.set('GET /redfish/v1/Systems', { body: { 'Members@odata.count': 1, Members } })
    const error = await refused(t, connection.inventory(patient()), 'Internal')
    t.regex(error?.message ?? '', /leads elsewhere/)
  }
})

test('an answer that is no JSON, or endless, is none', async t => {
  await using bmc = await startStandIn()
  await using connection = connectionTo(bmc)
  bmc.answers.set(`GET ${systemPath}`, { body: '<html>Off</html>' })
  await refused(t, connection.inventory(patient()), 'Internal')
  bmc.answers.set(`GET ${systemPath}`, { body: 'x'.repeat(2_000_000) })
  await refused(t, connection.inventory(patient()), 'Unavailable')
})

test('the Secret is read once, and anew when the controller refuses the password', async t => {
  await using bmc = await startStandIn()
  await using connection = connectionTo(bmc)
  await connection.inventory(patient())
  await connection.inventory(patient())
  t.is(bmc.reads(), 1)
  bmc.password = 'new horse'
  const before = bmc.asked.length
  await refused(t, connection.inventory(patient()), 'Unauthenticated')
  t.is(bmc.asked.length, before + 1, 'the same password is not tried twice')
  const { 'ca.crt': authorities = '' } = (await bmc.means?.secret()) ?? {}
  bmc.secret({ username: 'admin', password: 'new horse', 'ca.crt': authorities })
  t.deepEqual(await connection.inventory(patient()), { type: 'PowerController', power: 'On' })
})

test('a controller that is silent ends the call with its signal: a switch is in doubt', async t => {
  await using bmc = await startStandIn()
  await using connection = connectionTo(bmc)
  bmc.silent = true
  await refused(t, connection.inventory({ signal: AbortSignal.timeout(200) }), 'Timeout')
  const error = await refused(
    t,
    connection.perform(setPower(bmc, 'Off'), { signal: AbortSignal.timeout(200) }),
    'Timeout',
  )
  t.true(error?.inDoubt)
})
