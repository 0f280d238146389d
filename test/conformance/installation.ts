/** Kinds as they come to be served, and whatever else takes a while. */
import { type Clock, sleep } from '../../crds/environment.ts'
import type { Api } from './api.ts'
import type { Definition } from './case.ts'

/** Where definitions are. */
export const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** How long something may take to come, in ms: a namespace goes slowly while kinds come and go. */
const patience = 90_000

/** Asks again and again until something comes back; rejects, saying what was waited for, after 90 s. */
export async function until<T>(clock: Clock, what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  const end = clock.monotonic() + patience
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (clock.monotonic() > end) throw new Error(`Cannot go on: ${what} did not come within ${patience / 1000} s`)
    await sleep(clock, 50)
  }
}

/** The path of a kind's objects in its first version; of those in one namespace, or of all. */
export function objectsPath({ spec }: Definition, namespace?: string): string {
  const [{ name: version } = { name: '' }] = spec.versions
  const within = namespace === undefined ? '' : `/namespaces/${namespace}`
  return `/apis/${spec.group}/${version}${within}/${spec.names.plural}`
}

/** Creates a definition; resolves when its kind is served. */
export async function install(api: Api, definition: Definition, clock: Clock): Promise<void> {
  const { name } = definition.metadata
  const { status, text } = await api.post(definitionsPath, definition)
  if (status !== 201) throw new Error(`Cannot install ${name}: ${text}`)
  const isServed = async () => (await api.get(objectsPath(definition))).status === 200
  await until(clock, `the kind of ${name}`, isServed)
}
