import { type Clock, sleep } from '../../../crds/environment.ts'
import type { Connection, Driver, InventoryEvent } from '../../../drivers/contract/driver.ts'
import type { Endpoint, EndpointKey } from '../../../drivers/contract/endpoint.ts'
import { DriverError } from '../../../drivers/contract/errors.ts'
import type { Inventory } from '../../../drivers/contract/facts.ts'
import type { Answer, Operation } from '../../../drivers/contract/operation.ts'

/** What a test makes of one endpoint, and what it sees of its use. */
export interface FakeEndpoint {
  /** What a listing answers: as it is when the listing begins. `Hang`: never. */
  inventory: Inventory | DriverError | 'Hang'
  /** How long a listing takes, in ms. */
  listingTakes: number
  /** Carries out an operation. */
  perform: (operation: Operation, signal: AbortSignal) => Promise<Answer>
  /** When listings were begun, on the monotonic clock. */
  readonly begun: number[]
  /** Listings running now. */
  listing: number
  /** Connections opened, and closed again. */
  opened: number
  closed: number
  /** The configuration of the last connection. */
  endpoint: Endpoint | undefined
  /** Tells an event to every listener. */
  emit(event: InventoryEvent): void
}

/** A driver that does what a test says. */
export interface FakeDriver {
  readonly driver: Driver
  at(key: EndpointKey): FakeEndpoint
  /** The most listings that ever ran at once. */
  mostListings(): number
}

/** Makes a driver whose endpoints do not answer until a test gives them an inventory. */
export function fakeDriver(clock: Clock, { events = true } = {}): FakeDriver {
  const endpoints = new Map<EndpointKey, FakeEndpoint>()
  const listeners = new Map<EndpointKey, Set<(event: InventoryEvent) => void>>()
  let listings = 0
  let most = 0

  function at(key: EndpointKey): FakeEndpoint {
    const known = endpoints.get(key)
    if (known !== undefined) return known
    const fresh: FakeEndpoint = {
      inventory: new DriverError('Unavailable', 'no route'),
      listingTakes: 0,
      perform: () => Promise.reject(new DriverError('Unsupported', 'not in this test')),
      begun: [],
      listing: 0,
      opened: 0,
      closed: 0,
      endpoint: undefined,
      emit: event => {
        for (const listener of listeners.get(key) ?? []) listener(event)
      },
    }
    endpoints.set(key, fresh)
    return fresh
  }

  async function list(key: EndpointKey, signal: AbortSignal): Promise<Inventory> {
    const endpoint = at(key)
    const { inventory, listingTakes } = endpoint
    endpoint.begun.push(clock.monotonic())
    endpoint.listing += 1
    listings += 1
    most = Math.max(most, listings)
    try {
      if (inventory === 'Hang') return await never(signal)
      if (listingTakes > 0) await sleep(clock, listingTakes, signal)
      if (inventory instanceof DriverError) throw inventory
      return inventory
    } finally {
      endpoint.listing -= 1
      listings -= 1
    }
  }

  function connect(endpoint: Endpoint): Connection {
    const { key } = endpoint
    const fake = at(key)
    fake.opened += 1
    fake.endpoint = endpoint
    const connection: Connection = {
      inventory: ({ signal }) => list(key, signal),
      perform: (operation, { signal }) => fake.perform(operation as unknown as Operation, signal) as never,
      [Symbol.asyncDispose]: async () => {
        fake.closed += 1
      },
    }
    return events ? { ...connection, subscribe: listener => subscribe(key, listener) } : connection
  }

  function subscribe(key: EndpointKey, listener: (event: InventoryEvent) => void): Disposable {
    const known = listeners.get(key) ?? new Set()
    listeners.set(key, known.add(listener))
    return { [Symbol.dispose]: () => known.delete(listener) }
  }

  const driver: Driver = {
    name: 'Fake',
    serves: ['Host', 'PrimaryStorage', 'SecondaryStorage', 'PowerController'],
    connect,
  }
  return { driver, at, mostListings: () => most }
}

/** Waits until it is aborted. */
export function never(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** A logger that keeps its lines as text. */
export function listeningLogger() {
  const lines: string[] = []
  const write = (fields: object, message: string) => lines.push(`${message} ${JSON.stringify(fields)}`)
  return { lines, logger: { debug: write, info: write, warn: write, error: write } }
}
