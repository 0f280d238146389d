import { DriverError } from '../contract/errors.ts'
import type { PowerInventory } from '../contract/facts.ts'
import { fieldsOf, listOf, pathOf, textOf } from './json.ts'

/** Readings of the resources that DSP0268 describes. All of them throw `DriverError` where a service says something else. */

/** Where every service has its systems. */
export const systemsPath = '/redfish/v1/Systems'

/** Where the system of that Id is. */
export function pathOfSystem(systemID: string): string {
  return `${systemsPath}/${encodeURIComponent(systemID)}`
}

/** The path of the only system of a collection. Where there are several it must be said which. */
export function onlySystemOf(collection: unknown): string {
  const { Members, 'Members@odata.count': count } = fieldsOf(collection)
  const paths = listOf(Members).map(pathOf)
  const [path] = paths
  const total = typeof count === 'number' ? Math.max(count, paths.length) : paths.length
  if (total === 1 && path !== undefined) return path
  if (total === 0) throw new DriverError('NotFound', 'Cannot find the system: the power controller has none')
  const names = paths.slice(0, 8).map(each => `"${each?.split('/').filter(Boolean).at(-1) ?? ''}"`)
  throw new DriverError(
    'InvalidArgument',
    `Cannot tell which system is meant: the power controller has ${total} (${names.join(', ')}): name one in spec.powerControl.redfish.systemID`,
  )
}

/** A ComputerSystem that is there, and the one asked for. */
export function requireSystem(system: unknown, systemID: string | undefined): Readonly<Record<string, unknown>> {
  const fields = fieldsOf(system)
  const id = textOf(fields.Id)
  if (systemID !== undefined && id !== systemID) {
    throw new DriverError(
      'NotFound',
      `Cannot find system "${systemID}": the power controller tells of another one there`,
    )
  }
  // An empty bay may say Off while what was in it runs in another one.
  if (textOf(fieldsOf(fields.Status).State) === 'Absent') {
    throw new DriverError('NotFound', 'Cannot read the power: the system is absent')
  }
  return fields
}

const powerStates: ReadonlyMap<string, PowerInventory['power']> = new Map([
  ['On', 'On'],
  ['Off', 'Off'],
  ['PoweringOn', 'Unknown'],
  ['PoweringOff', 'Unknown'],
  ['Paused', 'Unknown'],
])

/** Whether a system is on. `Unknown` where it says that it is neither. */
export function powerOf(system: Readonly<Record<string, unknown>>): PowerInventory['power'] {
  const power = powerStates.get(textOf(system.PowerState) ?? '')
  if (power === undefined)
    throw new DriverError('Internal', 'Cannot read the power: the system does not tell its PowerState')
  return power
}

/** The action by which a system is switched. */
export interface ResetAction {
  readonly target: string
  /** What it may be told; undefined where the service does not say. */
  readonly allowed: readonly string[] | undefined
  /** Where it says so, if not here. */
  readonly infoPath: string | undefined
}

/** The ComputerSystem.Reset of a system. */
export function resetOf(system: Readonly<Record<string, unknown>>): ResetAction {
  const action = fieldsOf(fieldsOf(system.Actions)['#ComputerSystem.Reset'])
  const target = textOf(action.target)
  if (target === undefined) {
    throw new DriverError('Unsupported', 'Cannot switch the power: the system has no action ComputerSystem.Reset')
  }
  const values = action['ResetType@Redfish.AllowableValues']
  return { target, allowed: textsOf(values), infoPath: textOf(action['@Redfish.ActionInfo']) }
}

/** What an ActionInfo says that `ResetType` may be. */
export function resetTypesOf(info: unknown): readonly string[] | undefined {
  const parameter = listOf(fieldsOf(info).Parameters)
    .map(fieldsOf)
    .find(({ Name }) => Name === 'ResetType')
  return textsOf(parameter?.AllowableValues)
}

const resetTypes = { On: ['On', 'ForceOn'], Off: ['ForceOff'] } as const

/** What a system is told, so that its power is at once as wished, whatever the guest says. */
export function resetTypeFor(power: 'On' | 'Off', allowed: readonly string[] | undefined): string {
  const [usual] = resetTypes[power]
  const type = allowed === undefined ? usual : resetTypes[power].find(each => allowed.includes(each))
  if (type !== undefined) return type
  throw new DriverError(
    'Unsupported',
    `Cannot switch the power ${power}: the system takes no ResetType ${resetTypes[power].join(' or ')}`,
  )
}

function textsOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.map(textOf).filter(text => text !== undefined) : undefined
}
