/** Programs of client-go and controller-runtime (test/real/clients/go) on the server: `npm run build:clients` builds them. */
import anyTest from 'ava'
import { group, serveThings } from '../../clients/served-things.ts'
import { skipped } from '../../skipped.ts'
import { until } from '../../until.ts'
import { goProgram, startProgram } from './programs.ts'

const things = `/apis/${group}/v1/namespaces/default/things`
const configMaps = '/api/v1/namespaces/default/configmaps'

function thing(name: string, size: number): object {
  return { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name }, spec: { size } }
}

function configMap(name: string, x: string): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { x } }
}

const informer = goProgram('informer')
const leader = goProgram('leader')
const manager = goProgram('manager')

if (informer === undefined || leader === undefined || manager === undefined) {
  skipped(anyTest, 'programs of client-go', ['npm run build:clients'])
} else {
  anyTest(
    'informers of client-go, typed and untyped, see every change, also after the server was started again',
    async t => {
      const { api, kubeconfig, restart } = await serveThings(t)
      await api.post(things, thing('a', 1))
      await api.post(configMaps, configMap('m', '1'))
      const program = startProgram(t, informer, kubeconfig, 'default', `${group}/v1/things`)
      await program.says('synced')
      await program.says('added a')
      await program.says('configmap added m')
      await api.post(things, thing('b', 1))
      await api.patch(`${things}/a`, 'merge', { spec: { size: 2 } })
      await api.patch(`${configMaps}/m`, 'merge', { data: { x: '2' } })
      await api.remove(`${things}/b`)
      for (const line of ['added b', 'updated a 2', 'configmap updated m 2', 'deleted b']) await program.says(line)

      await restart()
      await api.post(things, thing('c', 1))
      await api.patch(`${things}/a`, 'merge', { spec: { size: 3 } })
      await api.remove(`${configMaps}/m`)
      for (const line of ['added c', 'updated a 3', 'configmap deleted m']) await program.says(line)
      t.is(program.lines.filter(line => line === 'added a').length, 1, 'what is known is not added again')
    },
  )

  anyTest(
    'leader election of client-go has one leader: another takes over after its death, at once after its farewell',
    async t => {
      const { api, kubeconfig } = await serveThings(t)
      const start = (name: string) => startProgram(t, leader, kubeconfig, 'default', 'election', name)
      const holder = async () =>
        (await api.get('/apis/coordination.k8s.io/v1/namespaces/default/leases/election')).body.spec.holderIdentity
      const one = start('one')
      await one.says('leading')
      const two = start('two')
      await two.says('leader one')
      t.false(two.lines.includes('leading'))
      t.is(await holder(), 'one')
      one.child.kill('SIGKILL')
      await two.says('leading')
      t.is(await holder(), 'two')
      two.child.kill('SIGTERM')
      await two.says('stopped')
      await two.ended
      t.is(await holder(), '')
      await start('three').says('leading')
    },
  )

  anyTest('a manager of controller-runtime keeps a status, owned objects, a finalizer and events', async t => {
    const { api, kubeconfig } = await serveThings(t)
    const program = startProgram(t, manager, kubeconfig, 'default', group)
    await program.says('started')
    await api.post(things, thing('a', 3))
    await program.says('reconciled a 3')
    const made = await until('a ready thing', async () => {
      const { body } = await api.get(`${things}/a`)
      return body.status?.ready === true && body
    })
    t.deepEqual(made.metadata.finalizers, ['skystead.test/manager'])
    const owned = (await api.get(`${configMaps}/a`)).body
    t.deepEqual(owned.data, { size: '3' })
    t.is(owned.metadata.ownerReferences[0].uid, made.metadata.uid)
    await api.patch(`${things}/a`, 'merge', { spec: { size: 4 } })
    await program.says('reconciled a 4')
    await api.remove(`${configMaps}/a`)
    await until('the owned object again', async () => (await api.get(`${configMaps}/a`)).body.data?.size === '4')
    await until('an event', async () => {
      const { body } = await api.get('/apis/events.k8s.io/v1/namespaces/default/events')
      return body.items.some((event: { reason: string }) => event.reason === 'Copied')
    })
    await api.remove(`${things}/a`)
    await program.says('finalized a')
    await until('nothing', async () => (await api.get(`${things}/a`)).status === 404)
    t.is((await api.get(`${configMaps}/a`)).status, 404)
    program.child.kill('SIGTERM')
    t.is(await program.ended, 0, program.lines.join('\n'))
  })
}
