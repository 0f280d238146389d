/** A request core for tests: in memory, on a virtual clock, asked by short calls. */

import { deepStrictEqual } from 'node:assert/strict'
import { type APIObject, isRecord, type JSONObject } from '../../../apiserver/api-object.ts'
import type { APIResponse } from '../../../apiserver/api-request.ts'
import type { APIServer, APIServerOptions } from '../../../apiserver/server.ts'
import { createAPIServer } from '../../../apiserver/server.ts'
import { memoryLog } from '../../../apiserver/storage/durable-log.ts'
import { type VirtualEnvironment, virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'

/** An answer with its JSON body. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as they expect them
  readonly body: any
}

/** One event of a watch. */
export interface WatchEvent {
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: tests read events as they expect them
  readonly object: any
}

/** A running watch. */
export interface TestWatch {
  /** The events so far, each told once. */
  take(): readonly WatchEvent[]
  /** Short forms of the events so far: `ADDED a`. */
  names(): readonly string[]
  readonly ended: () => boolean
  stop(): void
}

/** A server and ways to ask it. */
export interface TestServer {
  readonly server: APIServer
  readonly environment: VirtualEnvironment
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  get(path: string): Promise<Answer>
  post(path: string, body: unknown): Promise<Answer>
  put(path: string, body: unknown): Promise<Answer>
  merge(path: string, patch: unknown): Promise<Answer>
  jsonPatch(path: string, patch: unknown): Promise<Answer>
  apply(path: string, body: unknown, manager?: string, force?: boolean): Promise<Answer>
  remove(path: string, options?: JSONObject): Promise<Answer>
  watch(path: string): Promise<TestWatch>
  /** Lets everything that the server does on its own happen. */
  settle(): Promise<void>
}

/** Starts a server; by default in memory. */
export async function startServer(options: Partial<APIServerOptions> = {}): Promise<TestServer> {
  const environment = virtualEnvironment()
  const server = await createAPIServer({ log: memoryLog(), environment, ...options })
  // It gathers the rules of its own roles first.
  await environment.flush()

  async function call(method: string, path: string, body?: unknown, headers = {}): Promise<Answer> {
    const bytes =
      body === undefined ? {} : { body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) }
    const all = { 'content-type': 'application/json', 'user-agent': 'tester/1', ...headers }
    const response = await server.handle({ method, path, headers: all, ...bytes })
    const text = (await bytesOf(response)).toString()
    const isJSON = response.headers['content-type']?.includes('json')
    const answer = isJSON && text !== '' ? JSON.parse(text) : text
    // Whoever asks in this process gets the same.
    if (response.value !== undefined) deepStrictEqual(response.value(), answer)
    return { status: response.status, headers: response.headers, body: answer }
  }

  const patch = (type: string) => (path: string, body: unknown) =>
    call('PATCH', path, body, { 'content-type': `application/${type}` })

  return {
    server,
    environment,
    call,
    get: path => call('GET', path),
    post: (path, body) => call('POST', path, body),
    put: (path, body) => call('PUT', path, body),
    merge: patch('merge-patch+json'),
    jsonPatch: patch('json-patch+json'),
    apply: (path, body, manager = 'applier', force = false) =>
      patch('apply-patch+yaml')(`${path}?fieldManager=${manager}${force ? '&force=true' : ''}`, body),
    remove: (path, body) => call('DELETE', path, body && { kind: 'DeleteOptions', apiVersion: 'v1', ...body }),
    watch: path => startWatch(server, path),
    settle: () => environment.flush(),
  }
}

/** The whole body of an answer that ends. */
export async function bytesOf({ body }: APIResponse): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body)
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Starts a watch; throws with the status when it is refused. */
export async function startWatch(server: APIServer, path: string, accept = 'application/json'): Promise<TestWatch> {
  const gone = new AbortController()
  const response = await server.handle({ method: 'GET', path, headers: { accept }, signal: gone.signal })
  if (response.body instanceof Uint8Array) throw new Error(Buffer.from(response.body).toString())
  const { body } = response
  const events: WatchEvent[] = []
  let ended = false
  const read = async () => {
    for await (const chunk of body) {
      for (const line of Buffer.from(chunk).toString().split('\n')) if (line !== '') events.push(JSON.parse(line))
    }
    ended = true
  }
  void read()
  const take = () => events.splice(0)
  return {
    take,
    names: () => take().map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`.trim()),
    ended: () => ended,
    stop: () => gone.abort(),
  }
}

/** A ConfigMap. */
export function configMap(name: string, data: Record<string, string> = {}, metadata: JSONObject = {}): JSONObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data }
}

/** Paths of ConfigMaps in the default namespace. */
export const configMaps = '/api/v1/namespaces/default/configmaps'

/** Paths of definitions and of the objects of `thingDefinition`. */
export const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
export const things = '/apis/example.dev/v1/namespaces/default/things'

/** A definition of a kind with defaults, bounds, lists and a status. */
export function thingDefinition(changes: JSONObject = {}): JSONObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.dev' },
    spec: {
      group: 'example.dev',
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing', shortNames: ['th'], categories: ['samples'] },
      versions: [thingVersion('v1', true)],
      ...changes,
    },
  }
}

/** One version of it. */
export function thingVersion(name: string, storage: boolean): JSONObject {
  return {
    name,
    served: true,
    storage,
    subresources: { status: {} },
    selectableFields: [{ jsonPath: '.spec.mode' }],
    additionalPrinterColumns: [
      { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ],
    schema: {
      openAPIV3Schema: {
        type: 'object',
        description: 'Thing is a thing.',
        properties: {
          spec: {
            type: 'object',
            description: 'Spec says what is wished.',
            required: ['size'],
            'x-kubernetes-validations': [{ rule: 'self.size >= oldSelf.size', message: 'size cannot shrink' }],
            properties: {
              size: { type: 'integer', minimum: 1, description: 'Size in centimetres.' },
              mode: { type: 'string', default: 'Fast' },
              parts: {
                type: 'array',
                maxItems: 10,
                'x-kubernetes-list-type': 'map',
                'x-kubernetes-list-map-keys': ['name'],
                items: {
                  type: 'object',
                  required: ['name'],
                  properties: { name: { type: 'string', maxLength: 63 }, color: { type: 'string' } },
                },
              },
            },
          },
          status: { type: 'object', properties: { ready: { type: 'boolean' }, seen: { type: 'integer' } } },
        },
      },
    },
  }
}

/** A thing. */
export function thing(name: string, spec: JSONObject = { size: 1 }, metadata: JSONObject = {}): JSONObject {
  return { apiVersion: 'example.dev/v1', kind: 'Thing', metadata: { name, ...metadata }, spec }
}

/** A server that serves things. */
export async function startWithThings(options: Partial<APIServerOptions> = {}): Promise<TestServer> {
  const server = await startServer(options)
  const { status, body } = await server.post(definitions, thingDefinition())
  if (status !== 201) throw new Error(JSON.stringify(body))
  return server
}

/** Names of the items of a list. */
export function namesOf(answer: Answer): readonly string[] {
  const items: readonly APIObject[] = answer.body.items
  return items.map(item => item.metadata.name)
}

/** The fields of the causes of a refusal. */
export function fieldsOf(answer: Answer): readonly string[] {
  const causes: unknown = answer.body.details?.causes
  return Array.isArray(causes) ? causes.filter(isRecord).map(cause => String(cause.field)) : []
}
