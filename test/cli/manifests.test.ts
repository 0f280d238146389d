import { readdirSync } from 'node:fs'
import test from 'ava'
import { projectPath } from '../../cli/repository.ts'
import { defaulted, objectsOf, refusals, type WrittenObject } from '../crds/schemas.ts'

function shipped(folder: string): readonly WrittenObject[] {
  return readdirSync(projectPath(folder)).flatMap(file => objectsOf(`${folder}/${file}`))
}

const defaults = shipped('manifests/defaults')
const networkOfferings = defaults.filter(({ kind }) => kind === 'NetworkOffering').map(defaulted)

test('every shipped default is accepted by its schema', t => {
  t.true(defaults.length > 0)
  for (const object of [...defaults, ...shipped('manifests/first-start')]) {
    t.deepEqual(refusals(object), [], `${object.kind} ${object.metadata.name}`)
  }
})

test('INF-128 compute and disk offerings are shipped, so that a new zone can run machines without creating any', t => {
  const names = (kind: string) => defaults.filter(object => object.kind === kind).map(({ metadata }) => metadata.name)
  t.deepEqual(names('ServiceOffering'), ['default-small', 'default-medium'])
  t.deepEqual(names('DiskOffering'), ['default-small', 'default-medium', 'default-large', 'default-custom'])
})

test('NET-157 OFF-125 every shipped network offering denies egress', t => {
  t.deepEqual([...new Set(networkOfferings.map(({ spec }) => spec.egressDefault))], ['Deny'])
})

test('NET-065 OFF-091 no shipped network offering is persistent', t => {
  t.deepEqual([...new Set(networkOfferings.map(({ spec }) => spec.persistent))], [false])
})

test('NET-049 REL-422 L2 offerings are shipped, and offer switching only', t => {
  const switching = networkOfferings.filter(({ spec }) => spec.guestType === 'L2')
  t.deepEqual(
    switching.map(({ metadata }) => metadata.name),
    ['default-l2', 'default-l2-vlan'],
  )
  for (const { spec } of switching) t.deepEqual(spec.services, [])
})

test('INF-071 shared offerings are shipped with and without security groups', t => {
  const shared = networkOfferings.filter(({ spec }) => spec.guestType === 'Shared')
  const secured = shared.filter(({ spec }) => JSON.stringify(spec.services).includes('SecurityGroup'))
  t.deepEqual(
    shared.map(({ metadata }) => metadata.name),
    ['default-shared', 'default-shared-security-groups'],
  )
  t.deepEqual(
    secured.map(({ metadata }) => metadata.name),
    ['default-shared-security-groups'],
  )
})

test('what the example describes bears no name of a shipped default', t => {
  const names = new Set(defaults.map(({ kind, metadata }) => `${kind} ${metadata.name}`))
  const described = objectsOf('manifests/quickstart/quickstart.yaml')
  t.deepEqual(
    described.filter(({ kind, metadata }) => names.has(`${kind} ${metadata.name}`)),
    [],
  )
})

test('the Settings of the first start let nothing wait in the trash', t => {
  const [settings, ...others] = shipped('manifests/first-start')
  t.deepEqual(others, [])
  t.is(settings?.kind, 'Settings')
  t.is(settings?.spec.expungeDelay, '0s')
})
