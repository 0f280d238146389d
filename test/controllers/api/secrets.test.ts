import test from 'ava'
import { secretReader } from '../../../controllers/api/secrets.ts'

test('a Secret of the control plane is read anew each time, decoded', async t => {
  let password = 'b2xk'
  const asked: unknown[] = []
  const read = secretReader({
    get: (async (_kind: unknown, name: string, namespace: string) => {
      asked.push([namespace, name])
      return { data: { username: 'YWRtaW4=', password } }
    }) as never,
  })
  t.deepEqual(await read('bmc-1'), { username: 'admin', password: 'old' })
  password = 'bmV3'
  t.deepEqual(await read('bmc-1'), { username: 'admin', password: 'new' })
  t.deepEqual(asked, [
    ['skystead-system', 'bmc-1'],
    ['skystead-system', 'bmc-1'],
  ])
})

test('a Secret that is missing is told by its name', async t => {
  const read = secretReader({ get: (async () => undefined) as never })
  await t.throwsAsync(read('bmc-1'), {
    code: 'Unauthenticated',
    message: 'Cannot sign in: Secret "skystead-system/bmc-1" does not exist',
  })
})
