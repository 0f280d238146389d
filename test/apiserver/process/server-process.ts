/** The embedded API server in a process of its own: to be killed at any moment, or to be measured. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Clients, connectMany } from './clients.ts'

const program = new URL('server.ts', import.meta.url).pathname

/** A server that runs. */
export interface ServerProcess {
  readonly kubeconfig: string
  readonly clients: Clients
  readonly pid: number | undefined
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>
}

/** Starts a server on a home; rejects with what it said where it does not come up. */
export async function startServerProcess(home: string): Promise<ServerProcess> {
  const child = spawn(process.execPath, [program, home], { stdio: ['pipe', 'pipe', 'pipe'] })
  const kubeconfig = await firstLine(child)
  const clients = await connectMany(kubeconfig, { context: 'skystead-token' })
  return {
    kubeconfig,
    clients,
    pid: child.pid,
    async kill() {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
      await clients[Symbol.asyncDispose]()
    },
  }
}

/** What a server says first; rejects with what it complained of where it ends before. */
export async function firstLine({ stdout, stderr }: ChildProcess): Promise<string> {
  let errors = ''
  stderr?.on('data', chunk => {
    errors += String(chunk)
  })
  for await (const chunk of stdout ?? []) return String(chunk).trim()
  throw new Error(`Cannot start the server: ${errors.slice(-1_000)}`)
}
