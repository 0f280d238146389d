import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { type Environment, sleep } from '../crds/environment.ts'
import type { CommonStatus, Resource } from '../crds/meta.ts'
import type { Client, Writable } from './api/client.ts'
import type { BuiltInKind } from './api/paths.ts'

/** Custom resource definitions, as a kind of the API. */
const CustomResourceDefinition: BuiltInKind<Resource<unknown, CommonStatus>> = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}

/** Namespaces, as a kind of the API. */
const Namespace: BuiltInKind<Resource> = {
  apiVersion: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
}

/** The namespace of the control plane's own Secrets and leases. */
export const systemNamespace = 'skystead-system'

/** How long a definition may take to be served, in ms. */
const patience = 30_000

/** The CRDs of a directory. */
export function readDefinitions(directory: string): readonly Writable[] {
  const files = readdirSync(directory).filter(name => name.endsWith('.yaml'))
  return files.sort().map(name => parse(readFileSync(join(directory, name), 'utf8')))
}

/** Applies CRDs and the system namespace, and waits until the API serves them. */
export async function install(
  client: Client,
  definitions: readonly Writable[],
  environment: Environment,
): Promise<void> {
  const options = { fieldManager: 'skystead-installer', force: true }
  await Promise.all(definitions.map(definition => client.apply(CustomResourceDefinition, definition, options)))
  await client.apply(Namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: systemNamespace } }, options)
  const end = environment.clock.monotonic() + patience
  for (const definition of definitions) {
    while (!(await isServed(client, definition.metadata.name))) {
      if (environment.clock.monotonic() > end) {
        throw new Error(`Cannot install: the API does not serve ${definition.metadata.name} after ${patience / 1000} s`)
      }
      await sleep(environment.clock, 50)
    }
  }
}

async function isServed(client: Client, name: string): Promise<boolean> {
  const definition = await client.get(CustomResourceDefinition, name)
  return (
    definition?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true
  )
}
