/** A server with the kind of things, for programs of others. */
import type { ExecutionContext } from 'ava'
import { type RunningServer, serve } from '../../apiserver/serving/serve.ts'
import { realEnvironment } from '../../cli/environment.ts'
import { serveForTest } from '../apiserver/core/serving.ts'
import { type Api, connect } from '../conformance/api.ts'
import { thingDefinition } from './kubectl/things.ts'

/** The group of the things. */
export const group = 'clients.example.dev'

/** A server that has them. */
export interface ServedThings {
  readonly kubeconfig: string
  /** For what the program itself does not do. */
  readonly api: Api
  /** Ends the server and starts it again where it was. */
  restart(): Promise<void>
}

/** Serves them until the test ends. */
export async function serveThings(t: ExecutionContext): Promise<ServedThings> {
  const environment = realEnvironment()
  const { home, url, kubeconfigPath: kubeconfig, ...first } = await serveForTest(t)
  let server: Pick<RunningServer, 'close'> = first
  const api = connect(kubeconfig, environment)
  t.teardown(async () => {
    await api[Symbol.asyncDispose]()
    await server.close()
  })
  const { status } = await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', thingDefinition(group))
  t.is(status, 201)
  return {
    kubeconfig,
    api,
    async restart() {
      await server.close()
      server = await serve({ home, environment, port: Number(new URL(url).port) })
    },
  }
}
