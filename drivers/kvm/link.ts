import type { Environment, Timer } from '../../crds/environment.ts'
import { DriverError } from '../contract/errors.ts'
import type { DaemonAddress } from './daemons.ts'
import { type Libvirt, openLibvirt } from './libvirt.ts'
import type { RpcOptions } from './rpc.ts'

/** What a link is made with. */
export interface LinkOptions {
  readonly environment: Environment
  /** Asked anew at every attempt: a host may come back with other daemons. */
  readonly address: () => DaemonAddress
  readonly onEvent?: RpcOptions['onEvent']
  /** Called when an open connection is lost; not when the link itself is closed. */
  readonly onLost?: (error: DriverError) => void
  /** What to do on every new connection before it is used. */
  readonly prepare?: (libvirt: Libvirt, signal: AbortSignal) => Promise<void>
}

const connectTimeout = 10_000
const shortestPause = 100
const longestPause = 10_000
/** A daemon that is silent for longer is given up within 25 s: the contract has half a minute (rule 31). */
const signOfLife = { interval: 5_000, misses: 4 }

/**
 * One connection to a daemon that is opened when it is needed and again after a loss. After a failure the attempts
 * back off; until the next one is due calls are refused at once with the reason of the last.
 */
export class Link {
  readonly #options: LinkOptions
  #libvirt: Libvirt | undefined
  #opening: Promise<Libvirt> | undefined
  #failures = 0
  #notBefore = 0
  #lastError: DriverError | undefined
  #closed = false

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** The open connection. Throws `Unavailable` while there is none, `Timeout` when the signal aborts first. */
  async get(signal: AbortSignal): Promise<Libvirt> {
    if (this.#closed) throw new DriverError('Unavailable', 'Cannot call libvirt: the connection is closed')
    if (signal.aborted) throw new DriverError('Aborted', 'Cannot call libvirt: the caller has given up already')
    if (this.#libvirt !== undefined && this.#libvirt.closed === undefined) return this.#libvirt
    if (this.#opening === undefined) {
      if (this.#lastError !== undefined && this.wait > 0) throw this.#lastError
      this.#opening = this.#open().finally(() => {
        this.#opening = undefined
      })
      // Everybody who waits hears of the failure; nobody may be waiting any more.
      this.#opening.catch(() => undefined)
    }
    return await untilAborted(this.#opening, signal)
  }

  /** How long, in ms, until the next attempt is due. */
  get wait(): number {
    return Math.max(0, this.#notBefore - this.#options.environment.clock.monotonic())
  }

  /** Ends the link for good. */
  close(): void {
    this.#closed = true
    this.#libvirt?.close()
    this.#libvirt = undefined
  }

  async #open(): Promise<Libvirt> {
    const { environment, address, onEvent, prepare } = this.#options
    const { clock, random } = environment
    const abort = new AbortController()
    const timer: Timer = clock.after(connectTimeout, () => abort.abort())
    try {
      const { path, uri } = address()
      const libvirt = await openLibvirt(
        {
          clock,
          path,
          keepAlive: signOfLife,
          ...(onEvent === undefined ? {} : { onEvent }),
          onClose: error => this.#lost(error),
        },
        uri,
        abort.signal,
      )
      await prepare?.(libvirt, abort.signal)
      if (this.#closed) {
        libvirt.close()
        throw new DriverError('Unavailable', 'Cannot call libvirt: the connection is closed')
      }
      this.#libvirt = libvirt
      this.#failures = 0
      this.#lastError = undefined
      return libvirt
    } catch (error) {
      const pause = Math.min(longestPause, shortestPause * 2 ** this.#failures)
      this.#failures += 1
      this.#notBefore = clock.monotonic() + pause * (0.5 + random.next() / 2)
      this.#lastError = asUnavailable(error)
      throw this.#lastError
    } finally {
      timer.cancel()
    }
  }

  #lost(error: DriverError): void {
    if (this.#libvirt === undefined || this.#libvirt.closed === undefined) return
    this.#libvirt = undefined
    if (!this.#closed) this.#options.onLost?.(error)
  }
}

/** The promise's outcome, or `Timeout` when the signal aborts first. Nothing has been asked of the host yet. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new DriverError('Timeout', 'libvirt could not be reached in time', { inDoubt: false }))
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** A daemon that cannot be opened is unavailable, whatever stood in the way; who may not enter is told so. */
function asUnavailable(error: unknown): DriverError {
  if (error instanceof DriverError && (error.code === 'Unavailable' || error.code === 'Unauthenticated')) return error
  const message = error instanceof Error ? error.message : String(error)
  return new DriverError('Unavailable', `Cannot open libvirt: ${message}`, { cause: error })
}
