/** The kind that kubectl works with, and a kubectl that has it installed. */
import type { ExecutionContext } from 'ava'
import type { Kubectl } from './kubectl.ts'

/** Defaults, bounds, a list by name, a status, a scale, columns and selectable fields. */
export function thingDefinition(group: string): object {
  const text = { type: 'string' }
  const part = { type: 'object', required: ['name'], properties: { name: text, color: text } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing', shortNames: ['th'], categories: ['samples'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
          },
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
                  properties: {
                    size: { type: 'integer', minimum: 1, description: 'Size in centimetres.' },
                    mode: { ...text, default: 'Fast', enum: ['Fast', 'Slow'] },
                    replicas: { type: 'integer' },
                    note: { ...text, nullable: true },
                    port: { 'x-kubernetes-int-or-string': true },
                    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                    parts: {
                      type: 'array',
                      'x-kubernetes-list-type': 'map',
                      'x-kubernetes-list-map-keys': ['name'],
                      items: part,
                    },
                  },
                },
                status: {
                  type: 'object',
                  properties: {
                    ready: { type: 'boolean' },
                    replicas: { type: 'integer' },
                    conditions: {
                      type: 'array',
                      items: { type: 'object', properties: { type: text, status: text } },
                    },
                  },
                },
              },
            },
          },
        },
      ],
    },
  }
}

/** A thing of the kubectl's own group. */
export function thing({ group }: Kubectl, name: string, spec: object = { size: 1 }, metadata: object = {}): object {
  return { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name, ...metadata }, spec }
}

/** Installs the kind; it goes with the test. */
export async function installThings(t: ExecutionContext, { group, run }: Kubectl): Promise<void> {
  const name = `customresourcedefinition.apiextensions.k8s.io/things.${group}`
  t.is((await run('apply -f %', thingDefinition(group))).out, `${name} created`)
  t.teardown(async () => {
    await run(`delete crd things.${group} --ignore-not-found`)
  })
  const waited = await run(`wait --for=condition=Established crd/things.${group} --timeout=30s`)
  t.is(waited.out, `${name} condition met`)
  // A real server serves a kind a little after it says so, and describes it still later.
  for (const asked of ['get things', 'explain things.spec']) {
    for (let tries = 0; tries < 20 && (await run(asked)).code !== 0; tries++);
  }
}

/** Creates a thing, or makes it so. */
export async function applyThing(t: ExecutionContext, kubectl: Kubectl, one: object): Promise<void> {
  const { code, err } = await kubectl.run('apply -f %', one)
  t.is(code, 0, err)
}

/** Writes part of a status: kubectl itself can do so since version 1.24. */
export async function patchStatus(t: ExecutionContext, kubectl: Kubectl, status: object): Promise<void> {
  const body = JSON.stringify({ status })
  const patched = await kubectl.run(`patch thing a --subresource=status --type=merge -p ${body}`)
  t.is(patched.out, `thing.${kubectl.group}/a patched`, patched.err)
}
