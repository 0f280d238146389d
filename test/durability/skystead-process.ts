/** `skystead up` as a process of its own, to be killed and started again. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { realEnvironment } from '../../cli/environment.ts'
import { type Client, createClient } from '../../controllers/api/client.ts'
import { kubernetesTransport } from '../../controllers/api/kubernetes-transport.ts'
import type { Transport } from '../../controllers/api/transport.ts'
import { callControl } from '../../drivers/simulator/control-socket.ts'
import { openDurableStore } from '../../drivers/simulator/durable-store.ts'
import type { Violation } from '../../drivers/simulator/invariants.ts'
import { createSimulator } from '../../drivers/simulator/simulator.ts'
import { virtualEnvironment } from '../../drivers/simulator/virtual-clock.ts'
import type { WorldListing } from '../../drivers/simulator/world-listing.ts'
import { forgetCompiled, type Running, start } from '../cli/command.ts'

const environment = realEnvironment()

/** A home, and at most one process that runs on it. */
export class SkysteadProcess implements AsyncDisposable {
  readonly home: string
  #running: Running | undefined
  #transport: Transport | undefined
  #client: Client | undefined
  /** What processes that have ended wrote to standard error. */
  #past = ''

  private constructor(home: string) {
    this.home = home
  }

  /** An empty home, with nothing running. */
  static async make(): Promise<SkysteadProcess> {
    return new SkysteadProcess(await mkdtemp(join(tmpdir(), 'skystead-')))
  }

  /** The API of the process that runs. */
  get client(): Client {
    if (this.#client === undefined) throw new Error('Cannot ask the API: the process does not run')
    return this.#client
  }

  /** What has been written to standard error since the home was made. */
  get complaints(): string {
    return this.#past + (this.#running?.err() ?? '')
  }

  /** Starts the process; resolves once it says that it is ready. */
  async start(): Promise<void> {
    const ports = ['--port', '0', '--metrics-port', '0']
    this.#running = start('up', '--no-quickstart', '--home', this.home, ...ports)
    await this.#running.says('skystead ready')
    this.#transport = kubernetesTransport({ kubeconfig: join(this.home, 'kubeconfig'), environment })
    this.#client = createClient(this.#transport)
  }

  /** Ends the process without any warning. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** Asks the process to end. */
  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  /** What there is in the simulated world, as the running process has it. */
  world(): Promise<WorldListing> {
    return callControl(join(this.home, 'simulator.sock'), { action: 'list' })
  }

  /** Breaches that the running process has seen. */
  violations(): Promise<readonly Violation[]> {
    return callControl(join(this.home, 'simulator.sock'), { action: 'invariants' })
  }

  /** What there is in the simulated world, as it was stored, while no process runs. */
  async storedWorld(): Promise<WorldListing> {
    const store = openDurableStore(join(this.home, 'simulator.db'))
    await using simulator = createSimulator({ environment: virtualEnvironment(), store })
    return simulator.world.list()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await rm(this.home, { recursive: true, force: true })
    forgetCompiled()
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const running = this.#running
    const transport = this.#transport
    this.#running = undefined
    this.#client = undefined
    this.#transport = undefined
    if (running !== undefined) this.#past += (await running.end(signal)).err
    await transport?.close()
  }
}

/** Asks again and again until the answer is `undefined`; what it answered last is the error's message. */
export async function until(holds: () => Promise<string | undefined>, limit: number): Promise<void> {
  const end = performance.now() + limit
  for (;;) {
    const complaint = await holds()
    if (complaint === undefined) return
    if (performance.now() > end) throw new Error(`Not so after ${limit / 1000} s:\n${complaint}`)
    await pause(250)
  }
}
