import { connect, createServer, type Socket } from 'node:net'

/** A UNIX socket that hands everything on to another, until its connections are broken. */
export interface BreakableSocket extends AsyncDisposable {
  readonly path: string
  /** Connections through it. */
  readonly connections: number
  /** Breaks every connection; new ones succeed. */
  break(): void
  /** Swallows everything, both ways, without breaking a connection, until the answer is disposed of. */
  silence(): Disposable
}

/** Listens at `path` for what is meant for `target`. */
export async function breakableSocket(path: string, target: string): Promise<BreakableSocket> {
  const sockets = new Set<Socket>()
  let silent = false
  const server = createServer(near => {
    const far = connect({ path: target })
    const pair = [near, far] as const
    for (const [one, other] of [pair, [far, near] as const]) {
      sockets.add(one)
      one.on('data', chunk => {
        if (!silent) other.write(chunk)
      })
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  await new Promise<void>(resolve => server.listen(path, () => resolve()))
  const breakAll = () => {
    for (const socket of [...sockets]) socket.destroy()
  }
  return {
    path,
    get connections() {
      return sockets.size / 2
    },
    break: breakAll,
    silence() {
      silent = true
      const end = () => {
        silent = false
        // What was swallowed is missing in the middle of the stream: nothing sensible can follow on these.
        breakAll()
      }
      return { [Symbol.dispose]: end }
    },
    async [Symbol.asyncDispose]() {
      breakAll()
      await new Promise<void>(resolve => server.close(() => resolve()))
    },
  }
}
