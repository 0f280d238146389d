/** A server with the kind of things, for programs of others. */
import type { ExecutionContext } from 'ava'
import { realEnvironment } from '../../cli/environment.ts'
import { serveForTest } from '../apiserver/core/serving.ts'
import { type Api, connect } from '../conformance/api.ts'
import { thingDefinition } from './kubectl/things.ts'

/** The group of the things. */
export const group = 'clients.example.dev'

/** Serves them until the test ends; `api` is there for what the program itself does not do. */
export async function serveThings(t: ExecutionContext): Promise<{ readonly kubeconfig: string; readonly api: Api }> {
  const { kubeconfigPath: kubeconfig } = await serveForTest(t)
  const api = connect(kubeconfig, realEnvironment())
  t.teardown(() => api[Symbol.asyncDispose]())
  const { status } = await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', thingDefinition(group))
  t.is(status, 201)
  return { kubeconfig, api }
}
