import { readdirSync } from 'node:fs'
import test from 'ava'
import { ServiceOffering } from '../../crds/compute/service-offering.ts'
import { NetworkOffering } from '../../crds/network/network-offering.ts'
import { DiskOffering } from '../../crds/storage/disk-offering.ts'
import { defaulted, objectsOf, refusals, schemas } from '../crds/schemas.ts'
import { Cloud } from '../stories/cloud.ts'

const folder = new URL('../../manifests/defaults/', import.meta.url)
const shipped = readdirSync(folder).flatMap(name => objectsOf(`manifests/defaults/${name}`))
const ofKind = (kind: string) => shipped.filter(object => object.kind === kind).map(defaulted)

test('INF-128 what is shipped is accepted as it stands', t => {
  t.true(shipped.length > 5)
  for (const object of shipped) t.deepEqual(refusals(object), [], object.metadata.name)
})

test('INF-128 sizes for machines and disks are shipped, one disk of any size among them', t => {
  t.true(ofKind('ServiceOffering').length >= 2)
  t.true(ofKind('DiskOffering').some(({ spec }) => spec.customSize === true))
  t.deepEqual(
    ofKind('DiskOffering').flatMap(({ spec }) => (spec.size === undefined ? [] : [spec.size])),
    ['5Gi', '20Gi', '100Gi'],
  )
})

test('OFF-091 NET-065 every shipped network offering is non-persistent', t => {
  t.deepEqual([...new Set(ofKind('NetworkOffering').map(({ spec }) => spec.persistent))], [false])
})

test('OFF-125 NET-157 every shipped network offering denies egress', t => {
  t.deepEqual([...new Set(ofKind('NetworkOffering').map(({ spec }) => spec.egressDefault))], ['Deny'])
})

test('OFF-065 no shipped offering of guest networks names a rate', t => {
  t.true(ofKind('NetworkOffering').every(({ spec }) => spec.networkRateMbps === undefined))
})

test('NET-049 L2 network offerings are shipped, with and without a VLAN that operators name', t => {
  const l2 = ofKind('NetworkOffering').filter(({ spec }) => spec.guestType === 'L2')
  t.deepEqual(l2.map(({ spec }) => spec.specifyVLAN).sort(), [false, true])
})

test('OFF-060 every rate says Mbit/s in its description, and counts in it', t => {
  const rates = [...schemas].flatMap(([kind, { schema }]) => {
    const { properties } = (
      schema as { properties: { spec: { properties: Record<string, { description: string; maximum?: number }> } } }
    ).properties.spec
    return Object.entries(properties).flatMap(([name, field]) =>
      /Rate/.test(name) ? [[kind, name, field] as const] : [],
    )
  })
  t.deepEqual(rates.map(([kind, name]) => `${kind}.${name}`).sort(), [
    'NetworkOffering.networkRateMbps',
    'ServiceOffering.networkRateMbps',
    'Settings.machineRateMbps',
    'Settings.networkRateMbps',
  ])
  for (const [kind, name, { description, maximum }] of rates) {
    t.regex(description, /Mbit\/s/, `${kind}.${name}`)
    t.is(maximum, 1_000_000)
  }
})

test('INF-128 the shipped offerings are Ready as soon as they are applied', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(...shipped)
  await cloud.untilReady()
  const counts = [
    (await cloud.list(ServiceOffering)).length,
    (await cloud.list(DiskOffering)).length,
    (await cloud.list(NetworkOffering)).length,
  ]
  t.deepEqual(counts, [
    ofKind('ServiceOffering').length,
    ofKind('DiskOffering').length,
    ofKind('NetworkOffering').length,
  ])
})
