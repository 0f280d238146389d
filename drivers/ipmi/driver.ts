import { type Clock, type Environment, sleep } from '../../crds/environment.ts'
import type { CallOptions, Connection, ConnectMeans, Driver } from '../contract/driver.ts'
import type { Endpoint, PowerControllerConfiguration } from '../contract/endpoint.ts'
import { DriverError } from '../contract/errors.ts'
import type { PowerInventory } from '../contract/facts.ts'
import type { Answer, Operation, Verb } from '../contract/operation.ts'
import { type Credentials, runTool } from './tool.ts'

/** Options of the IPMI driver. */
export interface IPMIDriverOptions {
  readonly environment: Environment
  /** Path or name of ipmitool. Default `ipmitool`. */
  readonly program?: string
}

/** IPMI's own port. */
const defaultPort = 623
/** Between two looks whether the power is as it was switched, in ms. */
const lookAgain = 500

/** The driver of power controllers that speak IPMI 2.0, by the program ipmitool (HST-094). */
export function createIPMIDriver({ environment, program = 'ipmitool' }: IPMIDriverOptions): Driver {
  return {
    name: 'IPMI',
    serves: ['PowerController'],
    connect(endpoint, means) {
      const { configuration } = endpoint
      if (configuration.type !== 'PowerController') {
        const message = `Cannot reach ${endpoint.key}: the IPMI driver serves power controllers`
        return refusing(new DriverError('Unsupported', message))
      }
      return new IPMIConnection({ endpoint, configuration, means, program, clock: environment.clock })
    },
  }
}

interface ConnectionOptions {
  readonly endpoint: Endpoint
  readonly configuration: PowerControllerConfiguration
  readonly means: ConnectMeans | undefined
  readonly program: string
  readonly clock: Clock
}

/** A connection to one power controller: a process for each call, and nothing kept but who signs in. */
class IPMIConnection implements Connection {
  readonly #options: ConnectionOptions
  #credentials: Credentials | undefined
  #open = true

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  async inventory({ signal }: CallOptions): Promise<PowerInventory> {
    return { type: 'PowerController', power: await this.#status(signal) }
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
    if ((await this.#status(signal)) === power) return
    await this.#run(power === 'On' ? 'on' : 'off', signal)
    while ((await this.#status(signal)) !== power) await this.#pause(signal)
  }

  async #pause(signal: AbortSignal): Promise<void> {
    try {
      await sleep(this.#options.clock, lookAgain, signal)
    } catch (cause) {
      throw new DriverError('Timeout', 'Cannot wait any longer for the power to change', { cause })
    }
  }

  async #status(signal: AbortSignal): Promise<'On' | 'Off'> {
    const output = await this.#run('status', signal)
    const [, said] = /Chassis Power is (on|off)/i.exec(output) ?? []
    if (said === undefined) throw new DriverError('Internal', 'Cannot read the power: ipmitool says neither on nor off')
    return said.toLowerCase() === 'on' ? 'On' : 'Off'
  }

  /** A password that is refused may have been changed: the Secret is read anew, and it is tried once more if it was. */
  async #run(command: 'status' | 'on' | 'off', signal: AbortSignal): Promise<string> {
    const known = this.#credentials
    try {
      return await this.#call(command, signal, known ?? (await this.#signIn()))
    } catch (error) {
      if (!(error instanceof DriverError) || error.code !== 'Unauthenticated' || known === undefined) throw error
      this.#credentials = undefined
      return await this.#call(command, signal, await this.#signIn())
    }
  }

  async #call(command: 'status' | 'on' | 'off', signal: AbortSignal, credentials: Credentials): Promise<string> {
    if (!this.#open) throw new DriverError('Unavailable', 'Cannot call the power controller: the connection is closed')
    const { configuration, program } = this.#options
    const output = await runTool(command, { program, ...placeOf(configuration), credentials, signal })
    // Kept only once it was taken.
    this.#credentials = credentials
    return output
  }

  async #signIn(): Promise<Credentials> {
    const { configuration, means } = this.#options
    const name = configuration.credentials?.secretName
    if (means === undefined || name === undefined) {
      throw new DriverError('Unauthenticated', 'Cannot sign in at the power controller: it names no Secret')
    }
    const { username, password } = await means.secret()
    if (username !== undefined && password !== undefined) return { username, password }
    const missing = username === undefined ? 'username' : 'password'
    throw new DriverError('Unauthenticated', `Cannot sign in: Secret "${name}" has no key "${missing}"`)
  }
}

/** `bmc-1.example:6230` is a host and a port; what has more colons is an IPv6 address. */
function placeOf({ address = '' }: PowerControllerConfiguration): { readonly host: string; readonly port: number } {
  const [, host, port] = /^([^:]+):(\d{1,5})$/.exec(address) ?? []
  if (host === undefined) return { host: address, port: defaultPort }
  return { host, port: Number(port) }
}

/** Opening a connection never fails: what cannot be reached fails in the calls. */
function refusing(error: DriverError): Connection {
  return {
    inventory: () => Promise.reject(error),
    perform: () => Promise.reject(error),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
