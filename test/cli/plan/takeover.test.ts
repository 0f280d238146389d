import test from 'ava'
import { withoutTakenOver } from '../../../cli/plan/takeover.ts'
import type { Resource } from '../../../crds/meta.ts'

const note = 'kubectl.kubernetes.io/last-applied-configuration'
const clientSide = { 'f:metadata': { 'f:annotations': { [`f:${note}`]: {} } } }

function object(spec: object, managedFields: readonly object[]): Resource {
  const metadata = { name: 'a', uid: 'u', resourceVersion: '1', generation: 1, creationTimestamp: '', managedFields }
  return { apiVersion: 'x/v1', kind: 'X', metadata, spec } as Resource
}

function entry(manager: string, operation: 'Apply' | 'Update', spec: object, more: object = {}): object {
  return { manager, operation, fieldsV1: { 'f:spec': spec, ...more } }
}

const spec = {
  size: 1,
  nics: [{ name: 'a', mac: 'm' }, { name: 'b' }],
  tags: ['x', 'y'],
}

test('what was applied on the client side and is left out goes: fields, items by their keys, values of sets', t => {
  const owned = {
    'f:size': {},
    'f:nics': { 'k:{"name":"a"}': { '.': {}, 'f:name': {}, 'f:mac': {} }, 'k:{"name":"b"}': { '.': {}, 'f:name': {} } },
    'f:tags': { 'v:"x"': {}, 'v:"y"': {} },
  }
  const left = { 'f:nics': { 'k:{"name":"a"}': { '.': {}, 'f:name': {} } }, 'f:tags': { 'v:"y"': {} } }
  const live = object(spec, [entry('kubectl-client-side-apply', 'Update', owned, clientSide)])
  const applied = object(spec, [entry('kubectl', 'Apply', left)])
  t.deepEqual(withoutTakenOver(live, applied, 'kubectl').spec, { nics: [{ name: 'a' }], tags: ['y'] })
})

test('what others manage as well stays, and so does all that nobody applied on the client side', t => {
  const shared = [
    entry('kubectl-client-side-apply', 'Update', { 'f:size': {} }, clientSide),
    entry('somebody', 'Update', { 'f:size': {} }),
  ]
  const applied = object(spec, [entry('kubectl', 'Apply', {})])
  t.deepEqual(withoutTakenOver(object(spec, shared), applied, 'kubectl'), applied)
  const edited = object(spec, [entry('kubectl-edit', 'Update', { 'f:size': {} })])
  t.deepEqual(withoutTakenOver(edited, applied, 'kubectl'), applied)
})

test('Flux takes over what kubectl wrote in any way', t => {
  const edited = object(spec, [entry('kubectl-edit', 'Update', { 'f:size': {} })])
  const applied = object(spec, [entry('kustomize-controller', 'Apply', { 'f:nics': {}, 'f:tags': {} })])
  t.deepEqual(withoutTakenOver(edited, applied, 'kustomize-controller').spec, { nics: spec.nics, tags: spec.tags })
})
