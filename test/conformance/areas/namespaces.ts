import { deepEqual, equal, ok } from 'node:assert/strict'
import type { Bench } from '../case.ts'
import { area, failure, like } from '../case.ts'
import { configMap, widget, widgets } from '../definitions.ts'

const wait = 'example.com/wait'

/** The path of a namespace with one ConfigMap `held`, which a finalizer holds back, in it. */
async function terminating(bench: Bench): Promise<string> {
  const path = `/api/v1/namespaces/${await bench.namespace()}`
  await bench.api.post(`${path}/configmaps`, configMap('held', {}, { finalizers: [wait] }))
  await bench.api.remove(path)
  return path
}

async function release(bench: Bench, path: string): Promise<void> {
  await bench.api.patch(`${path}/configmaps/held`, 'merge', { metadata: { finalizers: null } })
}

export const namespaceDeletion = area('namespace deletion', {
  'a namespace is answered as terminating': async bench => {
    const name = await bench.namespace()
    const { status, body } = await bench.api.remove(`/api/v1/namespaces/${name}`)
    equal(status, 200)
    like(body, {
      kind: 'Namespace',
      metadata: { name },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Terminating' },
    })
    ok(body.metadata.deletionTimestamp)
  },

  'a namespace takes all that is in it with it': async bench => {
    const path = await bench.install(widgets)
    const namespace = `/api/v1/namespaces/${await bench.namespace()}`
    await bench.api.post(path, widget('a'))
    await bench.api.post(`${namespace}/configmaps`, configMap('a'))
    await bench.api.remove(namespace)
    await bench.until('the end of the namespace', async () => (await bench.api.get(namespace)).status === 404)
    equal((await bench.api.get(`${path}/a`)).status, 404)
    equal((await bench.api.get(`${namespace}/configmaps/a`)).status, 404)
  },

  'nothing is created in a namespace that is going': async bench => {
    const path = await terminating(bench)
    const name = await bench.namespace()
    const { status, body } = await bench.api.post(`${path}/configmaps`, configMap('late'))
    equal(status, 403)
    deepEqual(
      body,
      failure({
        message: `configmaps "late" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
        reason: 'Forbidden',
        details: {
          name: 'late',
          kind: 'configmaps',
          causes: [
            {
              reason: 'NamespaceTerminating',
              message: `namespace ${name} is being terminated`,
              field: 'metadata.namespace',
            },
          ],
        },
        code: 403,
      }),
    )
    await release(bench, path)
  },

  'nothing is applied anew in a namespace that is going': async bench => {
    const path = await terminating(bench)
    const { status, body } = await bench.api.apply(`${path}/configmaps/late`, configMap('late'))
    equal(status, 403)
    equal(body.details.causes[0].reason, 'NamespaceTerminating')
    await release(bench, path)
  },

  'what is left in a namespace that is going may be changed': async bench => {
    const path = await terminating(bench)
    const { status } = await bench.api.patch(`${path}/configmaps/held`, 'merge', { data: { x: '1' } })
    equal(status, 200)
    await release(bench, path)
  },

  'a namespace that is going may be deleted again': async bench => {
    const path = await terminating(bench)
    const { status, body } = await bench.api.remove(path)
    equal(status, 200)
    equal(body.status.phase, 'Terminating')
    await release(bench, path)
  },

  'a namespace says what it waits for, and goes when that has gone': async bench => {
    const path = await terminating(bench)
    const conditions = await bench.until('the condition', async () => {
      const { body } = await bench.api.get(path)
      const found = body.status.conditions?.filter((each: { status: string }) => each.status === 'True')
      return found?.length === 2 && found
    })
    const said = Object.fromEntries(
      conditions.map((each: { type: string; reason: string; message: string }) => [
        each.type,
        [each.reason, each.message],
      ]),
    )
    deepEqual(said, {
      NamespaceContentRemaining: [
        'SomeResourcesRemain',
        'Some resources are remaining: configmaps. has 1 resource instances',
      ],
      NamespaceFinalizersRemaining: [
        'SomeFinalizersRemain',
        `Some content in the namespace has finalizers remaining: ${wait} in 1 resource instances`,
      ],
    })
    await release(bench, path)
    await bench.until('the end of the namespace', async () => (await bench.api.get(path)).status === 404)
  },

  'the namespaces of the system stay': async bench => {
    for (const name of ['default', 'kube-system']) {
      const { status, body } = await bench.api.remove(`/api/v1/namespaces/${name}`)
      equal(status, 403)
      like(body, {
        reason: 'Forbidden',
        message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
        details: { name, kind: 'namespaces' },
      })
    }
  },

  'namespaces are not deleted all at once': async bench => {
    const { status, body } = await bench.api.call('DELETE', '/api/v1/namespaces')
    equal(status, 405)
    equal(body.message, 'the server does not allow this method on the requested resource')
  },
})
