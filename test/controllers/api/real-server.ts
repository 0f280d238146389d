import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { createAPIServer } from '../../../apiserver/server.ts'
import { serve } from '../../../apiserver/serving/serve.ts'
import { memoryLog } from '../../../apiserver/storage/durable-log.ts'
import { type Client, createClient } from '../../../controllers/api/client.ts'
import { inProcessTransport } from '../../../controllers/api/in-process-transport.ts'
import { kubernetesTransport } from '../../../controllers/api/kubernetes-transport.ts'
import type { BuiltInKind } from '../../../controllers/api/paths.ts'
import { portTransport, servePort } from '../../../controllers/api/port-transport.ts'
import type { Transport } from '../../../controllers/api/transport.ts'
import { defineKind } from '../../../crds/define-kind.ts'
import type { Environment } from '../../../crds/environment.ts'
import type { CommonStatus, ObjectMeta } from '../../../crds/meta.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'

/** The real API server with one kind of the test's own, and a way to it. */
export interface RealServer {
  readonly transport: Transport
  readonly client: Client
  readonly environment: Environment
  close(): Promise<void>
}

/** The spec of the test's kind. */
export interface WidgetSpec {
  readonly size: number
  readonly color?: string
}

/** The status of the test's kind. */
export interface WidgetStatus extends CommonStatus {
  readonly seen?: number
}

/** A kind of the test's own. */
export const Widget = defineKind<WidgetSpec, WidgetStatus>({
  group: 'test.dev',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  scope: 'Namespaced',
  shortNames: [],
  columns: [],
  conditions: {},
  shard: 'global',
  selectableFields: ['.spec.color'],
})

/** Namespaces of Kubernetes. */
export const Namespace: BuiltInKind = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false }

interface Definition {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly status?: CommonStatus
}

const CustomResourceDefinition: BuiltInKind<Definition> = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}

/** A widget to be created. */
export function widget(name: string, spec: WidgetSpec = { size: 1 }, metadata: Partial<ObjectMeta> = {}) {
  return { apiVersion: Widget.apiVersion, kind: Widget.kind, metadata: { name, namespace: 'shop', ...metadata }, spec }
}

/** The server in this process. */
export async function inProcess(): Promise<RealServer> {
  const environment = virtualEnvironment()
  const server = await createAPIServer({ log: memoryLog(), environment })
  const transport = inProcessTransport(request => server.handle(request))
  return prepared({ transport, environment, close: () => server.close() })
}

/** The server across a port. */
export async function acrossPort(): Promise<RealServer> {
  const environment = virtualEnvironment()
  const server = await createAPIServer({ log: memoryLog(), environment })
  const { port1, port2 } = new MessageChannel()
  const served = servePort(port2, request => server.handle(request))
  const close = async () => {
    served.close()
    await server.close()
  }
  return prepared({ transport: portTransport(port1), environment, close })
}

/** The server over TLS, with its kubeconfig and its objects on disk. */
export async function overTLS(): Promise<RealServer> {
  const home = await mkdtemp(join(tmpdir(), 'skystead-server-'))
  const { clock, random } = virtualEnvironment()
  // TLS looks at the real time.
  const environment: Environment = { clock: { ...clock, now: () => Date.now() }, random }
  const server = await serve({ home, environment })
  const transport = kubernetesTransport({ kubeconfig: server.kubeconfigPath, environment })
  const close = async () => {
    await server.close()
    await rm(home, { recursive: true, force: true })
  }
  return prepared({ transport, environment, close })
}

async function prepared(parts: Omit<RealServer, 'client'>): Promise<RealServer> {
  const client = createClient(parts.transport)
  const metadata = { name: 'widgets.test.dev' }
  const properties = { size: { type: 'integer', minimum: 1 }, color: { type: 'string' } }
  await client.create(CustomResourceDefinition, {
    apiVersion: CustomResourceDefinition.apiVersion,
    kind: CustomResourceDefinition.kind,
    metadata,
    spec: {
      group: Widget.group,
      scope: Widget.scope,
      names: { kind: Widget.kind, plural: Widget.plural, singular: 'widget', listKind: 'WidgetList' },
      versions: [
        {
          name: Widget.version,
          served: true,
          storage: true,
          subresources: { status: {} },
          selectableFields: [{ jsonPath: '.spec.color' }],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: { type: 'object', required: ['size'], properties },
                status: { type: 'object', properties: { seen: { type: 'integer' } } },
              },
            },
          },
        },
      ],
    },
  })
  await client.create(Namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  await eventually(async () => {
    const found = await client.get(CustomResourceDefinition, metadata.name)
    return found?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true
  })
  return {
    ...parts,
    client,
    async close() {
      await parts.transport.close()
      await parts.close()
    },
  }
}

/** Waits, turn by turn of the event loop, until something holds; rejects when it does not come to. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 100_000; turn++) {
    if (await holds()) return
    await new Promise(resolve => setImmediate(resolve))
  }
  throw new Error('Cannot wait longer: it has not come to hold')
}
