import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  keepAliveProgram,
  messageStatus,
  messageType,
  procedure,
  remoteProgram,
} from '../../../drivers/kvm/procedures.ts'
import { XdrReader, XdrWriter } from '../../../drivers/kvm/xdr.ts'

/** A message that came to the daemon. */
export interface Received {
  readonly program: number
  readonly procedure: number
  readonly type: number
  readonly serial: number
  readonly body: XdrReader
}

/** What a fake daemon does with a call: answer it (with its serial) now or later, or not at all. */
export type Answering = (call: Received, daemon: FakeDaemon) => void

/** Speaks libvirt's framing on a UNIX socket, and says what a test has it say. */
export class FakeDaemon implements AsyncDisposable {
  readonly path: string
  readonly received: Received[] = []
  answering: Answering
  readonly #directory: string
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer(socket => this.#accept(socket))
  #connections = 0

  private constructor(directory: string, answering: Answering) {
    this.#directory = directory
    this.path = join(directory, 'sock')
    this.answering = answering
  }

  static async start(answering: Answering = open): Promise<FakeDaemon> {
    const daemon = new FakeDaemon(await mkdtemp(join(tmpdir(), 'kvm-')), answering)
    await daemon.listen()
    return daemon
  }

  /** How many connections came, in all. */
  get connections(): number {
    return this.#connections
  }

  async listen(): Promise<void> {
    await new Promise<void>(resolve => this.#server.listen(this.path, () => resolve()))
  }

  /** Breaks all connections and listens no more. */
  async stop(): Promise<void> {
    this.break()
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
  }

  break(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Answers a call. */
  reply(call: Received, body: XdrWriter = new XdrWriter(), status: number = messageStatus.ok): void {
    this.write(frame(remoteProgram, call.procedure, messageType.reply, call.serial, status, body))
  }

  /** Refuses a call, as libvirt words it. */
  refuse(call: Received, number: number, message: string): void {
    const domain = 10
    const level = 2
    this.reply(call, new XdrWriter().int(number).int(domain).optionalString(message).int(level), messageStatus.error)
  }

  /** Sends a message that nobody asked for. */
  tell(number: number, body: XdrWriter): void {
    this.write(frame(remoteProgram, number, messageType.event, 0, messageStatus.ok, body))
  }

  ping(): void {
    this.write(frame(keepAliveProgram, 1, messageType.event, 0, messageStatus.ok, new XdrWriter()))
  }

  write(bytes: Uint8Array): void {
    for (const socket of this.#sockets) socket.write(bytes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.break()
    if (this.#server.listening) await new Promise<void>(resolve => this.#server.close(() => resolve()))
    await rm(this.#directory, { recursive: true, force: true })
  }

  #accept(socket: Socket): void {
    this.#connections += 1
    this.#sockets.add(socket)
    let buffer = Buffer.alloc(0)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      buffer = Buffer.concat([buffer, chunk])
      while (buffer.length >= 4 && buffer.length >= buffer.readUInt32BE(0)) {
        const length = buffer.readUInt32BE(0)
        const reader = new XdrReader(buffer.subarray(4, length))
        buffer = buffer.subarray(length)
        const [program, , number, type, serial] = Array.from({ length: 6 }, () => reader.uint())
        if (program === undefined || number === undefined || type === undefined || serial === undefined) return
        const message = { program, procedure: number, type, serial, body: reader }
        this.received.push(message)
        if (program === remoteProgram) this.answering(message, this)
      }
    })
  }
}

/** Answers what opens a connection, and nothing else. */
export function open(call: Received, daemon: FakeDaemon): void {
  if (call.procedure === procedure.authList) daemon.reply(call, new XdrWriter().uint(1).int(0))
  if (call.procedure === procedure.connectOpen) daemon.reply(call)
  if (call.procedure === procedure.domainEventCallbackRegisterAny) daemon.reply(call, new XdrWriter().int(0))
}

/** One message, as it goes over the wire. */
export function frame(
  program: number,
  number: number,
  type: number,
  serial: number,
  status: number,
  body: XdrWriter,
): Buffer {
  const bytes = body.bytes()
  const head = new XdrWriter()
    .uint(28 + bytes.length)
    .uint(program)
    .uint(1)
    .int(number)
    .int(type)
    .uint(serial)
    .int(status)
  return Buffer.concat([head.bytes(), bytes])
}
