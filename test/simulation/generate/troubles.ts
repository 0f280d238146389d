/** Random troubles: faults of calls, of places, of the way to the API, of the controllers themselves. */
import { type DriverErrorCode, driverErrorCodes } from '../../../drivers/contract/errors.ts'
import type { Verb } from '../../../drivers/contract/operation.ts'
import { servedBy } from '../../../drivers/simulator/effects.ts'
import { type FaultTarget, possibleEffects } from '../../../drivers/simulator/faults.ts'
import type { Manifest, OutsideChange, PlaceTrouble, Split, Step, WireTrouble } from '../scenario.ts'
import { edit } from './edits.ts'
import type { Model } from './model.ts'

/** The classes of trouble that a scenario may have. */
export type TroubleClass =
  | 'Faults'
  | 'Places'
  | 'Splits'
  | 'Losses'
  | 'Outside'
  | 'Kills'
  | 'Wire'
  | 'Statuses'
  | 'Sleep'
  | 'Store'

/** Every class. */
export const troubleClasses: readonly TroubleClass[] = [
  'Faults',
  'Places',
  'Splits',
  'Losses',
  'Outside',
  'Kills',
  'Wire',
  'Statuses',
  'Sleep',
  'Store',
]

const weights: Readonly<Record<TroubleClass, number>> = {
  Faults: 8,
  Places: 6,
  Splits: 2,
  Losses: 3,
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
  const happening = troubles[kind](model)
  if (happening !== undefined) model.steps.push({ at: model.at, ...happening })
}

type Happening = Step extends infer Each ? (Each extends Step ? Omit<Each, 'at'> : never) : never

const troubles: Readonly<Record<TroubleClass, (model: Model) => Happening | undefined>> = {
  Faults: fault,
  Places: placeTrouble,
  Splits: split,
  Losses: loss,
  Outside: outsideChange,
  Kills: deaths,
  Wire: wireTrouble,
  Statuses: () => ({ do: 'WipeStatuses' }),
  Sleep: ({ chance }) => ({ do: 'Suspend', lasts: chance.between(500, 60_000) }),
  Store: () => ({ do: 'LoseStore' }),
}

const verbs = Object.keys(servedBy) as readonly Verb[]
/** Where a lost or repeated call costs most: they are met more often than the others. */
const costly: readonly Verb[] = ['DefineMachine', 'StartMachine', 'StopMachine', 'MigrateMachine', 'CreateVolume']
const codes = Object.keys(driverErrorCodes) as readonly DriverErrorCode[]

function fault(model: Model): Happening {
  const { chance } = model
  const verb = chance.weighted<FaultTarget | undefined>([
    [5, chance.pick(costly)],
    [4, chance.pick(verbs)],
    [3, undefined],
    [2, 'Event'],
    [1, 'Inventory'],
    [1, 'SignOfLife'],
    [1, 'Migration'],
  ])
  const effect = chance.pick(possibleEffects(verb))
  const place = chance.happens(0.2)
    ? chance.maybePick([...model.all('Host'), ...model.all('PrimaryStorage')])
    : undefined
  return {
    do: 'Fault',
    fault: {
      effect,
      ...(verb === undefined ? {} : { verb }),
      ...(place === undefined ? {} : { endpoint: place.metadata.name }),
      times: chance.between(1, 4),
      skip: chance.between(0, 2),
      ...(verb === 'Event' ? {} : { when: chance.pick(['Before', 'After']) }),
      ...(effect === 'Fail' ? { code: chance.pick(codes) } : {}),
      milliseconds: chance.pick([0, 50, 500, 5_000, 60_000]),
    },
  }
}

function placeTrouble({ chance }: Model): Happening {
  const trouble: PlaceTrouble['trouble'] = chance.weighted([
    [4, 'KillHost'],
    [3, 'FreezeHostLosing'],
    [3, 'FreezeHostQueueing'],
    [2, 'CutOffHost'],
    [2, 'CutConnections'],
    [2, 'KillPowerController'],
    [2, 'KillStorage'],
    [1, 'FreezeStorageLosing'],
    [2, 'FreezeStorageQueueing'],
    [1, 'KillImageStore'],
    [1, 'FreezeImageStore'],
  ])
  return { do: 'Place', trouble, nth: chance.between(0, 99), lasts: chance.pick([2_000, 20_000, 90_000, 300_000]) }
}

function split(model: Model): Happening {
  const { chance } = model
  const share = chance.pick([0.2, 0.5, 1])
  const hosts = model.all('Host').map(({ metadata: { name } }) => name)
  const storages = [...model.all('PrimaryStorage'), ...model.all('SecondaryStorage')].map(({ spec }) =>
    String(spec.url),
  )
  return {
    do: 'Split',
    hosts: chance.some(hosts, share),
    powerControllers: chance.some(hosts, chance.pick([0, share])),
    storages: chance.some(storages, chance.pick([0, share])),
    paths: chance.happens(0.5) ? [] : brokenPaths(model),
    lasts: chance.pick([5_000, 60_000, 300_000, 900_000]),
  }
}

/** Some hosts cannot reach some pools. */
function brokenPaths(model: Model): Split['paths'] {
  const hosts = model.chance.some(model.all('Host'), 0.4)
  const pools = model.chance.some(model.all('PrimaryStorage'), 0.4)
  return hosts.flatMap(host => pools.map(pool => ({ host: host.metadata.name, storage: String(pool.spec.url) })))
}

/** Hosts that are gone for good, or taken for it; and what becomes of them later. */
function loss(model: Model): Happening | undefined {
  const { chance } = model
  const hosts = model.all('Host')
  const lost = hosts.filter(({ spec }) => spec.lifecycle === 'Lost')
  const repaired = chance.maybePick(lost)
  if (repaired !== undefined && chance.happens(0.3 + 0.3 * lost.length)) return repair(model, repaired)
  const host = chance.maybePick(hosts.filter(({ spec }) => spec.lifecycle !== 'Lost'))
  if (host === undefined) return undefined
  if (chance.happens(0.4)) return mistake(model, host)
  model.edit(host, { lifecycle: 'Lost' })
  return undefined
}

/** The host is back, with what was defined on it, and takes machines again. */
function repair(model: Model, host: Manifest): Happening | undefined {
  const { chance } = model
  const back: Happening = { do: 'Repair', host: host.metadata.name }
  if (chance.happens(0.5)) {
    model.edit(host, { lifecycle: 'Active' })
    model.at += chance.pick([0, 5_000, 60_000])
    return back
  }
  model.steps.push({ at: model.at, ...back })
  model.at += chance.pick([0, 5_000, 60_000])
  model.edit(host, { lifecycle: 'Active' })
  return undefined
}

/** A host that lives is declared Lost; after a while whoever did it sees that he erred. */
function mistake(model: Model, host: Manifest): undefined {
  const { chance } = model
  const { name } = host.metadata
  model.steps.push({ at: model.at, do: 'MistakeForLost', host: name, cutOff: chance.happens(0.7) })
  model.at += chance.pick([30_000, 120_000, 400_000])
  model.edit(host, { lifecycle: 'Active' })
}

/** What somebody does behind the control plane's back, by weight. */
export const outsideChanges: readonly (readonly [number, OutsideChange['change']])[] = [
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
]

function outsideChange({ chance }: Model): Happening {
  return { do: 'Outside', change: chance.weighted(outsideChanges), nth: chance.between(0, 99) }
}

/** A death at any moment, or several close upon each other while something that was just described is under way. */
function deaths(model: Model): Happening {
  const { chance } = model
  if (chance.happens(0.6)) return death(model, 30)
  edit(model)
  for (let count = chance.between(1, 5); count > 0; count--) {
    model.steps.push({ at: model.at, ...death(model, 3) })
    model.at += chance.pick([20, 300, 2_000])
  }
  return death(model, 3)
}

function death({ chance }: Model, latest: number): Happening {
  return {
    do: 'Kill',
    after: chance.between(1, latest),
    when: chance.pick(['Before', 'After', 'Late']),
    away: chance.pick(latest > 3 ? [10, 1_000, 30_000] : [10, 100]),
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
