import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest from 'ava'
import { createAuthority, issueClient, issueServer } from '../../apiserver/serving/certificates.ts'
import { type RunningServer, serve } from '../../apiserver/serving/serve.ts'
import { type ApiAccess, openApi } from '../../cli/api-access.ts'
import { realEnvironment } from '../../cli/environment.ts'
import { askControllers } from '../../cli/query-client.ts'
import { queryEndpointOfHome } from '../../cli/query-endpoint.ts'
import { loadKubeConfig } from '../../controllers/api/kube-config.ts'
import { install } from '../../controllers/install.ts'
import { createLogger } from '../../controllers/log.ts'
import { publishQueryAddress, queryAddresses, withdrawQueryAddress } from '../../controllers/query/publication.ts'
import { QueryError } from '../../controllers/query/route.ts'
import { type QueryServer, startQueryServer } from '../../controllers/query/server.ts'

/** One server for all: in the order in which they stand. */
const test = anyTest.serial

const environment = realEnvironment()
const home = mkdtempSync(join(tmpdir(), 'skystead-query-'))
let api: RunningServer
let access: ApiAccess
let server: QueryServer
let authority: string

anyTest.before(async () => {
  api = await serve({ home, environment })
  access = openApi({ home }, environment)
  await install(access.client, [], environment)
  const endpoint = queryEndpointOfHome(home, 0, environment)
  authority = endpoint.authority
  server = await startQueryServer({
    ...endpoint,
    // The routes under test read nothing.
    sources: { environment, installation: 'i' } as never,
    client: access.client,
    logger: createLogger({ level: 'silent', clock: environment.clock }),
    routes: [
      { path: '/echo', answer: query => ({ word: query.get('word') }) },
      {
        path: '/never',
        answer: () => {
          throw new QueryError(404, 'Cannot tell: there is no such thing')
        },
      },
      {
        path: '/broken',
        answer: () => {
          throw new Error('secret of the inside')
        },
      },
    ],
  })
})

anyTest.after.always(async () => {
  await server?.close()
  await access?.[Symbol.asyncDispose]()
  await api?.close()
  rmSync(home, { recursive: true, force: true })
})

async function raw(
  path: string,
  options: { readonly method?: string; readonly token?: string; readonly cert?: string; readonly key?: string } = {},
): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const { token, ...rest } = options
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const identity = { ca: authority, servername: 'skystead-query', agent: false, headers }
  const sent = request(`${server.url}${path}`, { ...rest, ...identity }).end()
  const [response] = await once(sent, 'response')
  let body = ''
  for await (const chunk of response) body += chunk
  return { status: response.statusCode, body }
}

test('while no endpoint is published, a command says in one line what to start', async t => {
  await t.throwsAsync(askControllers(access, '/echo', environment), {
    message: /^Cannot ask the controllers: none is published; do they run/,
  })
})

test('an answer comes over TLS for the certificate of the kubeconfig, found through the Lease', async t => {
  await publishQueryAddress(access.client, { replica: 'local', url: server.url, authority })
  t.deepEqual(await queryAddresses(access.client), [{ replica: 'local', url: server.url, authority }])
  t.deepEqual(await askControllers(access, '/echo?word=cloud', environment), [{ word: 'cloud' }])
})

test('a bearer token that the API knows is let in; a wrong one, or none, is refused', async t => {
  const config = loadKubeConfig(api.kubeconfigPath)
  const token = config.getUsers().find(({ name }) => name === 'skystead-token')?.token ?? ''
  t.like(await raw('/echo?word=x', { token }), { status: 200, body: '{"word":"x"}' })
  t.is((await raw('/echo', { token: 'wrong' })).status, 401)
  t.is((await raw('/echo')).status, 401)
})

test('a user whom the API does not let get the URL is refused by name; a certificate of another authority is nobody', async t => {
  const { authorityOf } = await import('../../apiserver/serving/home.ts')
  const known = issueClient(authorityOf(home, environment), { name: 'visitor' }, environment)
  const refused = await raw('/echo', { cert: known.certificate, key: known.key })
  t.is(refused.status, 403)
  t.regex(refused.body, /user visitor may not get \/skystead\/echo/)
  const foreign = issueClient(createAuthority(environment), { name: 'admin', groups: ['system:masters'] }, environment)
  t.is((await raw('/echo', { cert: foreign.certificate, key: foreign.key })).status, 401)
})

test('only GET is served, unknown paths name what is served, and an inner error tells nothing of itself', async t => {
  const config = loadKubeConfig(api.kubeconfigPath)
  const token = config.getUsers().find(({ name }) => name === 'skystead-token')?.token ?? ''
  t.is((await raw('/echo', { token, method: 'POST' })).status, 405)
  const unknown = await raw('/nothing', { token })
  t.is(unknown.status, 404)
  t.regex(unknown.body, /served are \/echo, \/never, \/broken/)
  t.like(JSON.parse((await raw('/never', { token })).body), {
    code: 404,
    message: 'Cannot tell: there is no such thing',
  })
  const broken = await raw('/broken', { token })
  t.is(broken.status, 500)
  t.false(broken.body.includes('secret'))
  await t.throwsAsync(askControllers(access, '/never', environment), {
    message: /^The controllers refuse: Cannot tell/,
  })
})

test('a replica that ended suddenly is passed over while another answers, and named when none does', async t => {
  await publishQueryAddress(access.client, { replica: 'gone', url: 'https://127.0.0.1:9', authority })
  t.deepEqual(await askControllers(access, '/echo?word=still', environment), [{ word: 'still' }])
  await withdrawQueryAddress(access.client, 'local')
  await t.throwsAsync(askControllers(access, '/echo', environment), { message: /https:\/\/127\.0\.0\.1:9 is silent/ })
  await withdrawQueryAddress(access.client, 'gone')
  await withdrawQueryAddress(access.client, 'gone')
  t.deepEqual(await queryAddresses(access.client), [])
})

test('a server under another name, or of another authority, is not trusted', async t => {
  const impostor = createAuthority(environment)
  const { certificate, key } = issueServer(impostor, ['skystead-query'], environment)
  const impostorServer = await startQueryServer({
    port: 0,
    certificate,
    key,
    authority: impostor.certificate,
    sources: {} as never,
    client: access.client,
    logger: createLogger({ level: 'silent', clock: environment.clock }),
    routes: [{ path: '/echo', answer: () => 'lie' }],
  })
  await publishQueryAddress(access.client, { replica: 'local', url: impostorServer.url, authority })
  await t.throwsAsync(askControllers(access, '/echo', environment), { message: /is silent/ })
  await impostorServer.close()
})
