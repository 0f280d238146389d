/** What a tenant and an operator may wish for, tried on an API that has our definitions, our roles and our admission. */
import { readFileSync } from 'node:fs'
import type { ExecutionContext } from 'ava'
import { parse, parseAllDocuments } from 'yaml'
import { realEnvironment } from '../../cli/environment.ts'
import { projectPath } from '../../cli/repository.ts'
import { type Answer, type Api, connect } from '../conformance/api.ts'
import { as, binding, clusterBinding, clusterRole, user } from '../conformance/rights.ts'
import { until } from '../until.ts'

const groups = {
  hosts: 'infrastructure.skystead.dev',
  networks: 'network.skystead.dev',
  virtualmachines: 'compute.skystead.dev',
  volumes: 'storage.skystead.dev',
} as const

type Plural = keyof typeof groups

const [tenant, operator, keeper] = [as('tina'), as('olga'), as('hal')]

/** Tries it. */
export async function tryWishes(t: ExecutionContext, kubeconfig: string): Promise<void> {
  await using api = connect(kubeconfig, realEnvironment())
  await prepare(api)
  const network = sample('network')
  const volume = sample('volume')
  const machine = sample('virtualmachine')
  const host = sample('host')

  t.is((await make(api, 'networks', network, tenant)).status, 201, 'what everybody may wish for')
  refused(
    t,
    await make(api, 'networks', withSpec(network, { vlan: 12 }, 'wired'), tenant),
    /spec\.vlan takes the right to "place" networks/,
  )
  t.is((await make(api, 'networks', withSpec(network, { vlan: 12 }, 'wired'), operator)).status, 201)

  const wired = withSpec(network, { vlan: 14 }, 'wired-2')
  const apply = { type: 'application/apply-patch+yaml', body: wired, ...tenant }
  refused(t, await api.call('PATCH', `${collection('networks')}/wired-2?fieldManager=tina`, apply), /"place" networks/)
  const unnamed = { ...wired, metadata: { generateName: 'wired-' } }
  refused(t, await api.post(collection('networks'), unnamed, tenant), /"place" networks/)

  t.is((await make(api, 'volumes', volume, tenant)).status, 201)
  const orphan = { spec: { management: { deletionPolicy: 'Orphan' } } }
  refused(
    t,
    await change(api, 'volumes', volume, orphan, tenant),
    /spec\.management\.deletionPolicy "Orphan" takes the right to "release" volumes/,
  )
  const path = `${collection('volumes')}/${volume.metadata.name}`
  const { body: stored } = await api.get(path, tenant)
  const left = { ...stored, spec: { ...stored.spec, management: { deletionPolicy: 'Orphan' } } }
  refused(t, await api.put(path, left, tenant), /"release" volumes/)
  t.is((await change(api, 'volumes', volume, { spec: { size: '30Gi' } }, tenant)).status, 200)
  t.is((await change(api, 'volumes', volume, orphan, operator)).status, 200)
  t.is(
    (await change(api, 'volumes', volume, { spec: { size: '40Gi' } }, tenant)).status,
    200,
    'what stays takes no right',
  )

  t.is((await make(api, 'virtualmachines', withSpec(machine, { placement: undefined }), tenant)).status, 201)
  const placed = { spec: { placement: { hostName: 'host-b1' } } }
  refused(
    t,
    await change(api, 'virtualmachines', machine, placed, tenant),
    /spec\.placement takes the right to "place"/,
  )
  t.is((await change(api, 'virtualmachines', machine, placed, operator)).status, 200)
  refused(t, await change(api, 'virtualmachines', machine, { spec: { placement: null } }, tenant), /spec\.placement/)
  t.is((await change(api, 'virtualmachines', machine, { spec: { runStrategy: 'Halted' } }, tenant)).status, 200)

  t.is((await make(api, 'hosts', host, keeper)).status, 201)
  const lost = { spec: { lifecycle: 'Lost' } }
  refused(t, await change(api, 'hosts', host, lost, keeper), /spec\.lifecycle "Lost" takes the right to "attest" hosts/)
  t.is((await change(api, 'hosts', host, { spec: { lifecycle: 'Maintenance' } }, keeper)).status, 200)
  t.is((await change(api, 'hosts', host, lost, operator)).status, 200)
  t.is(
    (await change(api, 'hosts', host, { spec: { lifecycle: 'Active' } }, keeper)).status,
    200,
    'to take it back is safe',
  )
}

interface Sample {
  readonly metadata: { readonly name: string }
  readonly spec: object
}

/** Definitions, roles, and who has them. */
async function prepare(api: Api): Promise<void> {
  for (const plural of Object.keys(groups) as Plural[]) {
    const definition = document(`manifests/crds/${plural}.${groups[plural]}.yaml`)
    await taken(api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition))
  }
  const access = '/apis/rbac.authorization.k8s.io/v1'
  for (const role of documents('manifests/install/rbac.yaml')) {
    if (role.kind === 'ClusterRole') await taken(api.post(`${access}/clusterroles`, role))
  }
  const hosts = { apiGroups: [groups.hosts], resources: ['hosts'], verbs: ['create', 'get', 'patch'] }
  await taken(api.post(`${access}/clusterroles`, clusterRole('keeper', [hosts])))
  await taken(api.post('/api/v1/namespaces', { metadata: { name: 'shop' } }))
  const edit = binding('tina', { kind: 'ClusterRole', name: 'skystead-tenant-edit' }, [user('tina')])
  await taken(api.post(`${access}/namespaces/shop/rolebindings`, edit))
  await taken(api.post(`${access}/clusterrolebindings`, clusterBinding('olga', 'skystead-operator', [user('olga')])))
  await taken(api.post(`${access}/clusterrolebindings`, clusterBinding('hal', 'keeper', [user('hal')])))
  for (const plural of Object.keys(groups) as Plural[]) {
    await until(plural, async () => (await api.get(collection(plural), operator)).status === 200)
  }
  // A policy comes into force a moment after it is made.
  const wired = withSpec(sample('network'), { vlan: 13 }, 'early')
  await until(
    'the policies',
    async () => (await api.post(`${collection('networks')}?dryRun=All`, wired, tenant)).status === 403,
  )
}

async function taken(asking: Promise<Answer>): Promise<void> {
  const { status, text } = await asking
  if (status !== 201) throw new Error(text)
}

function make(api: Api, plural: Plural, object: Sample, person: typeof tenant): Promise<Answer> {
  return api.post(collection(plural), object, person)
}

function change(api: Api, plural: Plural, { metadata }: Sample, patch: object, person: typeof tenant): Promise<Answer> {
  const path = `${collection(plural)}/${metadata.name}`
  return api.call('PATCH', path, { body: patch, type: 'application/merge-patch+json', ...person })
}

function collection(plural: Plural): string {
  const path = `/apis/${groups[plural]}/v1alpha1`
  return plural === 'hosts' ? `${path}/hosts` : `${path}/namespaces/shop/${plural}`
}

function refused(t: ExecutionContext, { status, body }: Answer, message: RegExp): void {
  t.is(status, 403, body.message)
  t.is(body.reason, 'Forbidden')
  t.regex(body.message, message)
}

function sample(name: string): Sample {
  const object = document(`manifests/samples/${name}.yaml`) as Sample
  return { ...object, metadata: { name: object.metadata.name } }
}

function withSpec(object: Sample, spec: object, name = object.metadata.name): Sample {
  return { ...object, metadata: { name }, spec: { ...object.spec, ...spec } }
}

function document(path: string): object {
  return parse(readFileSync(projectPath(path), 'utf8')) as object
}

/** The objects of a manifest. */
export function documents(path: string): readonly { readonly kind: string }[] {
  return parseAllDocuments(readFileSync(projectPath(path), 'utf8')).map(each => each.toJS() as { kind: string })
}
