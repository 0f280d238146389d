import type { AgentOptions } from 'node:https'
import { HttpMethod, type KubeConfig, RequestContext } from '@kubernetes/client-node'
import deepEqual from 'fast-deep-equal'
import { Agent, type buildConnector, type Dispatcher } from 'undici'
import type { Clock } from '../../crds/environment.ts'
import { ApiError } from './api-error.ts'

/** What a request carries to be let in, and the connections it may use. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  readonly dispatcher: Dispatcher
}

/** Where requests get their credentials from. */
export interface CredentialSource {
  /** As read a few seconds ago at most: files and plug-ins are not asked for every request. */
  current(): Promise<Credentials>
  /** As they are now. */
  renewed(): Promise<Credentials>
  close(): Promise<void>
}

/** How long credentials are used before their files and plug-ins are asked again, in ms. */
const freshness = 10_000
/** How many connections requests share. Watches have their own: each holds one for minutes. */
const connections = 32
/** How long an answer may take, in ms: a server gives up after 60 s itself. */
const answerTimeout = 65_000

interface Connections {
  readonly options: ReturnType<KubeConfig['createDispatcherOptions']>
  /** For requests. */
  readonly requests: Dispatcher
  /** For watches, which may be silent for as long as their watcher allows. */
  readonly watches: Dispatcher
}

/**
 * Credentials of a kubeconfig over kept connections. The library makes new connections for every request; from here on
 * its `Watch` gets the kept ones too. They change only when what they are made from does, a renewed certificate say.
 */
export function createCredentials(config: KubeConfig, clock: Clock): CredentialSource {
  let connected: Connections | undefined
  let headers: Readonly<Record<string, string>> | undefined
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<Credentials> | undefined

  type Cluster = ReturnType<KubeConfig['getCurrentCluster']>

  function connectionsFor(cluster: Cluster, agentOptions: AgentOptions): Connections {
    const options = config.createDispatcherOptions(cluster, agentOptions)
    if (connected !== undefined && deepEqual(connected.options, options)) return connected
    const outdated = connected
    connected = { options, ...makeConnections(options, () => libraryDispatcher(cluster, agentOptions)) }
    if (outdated !== undefined) void closeConnections(outdated)
    return connected
  }

  const libraryDispatcher = overridden(config, 'createDispatcher', (cluster: Cluster, agentOptions: AgentOptions) => {
    return connectionsFor(cluster, agentOptions).watches
  })

  async function read(): Promise<Credentials> {
    const context = new RequestContext('https://unused/', HttpMethod.GET)
    try {
      await config.applySecurityAuthentication(context)
    } catch (error) {
      throw unusable(error)
    }
    headers = context.getHeaders()
    readAt = clock.monotonic()
    return together(headers)
  }

  /** The connections are asked for last: a watch may have renewed them meanwhile. */
  function together(headers: Readonly<Record<string, string>>): Credentials {
    if (connected === undefined) throw new Error('Cannot connect to the cluster: the kubeconfig gives no connection')
    return { headers, dispatcher: connected.requests }
  }

  function renewed(): Promise<Credentials> {
    reading ??= read().finally(() => {
      reading = undefined
    })
    return reading
  }

  return {
    renewed,
    async current() {
      return headers !== undefined && clock.monotonic() - readAt < freshness ? together(headers) : renewed()
    },
    async close() {
      if (connected !== undefined) await Promise.all([connected.requests.destroy(), connected.watches.destroy()])
    },
  }
}

function makeConnections(
  options: Connections['options'],
  libraryDispatcher: () => Dispatcher | undefined,
): Pick<Connections, 'requests' | 'watches'> {
  const timeouts = { headersTimeout: answerTimeout, bodyTimeout: answerTimeout }
  // HTTP/2 would put thirty watches and all requests on one connection with one flow control.
  if (options.type === 'agent' || options.type === 'none') {
    // Both are the options of tls.connect; their declarations differ in what may be undefined.
    const connect = options.type === 'agent' ? { connect: { ...options.connect } as buildConnector.BuildOptions } : {}
    return {
      requests: new Agent({ ...connect, ...timeouts, connections, allowH2: false }),
      watches: new Agent({ ...connect, bodyTimeout: 0, headersTimeout: answerTimeout, allowH2: false }),
    }
  }
  const proxied = libraryDispatcher()
  if (proxied === undefined) throw new Error('Cannot connect to the cluster: its proxy gives no connection')
  return { requests: proxied, watches: proxied }
}

/** Replaces a method of an object that its declaration hides; returns the original. */
function overridden<Arguments extends readonly unknown[]>(
  config: KubeConfig,
  name: 'createDispatcher',
  method: (...parameters: Arguments) => Dispatcher,
): (...parameters: Arguments) => Dispatcher | undefined {
  const original: unknown = Reflect.get(config, name)
  Object.defineProperty(config, name, { value: method, configurable: true })
  return (...parameters) => (typeof original === 'function' ? Reflect.apply(original, config, parameters) : undefined)
}

async function closeConnections({ requests, watches }: Connections): Promise<void> {
  // What is under way ends by itself; watches end with their next silence or time-out.
  await Promise.allSettled(requests === watches ? [requests.close()] : [requests.close(), watches.close()])
}

function unusable(error: unknown): ApiError {
  // A plug-in's own output may hold a token: only what kind of failure it was is told.
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
  const message = `Cannot get credentials for the cluster: the kubeconfig's files or its plug-in failed${code}`
  return new ApiError(message, { status: 0, reason: 'Unavailable' })
}
