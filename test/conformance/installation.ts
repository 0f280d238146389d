/** Kinds as they come to be served. */
import { until } from '../until.ts'
import type { Api } from './api.ts'
import type { Definition } from './case.ts'

/** Where definitions are. */
export const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** The path of a kind's objects in its first version; of those in one namespace, or of all. */
export function objectsPath({ spec }: Definition, namespace?: string): string {
  const [{ name: version } = { name: '' }] = spec.versions
  const within = namespace === undefined ? '' : `/namespaces/${namespace}`
  return `/apis/${spec.group}/${version}${within}/${spec.names.plural}`
}

/** Creates a definition; resolves when its kind is served. */
export async function install(api: Api, definition: Definition): Promise<void> {
  const { name } = definition.metadata
  const { status, text } = await api.post(definitionsPath, definition)
  if (status !== 201) throw new Error(`Cannot install ${name}: ${text}`)
  const isServed = async () => (await api.get(objectsPath(definition))).status === 200
  await until(`the kind of ${name}`, isServed)
}
