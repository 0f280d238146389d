import test from 'ava'
import type { Capability } from '../../../drivers/contract/facts.ts'
import { fenceOf } from '../../../reconcilers/infrastructure/fencing.ts'
import type { EndpointState, Life, PowerState } from '../../../reconcilers/world.ts'
import { hostFacts } from '../fact-builders.ts'
import { host, settings } from '../infrastructure-builders.ts'
import { answering, noSignOfLife, notCalledYet, silent } from '../observed-tables.ts'
import { keyOf, uidOf } from '../resource-builder.ts'
import { worldOf } from '../world-builder.ts'

const hostKey = keyOf('Host', 'host-1')
const powerKey = keyOf('PowerController', 'host-1')
const longAgo = silent('2026-11-02T11:00:00Z')
const offTwice: PowerState = { power: 'Off', confirmed: true }

interface Situation {
  readonly spec?: Parameters<typeof host>[0]
  readonly state?: EndpointState
  readonly controller?: EndpointState
  readonly power?: PowerState
  readonly life?: Life | undefined
  readonly capabilities?: readonly Capability[]
}

const alive: Life = { ...noSignOfLife, signs: 'Seen' }

function worldWith(situation: Situation) {
  const { spec = {}, state = longAgo, controller = answering, power, capabilities = [] } = situation
  const life = 'life' in situation ? situation.life : noSignOfLife
  return worldOf({
    objects: [host(spec)],
    endpoints: { [hostKey]: state, [powerKey]: controller },
    ...(life === undefined ? {} : { lives: { [hostKey]: life } }),
    hosts: { [hostKey]: hostFacts({ capabilities }) },
    ...(power === undefined ? {} : { powers: { [powerKey]: power } }),
  })
}

test('a host that is silent and whose power was read as Off twice is fenced', t => {
  t.deepEqual(fenceOf('host-1', worldWith({ power: offTwice })), { fenced: true, by: 'PowerOff' })
})

test('a silent host that the operator declares lost is fenced without any power controller', t => {
  const spec = { lifecycle: 'Lost', powerControl: undefined } as const
  t.deepEqual(fenceOf('host-1', worldWith({ spec })), { fenced: true, by: 'Attestation' })
})

test('the word of the operator counts where the power controller does not answer, whatever it said before', t => {
  const spec = { lifecycle: 'Lost' } as const
  const power: PowerState = { power: 'On', confirmed: false }
  t.true(fenceOf('host-1', worldWith({ spec, power, controller: silent('2026-11-02T11:00:00Z') })).fenced)
})

test('a lease on shared storage that expired under a watchdog fences a host that holds one, and no other', t => {
  const life = { ...noSignOfLife, leaseExpired: true }
  const spec = { powerControl: undefined }
  t.deepEqual(fenceOf('host-1', worldWith({ spec, life, capabilities: ['StorageLease'] })), {
    fenced: true,
    by: 'StorageLease',
  })
  t.false(fenceOf('host-1', worldWith({ spec, life })).fenced)
  t.false(fenceOf('host-1', worldWith({ spec, capabilities: ['StorageLease'] })).fenced)
})

test('that nobody sees a sign of life proves nothing', t => {
  for (const signs of ['None', 'Unknown'] as const) {
    t.false(
      fenceOf('host-1', worldWith({ spec: { powerControl: undefined }, life: { ...noSignOfLife, signs } })).fenced,
    )
  }
})

const refusals: readonly (readonly [string, Situation, RegExp])[] = [
  ['answers', { state: answering, power: offTwice }, /answers$/],
  [
    'answers although it is declared lost',
    { state: answering, spec: { lifecycle: 'Lost' } },
    /set spec.lifecycle to Active/,
  ],
  [
    'is declared lost while its power is on',
    { spec: { lifecycle: 'Lost' }, power: { power: 'On', confirmed: false } },
    /declared Lost, but its power is On/,
  ],
  [
    'is declared lost while its power is being switched',
    { spec: { lifecycle: 'Lost' }, power: { power: 'Unknown', confirmed: false } },
    /declared Lost, but its power is Unknown/,
  ],
  [
    'is declared lost and whose power controller was not called yet',
    { spec: { lifecycle: 'Lost' }, controller: notCalledYet },
    /its power controller is being asked/,
  ],
  [
    'is declared lost and fell silent only just now',
    { spec: { lifecycle: 'Lost', powerControl: undefined }, state: silent('2026-11-02T11:59:40Z') },
    /lost after 30s/,
  ],
  [
    'is declared lost while nobody was asked for signs of life',
    { spec: { lifecycle: 'Lost', powerControl: undefined }, life: undefined },
    /being asked for signs of life/,
  ],
  [
    'is declared lost and gives signs of life',
    { spec: { lifecycle: 'Lost', powerControl: undefined }, life: alive },
    /declared Lost, but gives signs of life/,
  ],
  [
    'gives signs of life while its power reads Off',
    { power: offTwice, life: alive },
    /check that spec.powerControl is its own/,
  ],
  ['has not been called yet', { state: notCalledYet, spec: { lifecycle: 'Lost' } }, /not been called yet/],
  ['fell silent only just now', { state: silent('2026-11-02T11:59:40Z'), power: offTwice }, /lost after 30s/],
  [
    'has no power controller',
    { spec: { powerControl: undefined } },
    /no spec.powerControl: bring it back, or switch it off and set its spec.lifecycle to Lost/,
  ],
  [
    'has a power controller that is silent too',
    { controller: silent('2026-11-02T11:00:00Z'), power: offTwice },
    /connection refused\): bring it back/,
  ],
  [
    'has a power controller that refuses the password',
    { controller: { answers: 'Unknown', listed: false, message: 'it refuses the user name or password' } },
    /cannot be read \(it refuses the user name or password\): bring it back/,
  ],
  ['has a power controller that was not read yet', {}, /being asked/],
  [
    'is powered on',
    { power: { power: 'On', confirmed: true } },
    /its power is On, so its machines may still run: bring it back/,
  ],
  [
    'is being switched',
    { power: { power: 'Unknown', confirmed: false } },
    /its power is Unknown, so its machines may still run: bring it back/,
  ],
  ['was read as Off only once', { power: { power: 'Off', confirmed: false } }, /read as Off once/],
]

for (const [title, situation, why] of refusals) {
  test(`a host that ${title} is not fenced`, t => {
    const fence = fenceOf('host-1', worldWith(situation))
    t.false(fence.fenced)
    t.regex(fence.fenced ? '' : fence.why, why)
  })
}

test('the deletion of a host object does not fence the host', t => {
  const world = worldOf({ endpoints: { [hostKey]: longAgo, [powerKey]: answering }, powers: { [powerKey]: offTwice } })
  const fence = fenceOf('host-1', world)
  t.false(fence.fenced)
  t.regex(fence.fenced ? '' : fence.why, /no longer declared, which does not prove that it is off/)
})

test('another host under the same name does not fence the one that a claim names', t => {
  const world = worldWith({ power: offTwice })
  t.true(fenceOf('host-1', world, { hostIdentity: uidOf('Host', 'host-1') }).fenced)
  t.false(fenceOf('host-1', world, { hostIdentity: uidOf('Host', 'another') }).fenced)
})

test('Settings.hostLossDelay says how long a host must be silent', t => {
  const world = worldWith({ state: silent('2026-11-02T11:59:40Z'), power: offTwice })
  t.false(fenceOf('host-1', world).fenced)
  world.put(settings({ hostLossDelay: '10s' }))
  t.true(fenceOf('host-1', world).fenced)
  world.put(settings({ hostLossDelay: '1m' }))
  world.advance(30_000)
  t.false(fenceOf('host-1', world).fenced)
  world.advance(10_000)
  t.true(fenceOf('host-1', world).fenced)
})
