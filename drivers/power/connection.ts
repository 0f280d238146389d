import { type Clock, sleep } from '../../crds/environment.ts'
import type { CallOptions, Connection, ConnectMeans } from '../contract/driver.ts'
import type { Endpoint } from '../contract/endpoint.ts'
import { DriverError } from '../contract/errors.ts'
import type { PowerInventory } from '../contract/facts.ts'
import type { Answer, Operation, Verb } from '../contract/operation.ts'
import type { Credentials, PowerProtocol, ProtocolCall } from './protocol.ts'

/** What a connection to a power controller works with. */
export interface PowerConnectionOptions {
  readonly endpoint: Endpoint
  readonly secretName: string | undefined
  readonly means: ConnectMeans | undefined
  readonly protocol: PowerProtocol
  readonly clock: Clock
}

/** A connection to one power controller: nothing is kept but who signs in. */
export class PowerConnection implements Connection {
  readonly #options: PowerConnectionOptions
  #credentials: Credentials | undefined
  #open = true

  constructor(options: PowerConnectionOptions) {
    this.#options = options
  }

  async inventory({ signal }: CallOptions): Promise<PowerInventory> {
    return { type: 'PowerController', power: await this.#read(signal) }
  }

  async perform<V extends Verb>(asked: Operation<V>, { signal }: CallOptions): Promise<Answer<V>> {
    const { endpoint } = this.#options
    // The verb decides the answer's type, which a choice between verbs cannot tell the compiler.
    const operation = asked as Operation
    if (operation.verb !== 'SetPower') {
      const message = `Cannot carry out ${operation.verb}: a power controller has no such operation`
      throw new DriverError('Unsupported', message)
    }
    if (operation.endpoint !== endpoint.key) {
      const message = `Cannot carry out SetPower: it is for ${operation.endpoint}, this is ${endpoint.key}`
      throw new DriverError('InvalidArgument', message)
    }
    await this.#set(operation.arguments.power, signal)
    return undefined as Answer<V>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#open = false
    this.#credentials = undefined
  }

  /** Answers only when the controller says that it is so: a host that was told to go off may take a moment. */
  async #set(power: 'On' | 'Off', signal: AbortSignal): Promise<void> {
    const { protocol } = this.#options
    if ((await this.#read(signal)) === power) return
    await this.#signedIn(signal, call => protocol.switch(power, call))
    try {
      while ((await this.#read(signal)) !== power) await this.#pause(signal)
    } catch (error) {
      throw inDoubt(error)
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    try {
      await sleep(this.#options.clock, this.#options.protocol.lookAgain, signal)
    } catch (cause) {
      throw new DriverError('Timeout', 'Cannot wait any longer for the power to change', { cause })
    }
  }

  #read(signal: AbortSignal): Promise<PowerInventory['power']> {
    return this.#signedIn(signal, call => this.#options.protocol.read(call))
  }

  /** What is refused may have been changed: the Secret is read anew, and it is tried once more if it was. */
  async #signedIn<T>(signal: AbortSignal, call: (call: ProtocolCall) => Promise<T>): Promise<T> {
    const known = this.#credentials
    try {
      return await this.#call(call, { signal, credentials: known ?? (await this.#signIn()) })
    } catch (error) {
      if (!(error instanceof DriverError) || error.code !== 'Unauthenticated' || known === undefined) throw error
      this.#credentials = undefined
      const changed = await this.#signIn()
      // Controllers lock out whoever comes with a wrong password too often.
      if (isSame(changed, known)) throw error
      return await this.#call(call, { signal, credentials: changed })
    }
  }

  async #call<T>(call: (call: ProtocolCall) => Promise<T>, options: ProtocolCall): Promise<T> {
    if (!this.#open) throw new DriverError('Unavailable', 'Cannot call the power controller: the connection is closed')
    if (options.signal.aborted) throw new DriverError('Aborted', 'Cannot call: the caller has given up already')
    const answer = await call(options)
    // Kept only once they were taken.
    if (this.#open) this.#credentials = options.credentials
    return answer
  }

  async #signIn(): Promise<Credentials> {
    const { secretName, means } = this.#options
    if (means === undefined || secretName === undefined) {
      throw new DriverError('Unauthenticated', 'Cannot sign in at the power controller: it names no Secret')
    }
    const { username, password, 'ca.crt': authorities } = await means.secret()
    if (username !== undefined && password !== undefined) {
      return { username, password, ...(authorities === undefined ? {} : { authorities }) }
    }
    const missing = username === undefined ? 'username' : 'password'
    throw new DriverError('Unauthenticated', `Cannot sign in: Secret "${secretName}" has no key "${missing}"`)
  }
}

function isSame(left: Credentials, right: Credentials): boolean {
  return left.username === right.username && left.password === right.password && left.authorities === right.authorities
}

/** What failed after the controller had taken the order: it may carry it out at any moment. */
function inDoubt(error: unknown): unknown {
  if (!(error instanceof DriverError) || error.inDoubt) return error
  return new DriverError(error.code, error.message, { inDoubt: true, cause: error })
}
