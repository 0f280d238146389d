/** Random troubles: faults of calls, of places, of the way to the API, of the controllers themselves. */
import type { DriverErrorCode } from '../../../drivers/contract/errors.ts'
import type { FaultEffect, FaultTarget } from '../../../drivers/simulator/faults.ts'
import type { OutsideChange, PlaceTrouble, Step, WireTrouble } from '../scenario.ts'
import type { Model } from './model.ts'

/** The classes of trouble that a scenario may have. */
export type TroubleClass = 'Faults' | 'Places' | 'Outside' | 'Kills' | 'Wire' | 'Statuses' | 'Sleep' | 'Store'

/** Every class. */
export const troubleClasses: readonly TroubleClass[] = [
  'Faults',
  'Places',
  'Outside',
  'Kills',
  'Wire',
  'Statuses',
  'Sleep',
  'Store',
]

/**
 * The classes that a scenario may have where nothing else is said. The loss of the API's store is asked for by name:
 * what is rebound afterwards disk by disk is not safe yet against manifests that were edited meanwhile (decision 22).
 */
export const usualClasses: readonly TroubleClass[] = troubleClasses.filter(each => each !== 'Store')

const weights: Readonly<Record<TroubleClass, number>> = {
  Faults: 8,
  Places: 6,
  Outside: 6,
  Kills: 6,
  Wire: 5,
  Statuses: 1,
  Sleep: 2,
  Store: 0.3,
}

/** Adds a trouble of one of the classes. */
export function trouble(model: Model, classes: readonly TroubleClass[]): void {
  if (classes.length === 0) return
  const kind = model.chance.weighted(classes.map(each => [weights[each], each] as const))
  model.steps.push({ at: model.at, ...troubles[kind](model) })
}

type Happening = Step extends infer Each ? (Each extends Step ? Omit<Each, 'at'> : never) : never

const troubles: Readonly<Record<TroubleClass, (model: Model) => Happening>> = {
  Faults: fault,
  Places: placeTrouble,
  Outside: outsideChange,
  Kills: death,
  Wire: wireTrouble,
  Statuses: () => ({ do: 'WipeStatuses' }),
  Sleep: ({ chance }) => ({ do: 'Suspend', lasts: chance.between(500, 60_000) }),
  Store: () => ({ do: 'LoseStore' }),
}

const verbs: readonly FaultTarget[] = [
  'DefineMachine',
  'StartMachine',
  'StopMachine',
  'RemoveMachine',
  'ConfigureRouter',
  'MigrateMachine',
  'CreateVolume',
  'ResizeVolume',
  'TrashVolume',
  'DeleteVolume',
  'StoreImage',
  'DeleteImage',
  'Inventory',
]

const codes: readonly DriverErrorCode[] = ['Unavailable', 'Timeout', 'Internal', 'ResourceExhausted', 'Aborted']

function fault({ chance }: Model): Happening {
  const isEvent = chance.happens(0.2)
  const effect: FaultEffect = isEvent
    ? chance.pick(['Drop', 'Duplicate', 'Delay'])
    : chance.pick(['Fail', 'LoseReply', 'Hang', 'Delay', 'Duplicate', 'WrongAnswer'])
  const verb: FaultTarget | undefined = isEvent ? 'Event' : chance.happens(0.7) ? chance.pick(verbs) : undefined
  return {
    do: 'Fault',
    fault: {
      effect,
      ...(verb === undefined ? {} : { verb }),
      times: chance.between(1, 4),
      skip: chance.between(0, 2),
      ...(isEvent ? {} : { when: chance.pick(['Before', 'After']) }),
      ...(effect === 'Fail' ? { code: chance.pick(codes) } : {}),
      milliseconds: chance.pick([50, 500, 5_000, 60_000]),
    },
  }
}

function placeTrouble({ chance }: Model): Happening {
  const trouble: PlaceTrouble['trouble'] = chance.weighted([
    [4, 'KillHost'],
    [3, 'FreezeHostLosing'],
    [3, 'FreezeHostQueueing'],
    [2, 'CutConnections'],
    [2, 'KillPowerController'],
    [2, 'KillStorage'],
    [1, 'KillImageStore'],
  ])
  return { do: 'Place', trouble, nth: chance.between(0, 99), lasts: chance.pick([2_000, 20_000, 90_000, 300_000]) }
}

function outsideChange({ chance }: Model): Happening {
  const change: OutsideChange['change'] = chance.weighted([
    [3, 'ShutDownGuest'],
    [3, 'CrashGuest'],
    [1, 'CrashGuestLeft'],
    [1, 'IgnoreACPI'],
    [3, 'DestroyMachine'],
    [1, 'PauseMachine'],
    [2, 'StartMachine'],
    [2, 'RemoveMachine'],
    [2, 'ClearRouter'],
    [1, 'AddForeignMachine'],
    [1, 'AddForeignVolume'],
  ])
  return { do: 'Outside', change, nth: chance.between(0, 99) }
}

function death({ chance }: Model): Happening {
  return {
    do: 'Kill',
    after: chance.between(1, 30),
    when: chance.pick(['Before', 'After', 'Late']),
    away: chance.pick([10, 1_000, 30_000]),
  }
}

const plurals = ['allocations', 'virtualmachines', 'volumes', 'hosts', 'networks', 'virtualrouters', 'publicips']

function wireTrouble({ chance }: Model): Happening {
  const trouble: WireTrouble['trouble'] = chance.pick([
    'DropEvent',
    'DuplicateEvent',
    'DelayEvent',
    'BreakWatch',
    'LoseRequest',
    'LoseReply',
    'DelayRequest',
  ])
  return {
    do: 'Wire',
    trouble,
    ...(chance.happens(0.7) ? { plural: chance.pick(plurals) } : {}),
    times: chance.between(1, 6),
    skip: chance.between(0, 5),
    milliseconds: chance.pick([20, 500, 5_000, 60_000]),
  }
}
