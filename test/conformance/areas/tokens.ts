import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { area, type Bench, like } from '../case.ts'

const reviewsPath = '/apis/authentication.k8s.io/v1'

const request = (spec: object = {}) => ({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec })

/** Makes a service account `robot`, and answers with the path of its tokens. */
async function makeAccount(bench: Bench): Promise<string> {
  const path = `/api/v1/namespaces/${await bench.namespace()}/serviceaccounts`
  await bench.api.post(path, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } })
  return `${path}/robot/token`
}

async function whoIs(bench: Bench, token: string) {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  const headers = { authorization: `Bearer ${token}` }
  return await bench.api.post(`${reviewsPath}/selfsubjectreviews`, review, { headers })
}

export const tokens = area('tokens', {
  'a token of a service account is issued for a time': async bench => {
    const path = await makeAccount(bench)
    const { status, body } = await bench.api.post(path, request({ expirationSeconds: 1_200 }))
    equal(status, 201)
    like(body, { kind: 'TokenRequest', metadata: { name: 'robot' }, spec: { expirationSeconds: 1_200 } })
    match(body.status.token, /^[\w-]+\.[\w-]+\.[\w-]+$/)
    const life = Date.parse(body.status.expirationTimestamp) - Date.now()
    ok(life > 1_100_000 && life < 1_300_000, `${life} ms`)
  },

  'a token without wishes lasts an hour, for whoever asks the API': async bench => {
    const { body } = await bench.api.post(await makeAccount(bench), request())
    equal(body.spec.expirationSeconds, 3_600)
    equal(body.spec.audiences.length, 1)
  },

  'whoever has the token is the account, in its groups': async bench => {
    const { body } = await bench.api.post(await makeAccount(bench), request())
    const { status, body: review } = await whoIs(bench, body.status.token)
    equal(status, 201)
    const namespace = await bench.namespace()
    equal(review.status.userInfo.username, `system:serviceaccount:${namespace}:robot`)
    deepEqual(review.status.userInfo.groups, [
      'system:serviceaccounts',
      `system:serviceaccounts:${namespace}`,
      'system:authenticated',
    ])
  },

  'the account has no rights that nobody gave it': async bench => {
    const { body } = await bench.api.post(await makeAccount(bench), request())
    const headers = { authorization: `Bearer ${body.status.token}` }
    const { status, body: refusal } = await bench.api.get('/api/v1/secrets', { headers })
    equal(status, 403)
    match(refusal.message, /User "system:serviceaccount:[^"]+:robot" cannot list resource "secrets"/)
  },

  'a token of an account that is gone is nobody’s': async bench => {
    const path = await makeAccount(bench)
    const { body } = await bench.api.post(path, request())
    await bench.api.remove(path.replace(/\/token$/, ''))
    await bench.until('the refusal', async () => (await whoIs(bench, body.status.token)).status === 401)
  },

  'a token of an account that was made anew is nobody’s': async bench => {
    const path = await makeAccount(bench)
    const { body } = await bench.api.post(path, request())
    await bench.api.remove(path.replace(/\/token$/, ''))
    await makeAccount(bench)
    await bench.until('the refusal', async () => (await whoIs(bench, body.status.token)).status === 401)
  },

  'a changed token is nobody’s': async bench => {
    const { body } = await bench.api.post(await makeAccount(bench), request())
    const [head, claims, signature] = body.status.token.split('.')
    const read = JSON.parse(Buffer.from(claims, 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...read, exp: read.exp + 60 })).toString('base64url')
    equal((await whoIs(bench, `${head}.${forged}.${signature}`)).status, 401)
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
    equal((await whoIs(bench, `${none}.${claims}.`)).status, 401)
  },

  'a token for others is not taken by the API': async bench => {
    const { body } = await bench.api.post(await makeAccount(bench), request({ audiences: ['vault'] }))
    deepEqual(body.spec.audiences, ['vault'])
    equal((await whoIs(bench, body.status.token)).status, 401)
  },

  'a token review says whose a token is': async bench => {
    const { body } = await bench.api.post(await makeAccount(bench), request())
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: body.status.token } }
    const { status, body: answer } = await bench.api.post(`${reviewsPath}/tokenreviews`, review)
    equal(status, 201)
    const username = `system:serviceaccount:${await bench.namespace()}:robot`
    like(answer.status, { authenticated: true, user: { username } })
  },

  'a token review of a wrong token says so': async bench => {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'wrong' } }
    const { body } = await bench.api.post(`${reviewsPath}/tokenreviews`, review)
    ok(body.status.authenticated !== true)
    deepEqual(body.status.user, {})
    ok(body.status.error.length > 0)
  },

  'a life of less than ten minutes is invalid': async bench => {
    const { status, body } = await bench.api.post(await makeAccount(bench), request({ expirationSeconds: 599 }))
    equal(status, 422)
    like(body, { details: { causes: [{ reason: 'FieldValueInvalid', field: 'spec.expirationSeconds' }] } })
    match(body.message, /may not specify a duration less than 10 minutes/)
  },

  'an account that is not there has no tokens': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/serviceaccounts/none/token`
    const { status, body } = await bench.api.post(path, request())
    equal(status, 404)
    like(body, { reason: 'NotFound', message: 'serviceaccounts "none" not found' })
  },

  'tokens are found by discovery': async bench => {
    const { body } = await bench.api.get('/api/v1')
    const found = body.resources.find((each: { name: string }) => each.name === 'serviceaccounts/token')
    like(found, { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', verbs: ['create'] })
  },

  'tokens cannot be read': async bench => {
    const { status } = await bench.api.get(await makeAccount(bench))
    equal(status, 405)
  },
})
