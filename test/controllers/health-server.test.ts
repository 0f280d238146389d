import { once } from 'node:events'
import { request } from 'node:http'
import test from 'ava'
import { startHealthServer } from '../../controllers/health-server.ts'
import { createMetrics } from '../../controllers/metrics.ts'
import { virtualEnvironment } from '../../drivers/simulator/virtual-clock.ts'

const { clock } = virtualEnvironment()

async function ask(
  url: string,
  method = 'GET',
): Promise<{ status: number | undefined; type: string | undefined; body: string }> {
  const sent = request(url, { method, agent: false }).end()
  const [response] = await once(sent, 'response')
  let body = ''
  for await (const chunk of response) body += chunk
  return { status: response.statusCode, type: response.headers['content-type'], body }
}

test('it serves health, readiness and figures on any free port of the loopback', async t => {
  const metrics = createMetrics({ clock })
  metrics.panic('Host')
  let problem: string | undefined = 'the cache of Host is not filled'
  const server = await startHealthServer({
    port: 0,
    health: { queue: () => undefined },
    readiness: { caches: () => problem, api: async () => undefined },
    metrics,
  })
  t.regex(server.url, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/)
  t.like(await ask(`${server.url}/healthz`), { status: 200, body: '[+]queue ok\nok\n' })
  t.like(await ask(`${server.url}/readyz`), {
    status: 503,
    body: '[-]caches: the cache of Host is not filled\n[+]api ok\nfailed\n',
  })
  problem = undefined
  t.like(await ask(`${server.url}/readyz?verbose`), { status: 200 })
  const figures = await ask(`${server.url}/metrics`)
  t.regex(figures.type ?? '', /^text\/plain; version=0\.0\.4/)
  t.regex(figures.body, /controller_runtime_reconcile_panics_total\{controller="Host"\} 1/)
  t.like(await ask(`${server.url}/other`), { status: 404 })
  t.like(await ask(`${server.url}/healthz`, 'POST'), { status: 405 })
  await server.close()
  await t.throwsAsync(ask(`${server.url}/healthz`), { code: 'ECONNREFUSED' })
})

test('a check that throws is a failed check', async t => {
  const server = await startHealthServer({
    port: 0,
    health: {
      broken: () => {
        throw new Error('no answer')
      },
    },
    metrics: createMetrics({ clock }),
  })
  t.like(await ask(`${server.url}/healthz`), { status: 503, body: '[-]broken: no answer\nfailed\n' })
  await server.close()
})

test('figures that fail are answered with 500, not with a crash', async t => {
  const server = await startHealthServer({
    port: 0,
    metrics: { contentType: 'text/plain', text: () => Promise.reject(new Error('no figures')) },
  })
  t.like(await ask(`${server.url}/metrics`), { status: 500, body: 'Cannot answer /metrics: no figures\n' })
  await server.close()
})

test('a taken port is named in one clear line', async t => {
  const metrics = createMetrics({ clock })
  const first = await startHealthServer({ port: 0, metrics })
  await t.throwsAsync(startHealthServer({ port: first.port, metrics }), {
    message: `Cannot serve metrics and health on 127.0.0.1:${first.port}: the port is taken by another program`,
  })
  await first.close()
})
