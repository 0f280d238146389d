import { isIPv6 } from 'node:net'
import { Agent, type Dispatcher, request } from 'undici'
import { DriverError } from '../contract/errors.ts'
import type { ProtocolCall } from '../power/protocol.ts'
import { refusal } from './refusal.ts'
import { trustedConnector, whyUntrusted } from './trust.ts'

/** How a Redfish service is called. */
export interface ServiceOptions extends ProtocolCall {
  readonly place: { readonly host: string; readonly port: number }
  /** SHA-256 of its certificate, where that is what it is known by. */
  readonly fingerprint: string | undefined
}

/** Answers longer than that are none of a power controller's. */
const longestAnswer = 1_000_000

/**
 * One call's connection to a Redfish service (DSP0266): HTTPS, and who signs in goes with each request. Sessions would
 * have to be ended, and controllers have few of them. Throws `DriverError` only.
 */
export class Service implements AsyncDisposable {
  readonly #options: ServiceOptions
  readonly #origin: string
  readonly #agent: Agent

  constructor(options: ServiceOptions) {
    const { place, fingerprint, credentials } = options
    const { host, port } = place
    if (credentials.username.includes(':')) {
      throw new DriverError('Unauthenticated', 'Cannot sign in: key "username" of the Secret has a colon')
    }
    this.#options = options
    this.#origin = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`
    const connect = trustedConnector({ fingerprint, authorities: credentials.authorities })
    // An agent of its own: no proxy, no cache and no redirection stands between the controller and what it says.
    this.#agent = new Agent({ connect, connections: 1, maxResponseSize: longestAnswer, allowH2: false })
  }

  /** Reads a resource. */
  async get(path: string): Promise<unknown> {
    const text = await this.#send('GET', path)
    try {
      return JSON.parse(text)
    } catch {
      throw new DriverError('Internal', `Cannot read ${path} of ${this.#name}: the answer is no JSON`)
    }
  }

  /** Invokes an action. What it answers beside that it was taken is not looked at: what it does is seen in the resource. */
  async post(path: string, body: object): Promise<void> {
    await this.#send('POST', path, JSON.stringify(body))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy()
  }

  get #name(): string {
    return `the power controller at ${this.#options.place.host}`
  }

  async #send(method: 'GET' | 'POST', path: string, body?: string): Promise<string> {
    const url = this.#urlOf(path)
    const what = `Cannot ${method} ${path} at ${this.#name}`
    const { signal } = this.#options
    if (signal.aborted) throw new DriverError('Aborted', `${what}: the caller has given up already`)
    try {
      const response = await request(url, this.#requestOf(method, body))
      const text = await response.body.text()
      if (response.statusCode >= 200 && response.statusCode < 300) return text
      throw refusal(response.statusCode, text, { what, method })
    } catch (error) {
      if (error instanceof DriverError) throw error
      throw this.#failure(error, what, method)
    }
  }

  #requestOf(method: 'GET' | 'POST', body?: string) {
    const { username, password } = this.#options.credentials
    const authorization = `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`
    const headers = { authorization, accept: 'application/json', 'odata-version': '4.0', 'cache-control': 'no-cache' }
    const options = { method, dispatcher: this.#agent as Dispatcher, signal: this.#options.signal }
    if (body === undefined) return { ...options, headers }
    return { ...options, headers: { ...headers, 'content-type': 'application/json' }, body }
  }

  /** Links lead within the service: who signs in there signs in nowhere else. */
  #urlOf(path: string): URL {
    const url = URL.canParse(path, this.#origin) ? new URL(path, this.#origin) : undefined
    if (url !== undefined && url.origin === new URL(this.#origin).origin) return url
    throw new DriverError('Internal', `Cannot follow a link of ${this.#name}: it leads elsewhere`)
  }

  #failure(error: unknown, what: string, method: 'GET' | 'POST'): DriverError {
    const inDoubt = method === 'POST'
    if (this.#options.signal.aborted) return new DriverError('Timeout', `${what}: it did not answer in time`)
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no reason given'
    if (code.startsWith('ERR_SSL_')) {
      return new DriverError('Unavailable', `${what}: it does not speak TLS as we do (${code})`, { inDoubt })
    }
    const doubt = whyUntrusted(error)
    if (doubt !== undefined) return new DriverError('Unauthenticated', `${what}: ${doubt}. ${mend}`)
    return new DriverError('Unavailable', `${what}: it does not answer (${code})`, { inDoubt })
  }
}

const mend =
  'Give the certificate of its authority as key "ca.crt" of the Secret, or its own fingerprint as spec.powerControl.redfish.certificateFingerprint'
