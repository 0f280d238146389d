import test from 'ava'
import { startServer, type TestServer } from '../core/harness.ts'

const accounts = '/api/v1/namespaces/default/serviceaccounts'

async function tokenOf({ post }: TestServer): Promise<string> {
  await post(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } })
  const spec = { expirationSeconds: 600 }
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }
  const { body } = await post(`${accounts}/robot/token`, request)
  return body.status.token
}

test('a token is known again and again, until it expires', async t => {
  const started = await startServer()
  const { server, environment } = started
  const token = await tokenOf(started)
  for (let time = 0; time < 3; time++) {
    t.like(await server.checkToken(token), { name: 'system:serviceaccount:default:robot' })
    await environment.advance(190_000)
  }
  await environment.advance(60_000)
  t.is(await server.checkToken(token), undefined)
})

test('a token that was known ends with its account, also when another of its name comes', async t => {
  const started = await startServer()
  const { server, post, remove } = started
  const token = await tokenOf(started)
  t.not(await server.checkToken(token), undefined)
  await remove(`${accounts}/robot`)
  t.is(await server.checkToken(token), undefined)
  await post(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } })
  t.is(await server.checkToken(token), undefined)
})

test('a token with another signature is not known, though its like was', async t => {
  const started = await startServer()
  const token = await tokenOf(started)
  t.not(await started.server.checkToken(token), undefined)
  const [head, claims, signature = ''] = token.split('.')
  const forged = `${head}.${claims}.${[...signature].reverse().join('')}`
  t.is(await started.server.checkToken(forged), undefined)
})
