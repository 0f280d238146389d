/** All cases, and the benches they run on. */
import type { KubeConfigOptions } from '../../controllers/api/kube-config.ts'
import type { Environment } from '../../crds/environment.ts'
import { until } from '../until.ts'
import type { Api } from './api.ts'
import { connect } from './api.ts'
import { access } from './areas/access.ts'
import { accessGrants } from './areas/access-grants.ts'
import { accessReviews } from './areas/access-reviews.ts'
import { apply } from './areas/apply.ts'
import { cel } from './areas/cel.ts'
import { celCosts } from './areas/cel-costs.ts'
import { celLibraries } from './areas/cel-libraries.ts'
import { configurations } from './areas/configurations.ts'
import { crud } from './areas/crud.ts'
import { definitionFaults } from './areas/definition-faults.ts'
import { definitions } from './areas/definitions.ts'
import { deletion } from './areas/deletion.ts'
import { discovery } from './areas/discovery.ts'
import { dryRun } from './areas/dry-run.ts'
import { emptied } from './areas/emptied.ts'
import { errors } from './areas/errors.ts'
import { lists } from './areas/lists.ts'
import { namespaceDeletion } from './areas/namespaces.ts'
import { openapi } from './areas/openapi.ts'
import { openapiTwo } from './areas/openapi-two.ts'
import { ownership } from './areas/ownership.ts'
import { patches } from './areas/patches.ts'
import { protobuf } from './areas/protobuf.ts'
import { scaling } from './areas/scale.ts'
import { schema } from './areas/schema.ts'
import { selectors } from './areas/selectors.ts'
import { strategicPatches } from './areas/strategic-patches.ts'
import { subresources } from './areas/subresources.ts'
import { tables } from './areas/tables.ts'
import { tokens } from './areas/tokens.ts'
import { validation } from './areas/validation.ts'
import { watches } from './areas/watches.ts'
import type { Area, Bench, Case } from './case.ts'
import { definitionsPath, install, objectsPath } from './installation.ts'

/** Every area. */
export const areas: readonly Area[] = [
  // First: later a real server is long busy with the namespaces of all the others.
  namespaceDeletion,
  discovery,
  openapi,
  openapiTwo,
  crud,
  protobuf,
  validation,
  schema,
  cel,
  celCosts,
  celLibraries,
  definitionFaults,
  definitions,
  patches,
  strategicPatches,
  apply,
  emptied,
  configurations,
  ownership,
  subresources,
  scaling,
  dryRun,
  lists,
  selectors,
  watches,
  deletion,
  tables,
  errors,
  access,
  accessReviews,
  accessGrants,
  tokens,
]

/** How a case ended. */
export interface Result {
  readonly area: string
  readonly title: string
  /** Why it does not hold; undefined where it does. */
  readonly failure?: string
  readonly milliseconds: number
}

/** Runs cases against the API of a kubeconfig. */
export interface Suite extends AsyncDisposable {
  run(area: Area, one: Case): Promise<Result>
}

/** Makes a suite. What its cases made goes when it is disposed of. */
export function createSuite(kubeconfig: string, environment: Environment, options: KubeConfigOptions = {}): Suite {
  const { clock, random } = environment
  const api = connect(kubeconfig, environment, options)
  const mark = random.uuid().slice(0, 6)
  const installed = new Map<string, { readonly made: Promise<void>; readonly objects: string }>()
  let names = 0

  function bench(used: string[]): Bench {
    const name = (prefix = 'c') => `${prefix}-${mark}-${++names}`
    let made: Promise<string> | undefined
    const makeNamespace = async () => {
      const wished = name('ns')
      const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: wished } }
      const { status, text } = await api.post('/api/v1/namespaces', body)
      if (status !== 201) throw new Error(`Cannot make namespace ${wished}: ${text}`)
      used.push(wished)
      return wished
    }
    const namespace = () => {
      made ??= makeNamespace()
      return made
    }
    return {
      api,
      name,
      namespace,
      until,
      async install(definition) {
        const { metadata, spec } = definition
        const objects = objectsPath(definition)
        const known = installed.get(metadata.name) ?? { made: install(api, definition), objects }
        installed.set(metadata.name, known)
        await known.made
        return spec.scope === 'Namespaced' ? objectsPath(definition, await namespace()) : objects
      },
    }
  }

  return {
    async run(area, one) {
      const began = clock.monotonic()
      const used: string[] = []
      const ended = () => ({ area: area.name, title: one.title, milliseconds: Math.round(clock.monotonic() - began) })
      try {
        await one.run(bench(used))
        return ended()
      } catch (error) {
        return { ...ended(), failure: error instanceof Error ? error.message : String(error) }
      } finally {
        await Promise.all(used.map(name => remove(api, `/api/v1/namespaces/${name}`)))
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        [...installed].map(async ([name, { objects }]) => {
          await remove(api, `${definitionsPath}/${name}`)
          await releaseAll(api, objects).catch(() => undefined)
        }),
      )
      await api[Symbol.asyncDispose]()
    },
  }
}

async function remove(api: Api, path: string): Promise<void> {
  await api.remove(path).catch(() => undefined)
}

/** Takes the finalizers from all objects of a kind: what a case that failed holds back would hold up the server for ever. */
async function releaseAll(api: Api, objects: string): Promise<void> {
  const { body } = await api.get(objects)
  for (const { metadata } of body.items ?? []) {
    if (metadata.finalizers === undefined) continue
    const [kind, plural] = [objects.slice(0, objects.lastIndexOf('/')), objects.slice(objects.lastIndexOf('/') + 1)]
    const parent = metadata.namespace === undefined ? kind : `${kind}/namespaces/${metadata.namespace}`
    await api.patch(`${parent}/${plural}/${metadata.name}`, 'merge', { metadata: { finalizers: [] } })
  }
}
