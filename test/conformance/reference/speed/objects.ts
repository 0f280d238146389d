/** What is written: machines of about a kilobyte. */

import type { Call } from '../../../apiserver/process/clients.ts'
import { definition, listMap, objectSchema } from '../../definitions.ts'

const group = 'speed.skystead.test'
/** The kind of the objects. */
export const machines = definition('Machine', {
  group,
  schema: objectSchema(
    {
      offering: { type: 'string' },
      zone: { type: 'string' },
      strategy: { type: 'string', enum: ['Always', 'Halted'], default: 'Always' },
      cores: { type: 'integer', minimum: 1 },
      userData: { type: 'string' },
      nics: listMap('name', { network: { type: 'string' } }),
    },
    {
      type: 'object',
      properties: {
        phase: { type: 'string' },
        conditions: listMap('type', { status: { type: 'string' }, message: { type: 'string' } }),
      },
    },
  ),
})

/** Where the objects are. */
export const path = `/apis/${group}/v1/namespaces/default/machines`

const manifest = (name: string, cores: number) => ({
  apiVersion: `${group}/v1`,
  kind: 'Machine',
  metadata: { name, labels: { app: 'web', tier: `t${cores}` } },
  spec: {
    offering: 'medium',
    zone: 'zone-1',
    cores,
    userData: 'x'.repeat(600),
    nics: [
      { name: 'eth0', network: 'front' },
      { name: 'eth1', network: 'back' },
    ],
  },
})

/** A way of writing. */
export type Verb = keyof typeof verbs

/** Every way, as the request that comes with a number: for an object of its own, or (`touch`) always for the first. */
export const verbs = {
  create: (index: number): Call => ({ method: 'POST', path, body: JSON.stringify(manifest(nameOf(index), 1)) }),
  patchSpec: (index: number) => patchSpec(nameOf(index), 2),
  patchStatus: (index: number) => patchStatus(nameOf(index)),
  apply: (index: number) => apply(nameOf(index), manifest(nameOf(index), 3)),
  touch: (index: number) => patchSpec(nameOf(0), 4 + index),
}

function nameOf(index: number): string {
  return `m-${index}`
}

function patchSpec(name: string, cores: number): Call {
  const { spec } = manifest(name, cores)
  const body = JSON.stringify([{ op: 'replace', path: '/spec', value: spec }])
  return { method: 'PATCH', path: `${path}/${name}`, type: 'application/json-patch+json', body }
}

function patchStatus(name: string): Call {
  const message = `Host "host-${name}" runs it`
  const conditions = [
    { type: 'Ready', status: 'True', message: '' },
    { type: 'Placed', status: 'True', message },
  ]
  const body = JSON.stringify({ status: { phase: 'Running', conditions } })
  return { method: 'PATCH', path: `${path}/${name}/status`, type: 'application/merge-patch+json', body }
}

function apply(name: string, object: object): Call {
  const type = 'application/apply-patch+yaml'
  return { method: 'PATCH', path: `${path}/${name}?fieldManager=speed&force=true`, type, body: JSON.stringify(object) }
}
