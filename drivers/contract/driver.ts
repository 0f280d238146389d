import type { Endpoint, EndpointKey, EndpointType } from './endpoint.ts'
import type { Inventory, MachineFacts, VolumeFacts } from './facts.ts'
import type { Answer, Operation, Verb } from './operation.ts'

/** Something changed at an endpoint, told as it happened. */
export type InventoryEvent =
  | { readonly event: 'Machine'; readonly facts: MachineFacts }
  | { readonly event: 'MachineGone'; readonly identity: string }
  | { readonly event: 'Volume'; readonly facts: VolumeFacts }
  | { readonly event: 'VolumeGone'; readonly identity: string }
  /** The endpoint can no longer be reached, or events may have been missed: list again. */
  | { readonly event: 'Disconnected'; readonly message: string }

/** What every call gets. */
export interface CallOptions {
  /** Aborted at the deadline: the call then rejects at once. An abort does not prove that the host stopped. */
  readonly signal: AbortSignal
  /** The operation's id, for the driver's journal and for jobs that outlive the caller. */
  readonly operationId?: string
  /**
   * The installation that calls. What bears another's mark is refused (`FailedPrecondition`), as is what bears none.
   * Verbs that take a mark go by that.
   */
  readonly installation?: string
}

/** The host of which a sign of life is asked. */
export interface LifeQuery {
  readonly host: EndpointKey
  /** Address of the host in its management network. */
  readonly address: string
}

/** What a neighbour or a pool knows of a host's life, by its own clock. */
export interface SignOfLife {
  /** Milliseconds since the host's last sign of life. Left out: there was none that it knows of. */
  readonly age?: number
  /**
   * What became of the lease that the host must renew there, where it holds one: after `Expired` its watchdog has
   * stopped everything that ran on it.
   */
  readonly lease?: 'Held' | 'Expired'
}

/** A connection to one endpoint. Calls may run side by side. Disposed when the endpoint is no longer declared. */
export interface Connection extends AsyncDisposable {
  /** A complete listing. Never changes anything. Throws `DriverError` (`Unavailable`, `Timeout` …) when it cannot be complete. */
  inventory(options: CallOptions): Promise<Inventory>
  /** Carries out an operation and answers with the facts after it. Throws only `DriverError`. */
  perform<V extends Verb>(operation: Operation<V>, options: CallOptions): Promise<Answer<V>>
  /**
   * What this pool, or this host as a neighbour, knows of another host's life: heartbeats on the pool, an answer over
   * the cluster's network. Asked only while that host is silent. Left out: it knows nothing of other hosts. Throws
   * `DriverError` where it cannot tell.
   */
  signOfLife?(query: LifeQuery, options: CallOptions): Promise<SignOfLife>
  /** Tells of changes as they happen, where the driver can. The listener does not throw. */
  subscribe?(listener: (event: InventoryEvent) => void): Disposable
}

/** What a connection may ask for beside what its endpoint says. */
export interface ConnectMeans {
  /**
   * What is in the Secret that the endpoint's configuration names, as it is now. Never logged and never kept longer than
   * it works. Throws `DriverError` (`Unauthenticated`) where there is no such Secret.
   */
  secret(): Promise<Readonly<Record<string, string>>>
}

/** One implementation of the contract (drivers/README.md). */
export interface Driver {
  readonly name: string
  /** Endpoint types it serves. */
  readonly serves: readonly EndpointType[]
  /** Opens a connection. Does not wait for the endpoint: what fails, fails in the calls. */
  connect(endpoint: Endpoint, means?: ConnectMeans): Connection
}
