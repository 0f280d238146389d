import type { EndpointType } from '../contract/endpoint.ts'
import { DriverError } from '../contract/errors.ts'
import type { Answer, Operation, Verb } from '../contract/operation.ts'
import { adoptMachine, adoptVolume, releaseMachine, releaseVolume } from './adoption-verbs.ts'
import type { Caller } from './caller.ts'
import { bootHost, cutHostPower, type Simulation } from './guests.ts'
import { configureRouter, defineMachine, removeMachine, start, stop } from './machine-verbs.ts'
import { cancelMigration, migrateMachine } from './migration-verbs.ts'
import type { Place } from './places.ts'
import {
  createVolume,
  deleteImage,
  deleteVolume,
  resizeVolume,
  restoreVolume,
  storeImage,
  trashVolume,
} from './storage-verbs.ts'

/** The type of endpoint each verb is for. */
export const servedBy: Readonly<Record<Verb, EndpointType>> = {
  DefineMachine: 'Host',
  AdoptMachine: 'Host',
  ReleaseMachine: 'Host',
  StartMachine: 'Host',
  StopMachine: 'Host',
  RemoveMachine: 'Host',
  ConfigureRouter: 'Host',
  CreateVolume: 'PrimaryStorage',
  AdoptVolume: 'PrimaryStorage',
  ReleaseVolume: 'PrimaryStorage',
  ResizeVolume: 'PrimaryStorage',
  TrashVolume: 'PrimaryStorage',
  RestoreVolume: 'PrimaryStorage',
  DeleteVolume: 'PrimaryStorage',
  StoreImage: 'SecondaryStorage',
  DeleteImage: 'SecondaryStorage',
  SetPower: 'PowerController',
  MigrateMachine: 'Host',
  CancelMigration: 'Host',
}

/** Carries out an operation at one instant of the simulated world. Throws `DriverError`. */
export function carryOut(simulation: Simulation, place: Place, operation: Operation, caller: Caller): Answer {
  if (place.type === 'Host') return onHost(simulation, place, operation, caller)
  if (place.type === 'PrimaryStorage') return onPool(simulation, place, operation, caller)
  if (place.type === 'SecondaryStorage') return onStore(simulation, place, operation, caller)
  if (operation.verb !== 'SetPower') throw misdirected(operation, place)
  const host = present(simulation.state.hosts.get(place.key))
  if (operation.arguments.power === 'Off') cutHostPower(simulation.state, host)
  else bootHost(simulation, host)
  return undefined
}

function onHost(simulation: Simulation, place: Place, operation: Operation, caller: Caller): Answer {
  const call = { ...caller, simulation, host: present(simulation.state.hosts.get(place.key)) }
  switch (operation.verb) {
    case 'DefineMachine':
      return defineMachine(call, operation.arguments)
    case 'AdoptMachine':
      return adoptMachine(call, operation.arguments)
    case 'ReleaseMachine':
      return releaseMachine(call, operation.arguments)
    case 'StartMachine':
      return start(call, operation.arguments)
    case 'StopMachine':
      return stop(call, operation.arguments)
    case 'RemoveMachine':
      return removeMachine(call, operation.arguments)
    case 'MigrateMachine':
      return migrateMachine(call, operation.arguments)
    case 'CancelMigration':
      return cancelMigration(call, operation.arguments)
    case 'ConfigureRouter':
      return configureRouter(call, operation.arguments)
    default:
      throw misdirected(operation, place)
  }
}

function onPool({ state }: Simulation, place: Place, operation: Operation, caller: Caller): Answer {
  const call = { ...caller, state, pool: present(state.pools.get(place.key)) }
  switch (operation.verb) {
    case 'CreateVolume':
      return createVolume(call, operation.arguments)
    case 'AdoptVolume':
      return adoptVolume(call, operation.arguments)
    case 'ReleaseVolume':
      return releaseVolume(call, operation.arguments)
    case 'ResizeVolume':
      return resizeVolume(call, operation.arguments)
    case 'TrashVolume':
      return trashVolume(call, operation.arguments)
    case 'RestoreVolume':
      return restoreVolume(call, operation.arguments)
    case 'DeleteVolume':
      return deleteVolume(call, operation.arguments)
    default:
      throw misdirected(operation, place)
  }
}

function onStore({ state }: Simulation, place: Place, operation: Operation, caller: Caller): Answer {
  const call = { ...caller, state, store: present(state.stores.get(place.key)) }
  switch (operation.verb) {
    case 'StoreImage':
      return storeImage(call, operation.arguments)
    case 'DeleteImage':
      return deleteImage(call, operation.arguments)
    default:
      throw misdirected(operation, place)
  }
}

function misdirected(operation: Operation, place: Place): DriverError {
  return new DriverError('Unsupported', `Cannot carry out ${operation.verb}: the endpoint is a ${place.type}`)
}

function present<T>(place: T | undefined): T {
  if (place === undefined) throw new DriverError('Unavailable', 'Cannot reach the place: it is gone')
  return place
}
