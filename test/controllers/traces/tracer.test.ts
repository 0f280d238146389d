import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { realEnvironment } from '../../../cli/environment.ts'
import { collectorExporter } from '../../../controllers/traces/otlp.ts'
import type { Span } from '../../../controllers/traces/span.ts'
import { createTracer, type SpanExporter } from '../../../controllers/traces/tracer.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { listeningLogger } from '../observation/fake-driver.ts'

const operation = {
  operation: 'm/StartMachine/0000000000000000',
  verb: 'StartMachine',
  endpoint: 'Host/a',
  endpointName: 'host-1',
  identity: 'm',
  requester: { kind: 'VirtualMachine', namespace: 'shop', name: 'web-1', uid: 'u', generation: 3 },
} as const

function bench(send?: SpanExporter) {
  const environment = virtualEnvironment()
  const spans: Span[] = []
  const { lines, logger } = listeningLogger()
  let dropped = 0
  const tracer = createTracer({
    environment,
    logger,
    export: send ?? (async batch => void spans.push(...batch)),
    metrics: {
      spansDropped(count) {
        dropped += count
      },
    },
  })
  return { environment, spans, lines, tracer, dropped: () => dropped }
}

test('an operation is a child of the pass that asked for it, though it outlives the pass', async t => {
  const { environment, spans, tracer } = bench()
  const endPass = tracer.passBegan('VirtualMachine', 'shop/web-1')
  const follower = tracer.accepted(operation)
  await environment.advance(5)
  endPass({ outcome: 'success', reason: 'Starting' })
  await environment.advance(5)
  follower.began()
  await environment.advance(500)
  follower.ended({ outcome: 'Timeout', message: 'no answer' })
  await environment.advance(2_000)
  const [pass, child] = spans
  t.like(pass, {
    name: 'reconcile VirtualMachine',
    attributes: {
      'skystead.kind': 'VirtualMachine',
      'skystead.namespace': 'shop',
      'skystead.name': 'web-1',
      'skystead.outcome': 'success',
      'skystead.reason': 'Starting',
    },
  })
  t.is(pass?.parentSpanId, undefined)
  t.is(child?.traceId, pass?.traceId)
  t.is(child?.parentSpanId, pass?.spanId)
  t.like(child, { name: 'StartMachine', error: 'no answer' })
  t.like(child?.attributes, {
    'skystead.verb': 'StartMachine',
    'skystead.endpoint': 'Host/a',
    'skystead.endpoint.name': 'host-1',
    'skystead.outcome': 'Timeout',
    'skystead.queued_ms': 10,
  })
  t.is((child?.endedAt ?? 0n) - (child?.startedAt ?? 0n), 510_000_000n)
  t.is((pass?.endedAt ?? 0n) - (pass?.startedAt ?? 0n), 5_000_000n)
  t.regex(`${pass?.traceId} ${pass?.spanId}`, /^[0-9a-f]{32} [0-9a-f]{16}$/)
})

test('the wall clock may jump: a span is as long as it took', async t => {
  const { environment, spans, tracer } = bench()
  const end = tracer.passBegan('Host', '/host-1')
  environment.shiftWall(-3_600_000)
  await environment.advance(7)
  end({ outcome: 'success' })
  await environment.advance(2_000)
  t.is((spans[0]?.endedAt ?? 0n) - (spans[0]?.startedAt ?? 0n), 7_000_000n)
  t.false('skystead.namespace' in (spans[0]?.attributes ?? {}))
})

test('a collector that is away costs spans and nothing else: a person is told once, and they are counted', async t => {
  let away = true
  const sent: Span[] = []
  const { environment, tracer, lines, dropped } = bench(async spans => {
    if (away) throw new Error('nobody there')
    sent.push(...spans)
  })
  for (let count = 0; count < 15_000; count++) tracer.passBegan('Host', `/host-${count}`)({ outcome: 'success' })
  await environment.advance(600_000)
  const lost = dropped()
  t.true(lost >= 5_000)
  t.is(lines.length, 1)
  away = false
  tracer.passBegan('Host', '/host-1')({ outcome: 'success' })
  await environment.advance(120_000)
  t.true(sent.length > 0)
  t.is(sent.length + dropped(), 15_001)
  t.is(environment.timers(), 0)
})

test('a stop sends what waits', async t => {
  const { environment, tracer, spans } = bench()
  tracer.passBegan('Host', '/host-1')({ outcome: 'success' })
  await environment.until(tracer.stop())
  t.is(spans.length, 1)
})

test('spans reach a collector as OTLP in JSON; one that refuses them is an error', async t => {
  const received: { readonly path: string | undefined; readonly body: string }[] = []
  let status = 200
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    received.push({ path: request.url, body: Buffer.concat(chunks).toString('utf8') })
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const send = collectorExporter({ url: `http://127.0.0.1:${port}/`, instance: 'one', environment: realEnvironment() })
  const span: Span = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    parentSpanId: '00f067aa0ba902b7',
    name: 'StartMachine',
    startedAt: 1_767_225_600_000_000_000n,
    endedAt: 1_767_225_600_250_000_000n,
    attributes: { 'skystead.name': 'web-1', 'skystead.generation': 3, 'skystead.queued_ms': 0.5 },
    error: 'no answer',
  }
  await send([span])
  t.is(received[0]?.path, '/v1/traces')
  t.deepEqual(JSON.parse(received[0]?.body ?? ''), {
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: 'skystead' } },
            { key: 'service.instance.id', value: { stringValue: 'one' } },
          ],
        },
        scopeSpans: [
          {
            scope: { name: 'skystead' },
            spans: [
              {
                traceId: '0af7651916cd43dd8448eb211c80319c',
                spanId: 'b7ad6b7169203331',
                parentSpanId: '00f067aa0ba902b7',
                name: 'StartMachine',
                kind: 1,
                startTimeUnixNano: '1767225600000000000',
                endTimeUnixNano: '1767225600250000000',
                attributes: [
                  { key: 'skystead.name', value: { stringValue: 'web-1' } },
                  { key: 'skystead.generation', value: { intValue: '3' } },
                  { key: 'skystead.queued_ms', value: { doubleValue: 0.5 } },
                ],
                status: { code: 2, message: 'no answer' },
              },
            ],
          },
        ],
      },
    ],
  })
  status = 503
  await t.throwsAsync(send([span]), { message: /the collector answers 503/ })
  server.closeAllConnections()
  server.close()
})
