import test from 'ava'
import { DriverError } from '../../../drivers/contract/errors.ts'
import {
  onlySystemOf,
  pathOfSystem,
  powerOf,
  requireSystem,
  resetOf,
  resetTypeFor,
  resetTypesOf,
} from '../../../drivers/redfish/system.ts'
import { actionInfo, collectionOf, emulated, withActionInfo } from './answers.ts'

test('the only system of a collection is the one that is meant', t => {
  t.is(onlySystemOf(collectionOf('1')), '/redfish/v1/Systems/1')
})

test('of several systems none is taken by chance: the message names them and the field', t => {
  const error = t.throws(() => onlySystemOf(collectionOf('Blade1', 'Blade2')), { instanceOf: DriverError })
  t.is(error?.code, 'InvalidArgument')
  t.regex(error?.message ?? '', /has 2 \("Blade1", "Blade2"\): name one in spec\.powerControl\.redfish\.systemID/)
  const paged = { ...collectionOf('Blade1'), 'Members@odata.count': 9 }
  t.is(t.throws(() => onlySystemOf(paged), { instanceOf: DriverError })?.code, 'InvalidArgument')
})

test('a collection without a system, or what is no collection, has none', t => {
  for (const answer of [collectionOf(), {}, [], 'x', undefined, null]) {
    t.is(t.throws(() => onlySystemOf(answer), { instanceOf: DriverError })?.code, 'NotFound')
  }
})

test('a system is looked for under its Id, whatever is in that', t => {
  t.is(pathOfSystem('System.Embedded.1'), '/redfish/v1/Systems/System.Embedded.1')
  t.is(pathOfSystem('../Managers/1?x'), '/redfish/v1/Systems/..%2FManagers%2F1%3Fx')
})

test('another system than the one asked for is not taken for it, nor is an empty bay', t => {
  t.is(requireSystem(emulated, emulated.Id).Name, 'host-1')
  t.is(requireSystem(emulated, undefined).Name, 'host-1')
  t.is(t.throws(() => requireSystem(emulated, '1'), { instanceOf: DriverError })?.code, 'NotFound')
  const bay = { ...emulated, PowerState: 'Off', Status: { State: 'Absent' } }
  t.is(t.throws(() => requireSystem(bay, emulated.Id), { instanceOf: DriverError })?.code, 'NotFound')
})

test('what is between On and Off is neither', t => {
  const said = (PowerState: unknown) => powerOf({ ...emulated, PowerState })
  t.deepEqual(['On', 'Off', 'PoweringOn', 'PoweringOff', 'Paused'].map(said), [
    'On',
    'Off',
    'Unknown',
    'Unknown',
    'Unknown',
  ])
})

test('a system that does not tell its power is not taken for one that is off', t => {
  for (const PowerState of [undefined, null, '', 'off', 0, false, 'Standby']) {
    t.is(t.throws(() => powerOf({ ...emulated, PowerState }), { instanceOf: DriverError })?.code, 'Internal')
  }
})

test('what a system may be told stands with its action, or in an ActionInfo, or nowhere', t => {
  const inline = resetOf(emulated)
  t.is(inline.target, '/redfish/v1/Systems/27946b59-9e44-4fa7-8e91-f3527a1ef094/Actions/ComputerSystem.Reset')
  t.true(inline.allowed?.includes('ForceOff'))
  t.deepEqual(resetOf(withActionInfo), {
    target: '/redfish/v1/Systems/system/Actions/ComputerSystem.Reset',
    allowed: undefined,
    infoPath: '/redfish/v1/Systems/system/ResetActionInfo',
  })
  t.deepEqual(resetTypesOf(actionInfo('On', 'ForceOff')), ['On', 'ForceOff'])
  t.is(resetTypesOf({ Parameters: [{ Name: 'Other', AllowableValues: ['On'] }] }), undefined)
  t.is(t.throws(() => resetOf({ ...emulated, Actions: {} }), { instanceOf: DriverError })?.code, 'Unsupported')
})

test('power goes off by force and never by asking the guest', t => {
  t.is(resetTypeFor('Off', undefined), 'ForceOff')
  t.is(resetTypeFor('Off', ['GracefulShutdown', 'ForceOff']), 'ForceOff')
  t.is(resetTypeFor('On', ['ForceOn', 'ForceOff']), 'ForceOn')
  t.is(resetTypeFor('On', ['ForceOn', 'On']), 'On')
  const error = t.throws(() => resetTypeFor('Off', ['On', 'GracefulShutdown']), { instanceOf: DriverError })
  t.is(error?.code, 'Unsupported')
  t.regex(error?.message ?? '', /no ResetType ForceOff/)
})
