/** A server under load whose system calls are recorded, and what it answered. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { Agent, type RequestOptions, request } from 'node:https'
import { join } from 'node:path'
import { loadKubeConfig } from '../../../controllers/api/kube-config.ts'
import { firstLine } from '../../apiserver/process/server-process.ts'
import { type Call, readTrace, straceArguments } from './trace.ts'

/** A write that was answered. */
export interface Answer {
  readonly name: string
  /** What was written, found nowhere else; undefined: it was deleted. */
  readonly marker: string | undefined
  readonly version: number
  /** When the answer arrived, in seconds, and at which port. */
  readonly at: number
  readonly port: number
}

/** What was recorded. */
export interface TracedRun {
  readonly home: string
  /** In the order in which they began. */
  readonly calls: readonly Call[]
  readonly answers: readonly Answer[]
}

/** How much. */
export interface TracedRunOptions {
  /** An empty directory. */
  readonly directory: string
  /** Clients that write at a time. */
  readonly lanes: number
  /** Writes of each of them, under each process. */
  readonly writes: number
  /** How each process ends; the next one starts on what it left. */
  readonly ends: readonly NodeJS.Signals[]
}

const program = new URL('traced-server.ts', import.meta.url).pathname

/** Runs one server after the other under strace. */
export async function traceRun({ directory, lanes, writes, ends }: TracedRunOptions): Promise<TracedRun> {
  const home = join(directory, 'home')
  const traces = join(directory, 'traces')
  mkdirSync(home)
  mkdirSync(traces)
  const calls: Call[] = []
  const answers: Answer[] = []
  for (const [index, signal] of ends.entries()) {
    const prefix = `run-${index}`
    const command = [...straceArguments(join(traces, prefix)), process.execPath, program, home]
    const child = spawn('strace', command, { stdio: ['ignore', 'pipe', 'inherit'] })
    const kubeconfig = await firstLine(child)
    const all = Array.from({ length: lanes }, (_, lane) => new Lane(kubeconfig, `p${index}-l${lane}`))
    const done = await Promise.all(all.map(lane => lane.write(writes)))
    answers.push(...done.flat())
    await end(child, signal)
    calls.push(...readTrace(traces, prefix))
  }
  return { home, calls, answers }
}

/** Ends the server: strace ends with it. */
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, 'exit')
  const [traced = ''] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')
  process.kill(Number(traced), signal)
  await ended
}

const collection = '/api/v1/namespaces/default/configmaps'

/** One client with one connection, which writes one thing after the other. */
class Lane {
  readonly #name: string
  readonly #agent: Agent
  readonly #options: RequestOptions

  constructor(kubeconfig: string, name: string) {
    const config = loadKubeConfig(kubeconfig, { context: 'skystead-token' })
    const cluster = config.getCurrentCluster()
    const { hostname, port } = new URL(cluster?.server ?? '')
    this.#name = name
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, ca: Buffer.from(cluster?.caData ?? '', 'base64') })
    const headers = { authorization: `Bearer ${config.getCurrentUser()?.token}`, 'content-type': 'application/json' }
    this.#options = { hostname, port, agent: this.#agent, headers }
  }

  /** Creates, replaces and deletes, so that there is something to drop. */
  async write(count: number): Promise<readonly Answer[]> {
    const answers: Answer[] = []
    for (let index = 0; index < count; index++) {
      const turn = index % 6
      const name = `${this.#name}-${index - turn}`
      const marker = turn === 5 ? undefined : `(${this.#name}-${index})`
      const method = turn === 0 ? 'POST' : marker === undefined ? 'DELETE' : 'PUT'
      const padding = 'x'.repeat((index % 9) * 150)
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { marker, padding } }
      const answer = await this.#ask(method, turn === 0 ? collection : `${collection}/${name}`, JSON.stringify(object))
      answers.push({ name, marker, ...answer })
    }
    this.#agent.destroy()
    return answers
  }

  #ask(method: string, path: string, body: string): Promise<Pick<Answer, 'version' | 'at' | 'port'>> {
    return new Promise((resolve, reject) => {
      const sent = request({ ...this.#options, method, path }, async response => {
        const at = (performance.timeOrigin + performance.now()) / 1000
        const port = response.socket.localPort ?? 0
        const answer = JSON.parse(Buffer.concat(await Array.fromAsync(response)).toString())
        if ((response.statusCode ?? 0) >= 300) return reject(new Error(`${method} ${path}: ${answer.message}`))
        resolve({ version: Number(answer.metadata?.resourceVersion ?? 0), at, port })
      })
      sent.once('error', reject)
      sent.end(method === 'DELETE' ? undefined : body)
    })
  }
}
