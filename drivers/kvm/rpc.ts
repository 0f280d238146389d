import { connect, type Socket } from 'node:net'
import type { Clock, Timer } from '../../crds/environment.ts'
import { DriverError } from '../contract/errors.ts'
import { readError } from './libvirt-error.ts'
import { keepAlive, keepAliveProgram, messageStatus, messageType, remoteProgram } from './procedures.ts'
import { XdrError, XdrReader, type XdrWriter } from './xdr.ts'

const headerLength = 28
/** The protocol's own limit of a message (VIR_NET_MESSAGE_MAX and its length word). */
const longestFrame = 32 * 1024 * 1024 + 4
const protocolVersion = 1

/** What a connection is opened with. */
export interface RpcOptions {
  readonly clock: Clock
  /** Path of the daemon's UNIX socket. */
  readonly path: string
  /** Hears the daemon's own messages. */
  readonly onEvent?: (procedure: number, body: XdrReader) => void
  /** Called once when the connection ends, whoever ended it. */
  readonly onClose?: (error: DriverError) => void
  /** Asks the daemon for a sign of life every so many ms, and gives up after `misses` silent rounds. Default: never. */
  readonly keepAlive?: { readonly interval: number; readonly misses: number }
}

interface Waiting {
  readonly resolve: (body: XdrReader) => void
  readonly reject: (error: unknown) => void
}

/** Connects to a daemon's socket. Throws `Unavailable` where nobody listens, `Unauthenticated` where we may not. */
export function openRpc(options: RpcOptions, signal: AbortSignal): Promise<RpcConnection> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortedBefore('connect'))
    const socket = connect({ path: options.path })
    const abort = () => fail(abortedBefore('connect'))
    const failed = (cause: NodeJS.ErrnoException) =>
      fail(
        new DriverError(
          cause.code === 'EACCES' ? 'Unauthenticated' : 'Unavailable',
          `Cannot connect to ${options.path}: ${cause.code ?? cause.message}`,
          { cause },
        ),
      )
    function fail(error: DriverError): void {
      settle()
      socket.destroy()
      reject(error)
    }
    function settle(): void {
      signal.removeEventListener('abort', abort)
      socket.removeListener('error', failed)
    }
    signal.addEventListener('abort', abort, { once: true })
    socket.once('error', failed)
    socket.once('connect', () => {
      settle()
      resolve(new RpcConnection(socket, options))
    })
  })
}

/** One connection to a libvirt daemon: calls answered by serial in any order, messages, keep-alives. */
export class RpcConnection {
  readonly #socket: Socket
  readonly #options: RpcOptions
  readonly #waiting = new Map<number, Waiting>()
  #serial = 0
  #chunks: Buffer[] = []
  #received = 0
  #closed: DriverError | undefined
  #silentRounds = 0
  #keepAliveTimer: Timer | undefined

  constructor(socket: Socket, options: RpcOptions) {
    this.#socket = socket
    this.#options = options
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', cause =>
      this.#end(new DriverError('Unavailable', `Connection to libvirt failed: ${cause.message}`)),
    )
    socket.on('close', () =>
      this.#end(new DriverError('Unavailable', 'Connection to libvirt was closed by the daemon')),
    )
    this.#scheduleKeepAlive()
  }

  /** Why the connection ended; undefined while it is open. */
  get closed(): DriverError | undefined {
    return this.#closed
  }

  /** Calls that are not answered yet. */
  get pending(): number {
    return this.#waiting.size
  }

  /**
   * Calls a procedure and answers with the body of its reply. Throws `LibvirtError` where the daemon refuses,
   * `Timeout` when the signal aborts first (in doubt: the daemon goes on), `Unavailable` when the connection ends.
   */
  call(procedure: number, body: XdrWriter | undefined, signal: AbortSignal): Promise<XdrReader> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed)
    if (signal.aborted) return Promise.reject(abortedBefore('call'))
    const serial = this.#nextSerial()
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.#waiting.delete(serial)
        signal.removeEventListener('abort', abort)
      }
      const abort = () => {
        settle()
        reject(new DriverError('Timeout', `libvirt did not answer in time (procedure ${procedure})`))
      }
      this.#waiting.set(serial, {
        resolve: reply => {
          settle()
          resolve(reply)
        },
        reject: error => {
          settle()
          reject(error)
        },
      })
      signal.addEventListener('abort', abort, { once: true })
      this.#send(remoteProgram, procedure, messageType.call, serial, body?.bytes())
    })
  }

  /** Ends the connection; calls that wait are rejected with `Unavailable`. */
  close(): void {
    this.#end(new DriverError('Unavailable', 'Connection to libvirt was closed'))
  }

  #nextSerial(): number {
    // Serials are 32 bits wide; zero is the daemon's for messages nobody asked for.
    this.#serial = this.#serial === 0xffffffff ? 1 : this.#serial + 1
    return this.#waiting.has(this.#serial) ? this.#nextSerial() : this.#serial
  }

  #send(program: number, procedure: number, type: number, serial: number, body?: Uint8Array): void {
    const length = headerLength + (body?.length ?? 0)
    const frame = Buffer.allocUnsafe(length)
    const words = [length, program, protocolVersion, procedure, type, serial, messageStatus.ok]
    for (const [at, word] of words.entries()) frame.writeUInt32BE(word, at * 4)
    if (body !== undefined) frame.set(body, headerLength)
    this.#socket.write(frame)
  }

  #receive(chunk: Buffer): void {
    this.#silentRounds = 0
    this.#chunks.push(chunk)
    this.#received += chunk.length
    try {
      for (;;) {
        const frame = this.#nextFrame()
        if (frame === undefined) return
        this.#dispatch(frame)
      }
    } catch (error) {
      // Bytes that are no frames leave no way to find the next one.
      if (!(error instanceof XdrError)) throw error
      this.#end(new DriverError('Unavailable', `libvirt sent what its protocol does not know: ${error.message}`))
    }
  }

  #nextFrame(): Buffer | undefined {
    if (this.#closed !== undefined || this.#received < 4) return undefined
    const length = this.#joined(4).readUInt32BE(0)
    if (length < headerLength || length > longestFrame) throw new XdrError(`a frame of ${length} bytes`)
    if (this.#received < length) return undefined
    const joined = this.#joined(length)
    this.#chunks[0] = joined.subarray(length)
    this.#received -= length
    return joined.subarray(0, length)
  }

  /** The first chunk, joined with what follows where it is shorter than wanted. */
  #joined(length: number): Buffer {
    const first = this.#chunks[0]
    if (first !== undefined && first.length >= length) return first
    const joined = Buffer.concat(this.#chunks)
    this.#chunks = [joined]
    return joined
  }

  #dispatch(frame: Buffer): void {
    const reader = new XdrReader(frame)
    reader.uint()
    const program = reader.uint()
    reader.uint()
    const procedure = reader.int()
    const type = reader.int()
    const serial = reader.uint()
    const status = reader.int()
    if (program === keepAliveProgram) {
      if (procedure === keepAlive.ping) this.#send(keepAliveProgram, keepAlive.pong, messageType.event, 0)
      return
    }
    if (program !== remoteProgram) return
    if (type === messageType.event) this.#options.onEvent?.(procedure, reader)
    if (type !== messageType.reply) return
    const waiting = this.#waiting.get(serial)
    // Nobody waits for the answer to a call that was given up.
    if (waiting === undefined) return
    if (status === messageStatus.error) waiting.reject(readError(reader))
    else waiting.resolve(reader)
  }

  #scheduleKeepAlive(): void {
    const wanted = this.#options.keepAlive
    if (wanted === undefined) return
    this.#keepAliveTimer = this.#options.clock.after(wanted.interval, () => {
      if (this.#closed !== undefined) return
      if (this.#silentRounds >= wanted.misses) {
        return this.#end(new DriverError('Unavailable', 'libvirt gives no sign of life'))
      }
      this.#silentRounds += 1
      this.#send(keepAliveProgram, keepAlive.ping, messageType.event, 0)
      this.#scheduleKeepAlive()
    })
  }

  #end(error: DriverError): void {
    if (this.#closed !== undefined) return
    this.#closed = error
    this.#keepAliveTimer?.cancel()
    this.#socket.destroy()
    // A call that was sent may have been carried out though its answer is lost.
    const lost = new DriverError(error.code, error.message, { inDoubt: true })
    for (const waiting of [...this.#waiting.values()]) waiting.reject(lost)
    this.#options.onClose?.(error)
  }
}

function abortedBefore(what: string): DriverError {
  return new DriverError('Aborted', `Cannot ${what}: the caller has given up already`)
}
