import { chmodSync } from 'node:fs'
import { lstat, unlink } from 'node:fs/promises'
import { createConnection, createServer, type Socket } from 'node:net'
import { type ControlAction, type ControlActions, type ControlRequest, control } from './control-actions.ts'
import type { Simulator } from './simulator.ts'

/** An answer, as it goes over the wire: one line of JSON. */
type ControlResponse =
  | { readonly ok: true; readonly result?: unknown }
  | { readonly ok: false; readonly message: string }

/**
 * Serves a simulator's world on a UNIX socket that only its owner can use (mode 0600): one line of JSON a request, one
 * a response, in order. Throws `Error` where another process serves there. A socket left by a dead one is replaced.
 */
export async function serveControl(simulator: Simulator, socketPath: string): Promise<AsyncDisposable> {
  await clearStale(socketPath)
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    serve(simulator, socket)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', cause => reject(new Error(`Cannot serve at ${socketPath}: ${cause.message}`, { cause })))
    server.listen(socketPath, resolve)
    // Bound already: no turn of the event loop passes in which others could connect.
    if (server.listening) chmodSync(socketPath, 0o600)
  })
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>(resolve => {
        server.close(() => resolve())
      })
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Asks the simulator that serves at that socket. Throws `Error` where none does or it refuses. */
export async function callControl<A extends ControlAction>(
  socketPath: string,
  request: ControlRequest<A>,
): Promise<ControlActions[A]['result']> {
  const socket = createConnection(socketPath)
  try {
    socket.write(`${JSON.stringify(request)}\n`)
    for await (const line of lines(socket)) {
      // The edge to the other process, which runs the same program.
      const response = JSON.parse(line) as ControlResponse
      if (!response.ok) throw new Error(response.message)
      return response.result as ControlActions[A]['result']
    }
  } catch (cause) {
    const gone = cause instanceof Error && 'code' in cause
    if (!gone) throw cause
    throw new Error(`Cannot reach the simulator at ${socketPath}: ${cause.message}`, { cause })
  } finally {
    socket.destroy()
  }
  throw new Error(`Cannot reach the simulator at ${socketPath}: it closed the connection`)
}

async function serve(simulator: Simulator, socket: Socket): Promise<void> {
  try {
    for await (const line of lines(socket)) {
      const response = await answer(simulator, line)
      if (!socket.writable) return
      socket.write(`${JSON.stringify(response)}\n`)
    }
  } catch {
    socket.destroy()
  }
}

/** The lines that arrive on a socket. A line without end is none: whoever sends it has died. */
async function* lines(socket: Socket): AsyncGenerator<string> {
  let rest = ''
  socket.setEncoding('utf8')
  for await (const chunk of socket) {
    const parts = `${rest}${chunk}`.split('\n')
    rest = parts.pop() ?? ''
    yield* parts
  }
}

async function answer(simulator: Simulator, line: string): Promise<ControlResponse> {
  try {
    const result = await control(simulator.world, JSON.parse(line))
    return result === undefined ? { ok: true } : { ok: true, result }
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) }
  }
}

async function clearStale(socketPath: string): Promise<void> {
  const state = await new Promise<'Served' | 'Stale' | 'Free'>(resolve => {
    const probe = createConnection(socketPath)
    probe.once('connect', () => {
      probe.destroy()
      resolve('Served')
    })
    probe.once('error', error => resolve('code' in error && error.code === 'ECONNREFUSED' ? 'Stale' : 'Free'))
  })
  if (state === 'Served') throw new Error(`Cannot serve at ${socketPath}: another simulator serves there`)
  // A plain file refuses connections too, and is somebody's.
  if (state === 'Stale' && (await lstat(socketPath)).isSocket()) await unlink(socketPath)
}
