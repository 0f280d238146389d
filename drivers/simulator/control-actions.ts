import { driverErrorCodes } from '../contract/errors.ts'
import type { MachineDefinition } from '../contract/facts.ts'
import { servedBy } from './effects.ts'
import type { Fault, FaultEffect, FaultTarget } from './faults.ts'
import type { Violation } from './invariants.ts'
import type { Counters, JournalEntry } from './journal.ts'
import type { World } from './world.ts'
import type { WorldListing } from './world-listing.ts'

/** Names a host, a pool or an image store. */
interface Named {
  readonly name: string
}

/** Names a machine, by identity or as `<namespace>/<name>`, with its host where several have it. */
interface MachineNamed {
  readonly machine: string
  readonly host?: string
}

/** Every action that can be asked for from outside the process, what it takes and what it answers. */
export interface ControlActions {
  readonly list: { readonly arguments: object; readonly result: WorldListing }
  readonly invariants: { readonly arguments: object; readonly result: readonly Violation[] }
  readonly counters: { readonly arguments: object; readonly result: Counters }
  /** The newest entries, 100 unless `count` says otherwise. */
  readonly journal: { readonly arguments: { readonly count?: number }; readonly result: readonly JournalEntry[] }
  readonly faults: {
    readonly arguments: object
    readonly result: readonly { readonly fault: Fault; readonly met: number }[]
  }
  readonly addFault: { readonly arguments: { readonly fault: Fault }; readonly result: undefined }
  readonly clearFaults: { readonly arguments: object; readonly result: undefined }
  readonly killHost: { readonly arguments: Named; readonly result: undefined }
  readonly freezeHost: {
    readonly arguments: Named & { readonly requests?: 'Lost' | 'Queued' }
    readonly result: undefined
  }
  readonly cutOffHost: { readonly arguments: Named; readonly result: undefined }
  readonly reviveHost: { readonly arguments: Named; readonly result: undefined }
  readonly killPowerController: { readonly arguments: Named; readonly result: undefined }
  readonly revivePowerController: { readonly arguments: Named; readonly result: undefined }
  readonly killStorage: { readonly arguments: Named; readonly result: undefined }
  readonly freezeStorage: {
    readonly arguments: Named & { readonly requests?: 'Lost' | 'Queued' }
    readonly result: undefined
  }
  readonly cutOffStorage: { readonly arguments: Named & { readonly storage: string }; readonly result: undefined }
  readonly reconnectStorages: { readonly arguments: Named; readonly result: undefined }
  readonly reviveStorage: { readonly arguments: Named; readonly result: undefined }
  readonly cutConnections: { readonly arguments: Named; readonly result: undefined }
  readonly shutdownGuest: { readonly arguments: MachineNamed; readonly result: undefined }
  readonly crashGuest: {
    readonly arguments: MachineNamed & { readonly leaves?: 'Off' | 'Crashed' }
    readonly result: undefined
  }
  readonly ignoreACPI: {
    readonly arguments: MachineNamed & { readonly ignores?: 'Yes' | 'No' }
    readonly result: undefined
  }
  readonly destroyMachine: { readonly arguments: MachineNamed; readonly result: undefined }
  readonly pauseMachine: { readonly arguments: MachineNamed; readonly result: undefined }
  readonly startMachine: { readonly arguments: MachineNamed; readonly result: undefined }
  readonly removeMachine: { readonly arguments: MachineNamed; readonly result: undefined }
  readonly changeDefinition: {
    readonly arguments: MachineNamed & {
      readonly change: Partial<Pick<MachineDefinition, 'cores' | 'clockMHz' | 'memoryBytes' | 'guestHostName'>>
    }
    readonly result: undefined
  }
  readonly clearRouter: { readonly arguments: MachineNamed; readonly result: undefined }
  /** Answers with the identity of the machine it made. */
  readonly addForeignMachine: { readonly arguments: Named; readonly result: string }
  /** Answers with the identity of the volume it made. */
  readonly addForeignVolume: { readonly arguments: Named; readonly result: string }
  readonly removeVolume: { readonly arguments: { readonly identity: string }; readonly result: undefined }
}

/** The name of an action. */
export type ControlAction = keyof ControlActions

/** A request, as it goes over the wire. */
export type ControlRequest<A extends ControlAction = ControlAction> = {
  readonly [Each in A]: { readonly action: Each } & ControlActions[Each]['arguments']
}[A]

type Handler = (world: World, request: Reader) => unknown

const handlers: Readonly<Record<ControlAction, Handler>> = {
  list: world => world.list(),
  invariants: world => world.invariants(),
  counters: world => world.counters(),
  journal: (world, request) => world.journal.latest(request.wholeNumber('count') ?? 100),
  faults: world => world.faults.list(),
  addFault: (world, request) => void world.faults.add(readFault(request.inner('fault'))),
  clearFaults: world => world.faults.clear(),
  killHost: (world, request) => world.killHost(request.text('name')),
  freezeHost: (world, request) =>
    world.freezeHost(request.text('name'), request.oneOf('requests', ['Lost', 'Queued'] as const)),
  cutOffHost: (world, request) => world.cutOffHost(request.text('name')),
  reviveHost: (world, request) => world.reviveHost(request.text('name')),
  killPowerController: (world, request) => world.killPowerController(request.text('name')),
  revivePowerController: (world, request) => world.revivePowerController(request.text('name')),
  killStorage: (world, request) => world.killStorage(request.text('name')),
  freezeStorage: (world, request) =>
    world.freezeStorage(request.text('name'), request.oneOf('requests', ['Lost', 'Queued'] as const)),
  cutOffStorage: (world, request) => world.cutOffStorage(request.text('name'), request.text('storage')),
  reconnectStorages: (world, request) => world.reconnectStorages(request.text('name')),
  reviveStorage: (world, request) => world.reviveStorage(request.text('name')),
  cutConnections: (world, request) => world.cutConnections(request.text('name')),
  shutdownGuest: (world, request) => world.shutdownGuest(request.machine()),
  crashGuest: (world, request) =>
    world.crashGuest(request.machine(), request.oneOf('leaves', ['Off', 'Crashed'] as const)),
  ignoreACPI: (world, request) =>
    world.ignoreACPI(request.machine(), request.oneOf('ignores', ['Yes', 'No'] as const) !== 'No'),
  destroyMachine: (world, request) => world.destroyMachine(request.machine()),
  pauseMachine: (world, request) => world.pauseMachine(request.machine()),
  startMachine: (world, request) => world.startMachine(request.machine()),
  removeMachine: (world, request) => world.removeMachine(request.machine()),
  changeDefinition: (world, request) => {
    const change = request.inner('change')
    const [cores, clockMHz] = [change.wholeNumber('cores'), change.wholeNumber('clockMHz')]
    const [memoryBytes, guestHostName] = [change.wholeNumber('memoryBytes'), change.maybeText('guestHostName')]
    world.changeDefinition(request.machine(), {
      ...(cores === undefined ? {} : { cores }),
      ...(clockMHz === undefined ? {} : { clockMHz }),
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      ...(guestHostName === undefined ? {} : { guestHostName }),
    })
  },
  clearRouter: (world, request) => world.setRouterDocument(request.machine(), undefined),
  addForeignMachine: (world, request) => world.addForeignMachine(request.text('name')),
  addForeignVolume: (world, request) => world.addForeignVolume(request.text('name')),
  removeVolume: (world, request) => world.removeVolume(request.text('identity')),
}

/** The names of all actions. */
export const controlActions: readonly string[] = Object.keys(handlers)

/** Carries out a request as it came over the wire. Throws `RangeError` where it is wrong or names nothing. */
export async function control(world: World, request: unknown): Promise<unknown> {
  const reader = new Reader(request, 'request')
  const name = reader.oneOf('action', controlActions)
  if (name === undefined) throw new RangeError('Cannot read the request: action is missing')
  const result = handlers[name as ControlAction](world, reader)
  await world.settled()
  return result
}

const faultEffects: readonly FaultEffect[] = ['Fail', 'LoseReply', 'Hang', 'Delay', 'Duplicate', 'WrongAnswer', 'Drop']

function readFault(fault: Reader): Fault {
  const effect = fault.oneOf('effect', faultEffects)
  if (effect === undefined) throw new RangeError('Cannot read the fault: effect is missing')
  const targets = [...Object.keys(servedBy), 'Inventory', 'SignOfLife', 'Event', 'Migration'] as readonly FaultTarget[]
  return defined<Fault>({
    effect,
    verb: fault.oneOf('verb', targets),
    endpoint: fault.maybeText('endpoint'),
    identity: fault.maybeText('identity'),
    times: fault.wholeNumber('times'),
    skip: fault.wholeNumber('skip'),
    probability: fault.number('probability'),
    when: fault.oneOf('when', ['Before', 'After'] as const),
    code: fault.oneOf('code', Object.keys(driverErrorCodes) as readonly (keyof typeof driverErrorCodes)[]),
    milliseconds: fault.wholeNumber('milliseconds'),
  })
}

/** An object without the fields that are undefined. */
function defined<T extends object>(fields: { readonly [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

/** Reads fields of a request from outside, and says what is wrong with them. */
class Reader {
  readonly #fields: ReadonlyMap<string, unknown>
  readonly #what: string

  constructor(value: unknown, what: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new RangeError(`Cannot read the ${what}: it is no object`)
    }
    this.#fields = new Map(Object.entries(value))
    this.#what = what
  }

  text(name: string): string {
    const value = this.maybeText(name)
    if (value === undefined || value === '') throw new RangeError(`Cannot read the ${this.#what}: ${name} is missing`)
    return value
  }

  maybeText(name: string): string | undefined {
    const value = this.#fields.get(name)
    if (value === undefined || typeof value === 'string') return value
    throw new RangeError(`Cannot read the ${this.#what}: ${name} is no text`)
  }

  number(name: string): number | undefined {
    const value = this.#fields.get(name)
    if (value === undefined || (typeof value === 'number' && value >= 0)) return value
    throw new RangeError(`Cannot read the ${this.#what}: ${name} is no number from 0`)
  }

  wholeNumber(name: string): number | undefined {
    const value = this.number(name)
    if (value === undefined || Number.isSafeInteger(value)) return value
    throw new RangeError(`Cannot read the ${this.#what}: ${name} is no whole number`)
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    const value = this.maybeText(name)
    const found = values.find(each => each === value)
    if (value === undefined || found !== undefined) return found
    throw new RangeError(`Cannot read the ${this.#what}: ${name} is ${value}, not one of ${values.join(', ')}`)
  }

  inner(name: string): Reader {
    return new Reader(this.#fields.get(name), name)
  }

  machine(): string | { readonly identity: string; readonly host: string } {
    const identity = this.text('machine')
    const host = this.maybeText('host')
    return host === undefined ? identity : { identity, host }
  }
}
