import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { realEnvironment } from '../../../cli/environment.ts'
import type { PowerControllerConfiguration } from '../../../drivers/contract/endpoint.ts'
import { createRedfishDriver } from '../../../drivers/redfish/driver.ts'
import { makeAuthority, type Pair } from '../../controllers/api/tls-cluster.ts'
import { type ControllerFixture, localController } from '../conformance-controllers.ts'
import { collectionOf, emulated, errorOf } from './answers.ts'

/** Who vouches for the stand-ins of a test file. */
export const authority = makeAuthority(1)

/** A request as the controller saw it. */
export interface Asked {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly body: string
}

/** A Redfish service of the test's own, over TLS on the loopback: its power follows what it is told. */
export interface StandIn extends ControllerFixture {
  readonly asked: readonly Asked[]
  /** How many times the Secret was read. */
  readonly reads: () => number
  /** What is answered instead: status and body by `METHOD path`. */
  readonly answers: Map<string, Answer>
  /** The password it takes. */
  password: string
  /** What it says of the power. */
  powerState: string | null
  /** Whether it answers at all. */
  silent: boolean
  /** Changes what the Secret holds. */
  secret(values: Readonly<Record<string, string>>): void
}

/** What is answered to a request. */
export interface Answer {
  readonly status?: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** What a stand-in is started with. */
export interface StandInOptions {
  readonly pair?: Pair
  readonly configuration?: Partial<PowerControllerConfiguration>
  readonly secret?: Readonly<Record<string, string>>
}

const system = '/redfish/v1/Systems/27946b59-9e44-4fa7-8e91-f3527a1ef094'

/** Starts a stand-in whose certificate is of `authority`, which the Secret names unless told otherwise. */
export async function startStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const { pair = authority.server(), configuration = {} } = options
  let values = options.secret ?? { username: 'admin', password: 'old horse', 'ca.crt': authority.certificate }
  let reads = 0
  const asked: Asked[] = []
  const server = createServer({ cert: pair.certificate, key: pair.key }, (request, response) => {
    void take(request, response)
  })
  const answers = new Map<string, Answer>()

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const { method, url } = request
    asked.push({ method, url, body })
    if (fixture.silent) return
    const wanted = `Basic ${Buffer.from(`admin:${fixture.password}`).toString('base64')}`
    if (request.headers.authorization !== wanted) {
      return send(response, { status: 401, body: errorOf('Base.1.0.InsufficientPrivilege', 'Who are you?') })
    }
    const given = answers.get(`${method} ${url}`)
    if (given !== undefined) return send(response, given)
    if (method === 'GET' && url === '/redfish/v1/Systems') return send(response, { body: collectionOf(emulated.Id) })
    if (method === 'GET' && url === system) {
      return send(response, { body: { ...emulated, PowerState: fixture.powerState } })
    }
    if (method === 'POST' && url === `${system}/Actions/ComputerSystem.Reset`) {
      fixture.powerState = JSON.parse(body).ResetType === 'ForceOff' ? 'Off' : 'On'
      return send(response, { status: 204 })
    }
    send(response, { status: 404, body: errorOf('Base.1.0.ResourceMissingAtURI', 'Nothing here') })
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    await closed
  }
  const fixture: StandIn = {
    driver: createRedfishDriver({ environment: realEnvironment() }),
    endpoint: localController('Redfish', port, configuration),
    means: {
      secret: async () => {
        reads += 1
        return values
      },
    },
    deadline: 20_000,
    asked,
    answers,
    password: 'old horse',
    powerState: 'On',
    silent: false,
    reads: () => reads,
    secret: next => {
      values = next
    },
    isOn: async () => fixture.powerState === 'On',
    kill: close,
    [Symbol.asyncDispose]: close,
  }
  return fixture
}

function send(response: ServerResponse, { status = 200, body, headers = {} }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body))
}
