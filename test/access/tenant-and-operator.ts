/** What a tenant and an operator may wish for and delete, tried on an API that has our definitions, our roles and our admission. */
import { readFileSync } from 'node:fs'
import type { ExecutionContext } from 'ava'
import { realEnvironment } from '../../cli/environment.ts'
import { projectPath } from '../../cli/repository.ts'
import { CustomResourceDefinition } from '../../controllers/api/built-in-kinds.ts'
import type { Writable } from '../../controllers/api/client.ts'
import { collectionPath } from '../../controllers/api/paths.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import type { AnyKind } from '../../crds/define-kind.ts'
import { finalizerOf } from '../../crds/finalizer.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { Network } from '../../crds/network/network.ts'
import { Volume } from '../../crds/storage/volume.ts'
import { type Answer, type Api, connect } from '../conformance/api.ts'
import { as, binding, clusterBinding, clusterRole, user } from '../conformance/rights.ts'
import { documentsOf } from '../stories/cloud.ts'
import { until } from '../until.ts'

const tried: readonly AnyKind[] = [Host, Network, VirtualMachine, Volume]

const [tenant, operator, keeper] = [as('tina'), as('olga'), as('hal')]

/** Tries it. */
export async function tryWishes(t: ExecutionContext, kubeconfig: string): Promise<void> {
  await using api = connect(kubeconfig, realEnvironment())
  await prepare(api)
  const network = sample('network')
  const volume = sample('volume')
  const machine = sample('virtualmachine')
  const host = sample('host')

  t.is((await make(api, Network, network, tenant)).status, 201, 'what everybody may wish for')
  refused(
    t,
    await make(api, Network, withSpec(network, { vlan: 12 }, 'wired'), tenant),
    /spec\.vlan takes the right to "place" networks/,
  )
  t.is((await make(api, Network, withSpec(network, { vlan: 12 }, 'wired'), operator)).status, 201)

  const wired = withSpec(network, { vlan: 14 }, 'wired-2')
  const apply = { type: 'application/apply-patch+yaml', body: wired, ...tenant }
  refused(t, await api.call('PATCH', `${collection(Network)}/wired-2?fieldManager=tina`, apply), /"place" networks/)
  const unnamed = { ...wired, metadata: { generateName: 'wired-' } }
  refused(t, await api.post(collection(Network), unnamed, tenant), /"place" networks/)

  t.is((await make(api, Volume, volume, tenant)).status, 201)
  const orphan = { spec: { management: { deletionPolicy: 'Orphan' } } }
  refused(
    t,
    await change(api, Volume, volume, orphan, tenant),
    /spec\.management\.deletionPolicy "Orphan" takes the right to "release" volumes/,
  )
  const path = `${collection(Volume)}/${volume.metadata.name}`
  const { body: stored } = await api.get(path, tenant)
  const left = { ...stored, spec: { ...stored.spec, management: { deletionPolicy: 'Orphan' } } }
  refused(t, await api.put(path, left, tenant), /"release" volumes/)
  t.is((await change(api, Volume, volume, { spec: { size: '30Gi' } }, tenant)).status, 200)
  t.is((await change(api, Volume, volume, orphan, operator)).status, 200)
  t.is((await change(api, Volume, volume, { spec: { size: '40Gi' } }, tenant)).status, 200, 'what stays takes no right')

  const finalizers = [finalizerOf(Volume), 'shop.example/backup']
  t.is((await change(api, Volume, volume, { metadata: { finalizers } }, tenant)).status, 200)
  const freed = { metadata: { finalizers: null } }
  refused(
    t,
    await change(api, Volume, volume, freed, tenant),
    /to take the finalizer "storage\.skystead\.dev\/controller" away takes the right to "update" volumes\/finalizers/,
  )
  const { body: held } = await api.get(path, tenant)
  refused(t, await api.put(path, { ...held, metadata: { ...held.metadata, finalizers: [] } }, tenant), /the finalizer/)
  t.is((await change(api, Volume, volume, { metadata: { finalizers: finalizers.slice(0, 1) } }, tenant)).status, 200)
  t.is((await change(api, Volume, volume, freed, operator)).status, 200)

  const removal = (person: typeof tenant, query = '') => api.call('DELETE', `${path}${query}`, person)
  t.is((await change(api, Volume, volume, { spec: { protected: 'Enabled' } }, tenant)).status, 200)
  refused(t, await removal(tenant), /spec\.protected is "Enabled": set it to "Disabled" first/)
  refused(t, await removal(operator, '?dryRun=All'), /spec\.protected is "Enabled"/)
  refused(t, await api.call('DELETE', collection(Volume), tenant), /spec\.protected is "Enabled"/)
  t.is((await api.get(path, tenant)).body.metadata.deletionTimestamp, undefined)
  t.is((await change(api, Volume, volume, { spec: { protected: 'Disabled' } }, tenant)).status, 200)
  t.is((await removal(tenant)).status, 200)

  t.is((await make(api, VirtualMachine, withSpec(machine, { placement: undefined }), tenant)).status, 201)
  const placed = { spec: { placement: { hostName: 'host-b1' } } }
  refused(t, await change(api, VirtualMachine, machine, placed, tenant), /spec\.placement takes the right to "place"/)
  t.is((await change(api, VirtualMachine, machine, placed, operator)).status, 200)
  refused(t, await change(api, VirtualMachine, machine, { spec: { placement: null } }, tenant), /spec\.placement/)
  t.is((await change(api, VirtualMachine, machine, { spec: { runStrategy: 'Halted' } }, tenant)).status, 200)

  t.is((await make(api, Host, host, keeper)).status, 201)
  const lost = { spec: { lifecycle: 'Lost' } }
  refused(t, await change(api, Host, host, lost, keeper), /spec\.lifecycle "Lost" takes the right to "attest" hosts/)
  t.is((await change(api, Host, host, { spec: { lifecycle: 'Maintenance' } }, keeper)).status, 200)
  t.is((await change(api, Host, host, lost, operator)).status, 200)
  t.is(
    (await change(api, Host, host, { spec: { lifecycle: 'Active' } }, keeper)).status,
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
  for (const kind of tried) {
    const [definition] = documents(`manifests/crds/${kind.plural}.${kind.group}.yaml`)
    await taken(api.post(collectionPath(CustomResourceDefinition), definition))
  }
  const access = '/apis/rbac.authorization.k8s.io/v1'
  for (const role of documents('manifests/install/rbac.yaml')) {
    if (role.kind === 'ClusterRole') await taken(api.post(`${access}/clusterroles`, role))
  }
  const hosts = { apiGroups: [Host.group], resources: [Host.plural], verbs: ['create', 'get', 'patch'] }
  await taken(api.post(`${access}/clusterroles`, clusterRole('keeper', [hosts])))
  await taken(api.post('/api/v1/namespaces', { metadata: { name: 'shop' } }))
  const edit = binding('tina', { kind: 'ClusterRole', name: 'skystead-tenant-edit' }, [user('tina')])
  await taken(api.post(`${access}/namespaces/shop/rolebindings`, edit))
  await taken(api.post(`${access}/clusterrolebindings`, clusterBinding('olga', 'skystead-operator', [user('olga')])))
  await taken(api.post(`${access}/clusterrolebindings`, clusterBinding('hal', 'keeper', [user('hal')])))
  for (const kind of tried) {
    await until(kind.plural, async () => (await api.get(collection(kind), operator)).status === 200)
  }
  // A policy comes into force a moment after it is made.
  const wired = withSpec(sample('network'), { vlan: 13 }, 'early')
  await until(
    'the policies',
    async () => (await api.post(`${collection(Network)}?dryRun=All`, wired, tenant)).status === 403,
  )
}

async function taken(asking: Promise<Answer>): Promise<void> {
  const { status, text } = await asking
  if (status !== 201) throw new Error(text)
}

function make(api: Api, kind: AnyKind, object: Sample, person: typeof tenant): Promise<Answer> {
  return api.post(collection(kind), object, person)
}

function change(api: Api, kind: AnyKind, { metadata }: Sample, patch: object, person: typeof tenant): Promise<Answer> {
  const path = `${collection(kind)}/${metadata.name}`
  return api.call('PATCH', path, { body: patch, type: 'application/merge-patch+json', ...person })
}

function collection(kind: AnyKind): string {
  return collectionPath(kind, 'shop')
}

function refused(t: ExecutionContext, { status, body }: Answer, message: RegExp): void {
  t.is(status, 403, body.message)
  t.is(body.reason, 'Forbidden')
  t.regex(body.message, message)
}

function sample(name: string): Sample {
  const [object] = documents(`manifests/samples/${name}.yaml`)
  if (object === undefined) throw new Error(`There is no sample ${name}`)
  return { ...object, metadata: { name: object.metadata.name }, spec: object.spec ?? {} }
}

function withSpec(object: Sample, spec: object, name = object.metadata.name): Sample {
  return { ...object, metadata: { name }, spec: { ...object.spec, ...spec } }
}

/** The objects of a manifest of the repository. */
export function documents(path: string): readonly Writable[] {
  return documentsOf(readFileSync(projectPath(path), 'utf8'))
}
