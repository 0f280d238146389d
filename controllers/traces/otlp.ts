import type { Environment } from '../../crds/environment.ts'
import type { Span } from './span.ts'
import type { SpanExporter } from './tracer.ts'

/** Options of the way to a collector. */
export interface CollectorOptions {
  /** Base URL of an OTLP/HTTP receiver, for example `http://127.0.0.1:4318`: spans go to its `/v1/traces`. */
  readonly url: string
  /** Names this process among its replicas. */
  readonly instance: string
  readonly environment: Pick<Environment, 'clock'>
}

/** How long a collector may take, in ms. */
const patience = 10_000
/** SPAN_KIND_INTERNAL and STATUS_CODE_ERROR of opentelemetry-proto. */
const [internal, failed] = [1, 2]

/**
 * Sends spans as OTLP/HTTP in JSON (opentelemetry.io/docs/specs/otlp, 1.0 and later). Rejects where the collector does
 * not take them.
 */
export function collectorExporter({ url, instance, environment }: CollectorOptions): SpanExporter {
  const target = `${url.replace(/\/+$/, '')}/v1/traces`
  return async spans => {
    const controller = new AbortController()
    const timer = environment.clock.after(patience, () => controller.abort(new Error(`no answer in ${patience} ms`)))
    try {
      const response = await fetch(target, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(otlpRequest(spans, instance)),
        signal: controller.signal,
      })
      await response.arrayBuffer()
      if (!response.ok) throw new Error(`Cannot send spans: the collector answers ${response.status}`)
    } finally {
      timer.cancel()
    }
  }
}

/** An ExportTraceServiceRequest in OTLP's JSON: ids in hex, 64-bit numbers as texts. */
export function otlpRequest(spans: readonly Span[], instance: string): object {
  const resource = { attributes: attributesOf({ 'service.name': 'skystead', 'service.instance.id': instance }) }
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'skystead' }, spans: spans.map(spanOf) }] }] }
}

function spanOf({ traceId, spanId, parentSpanId, name, startedAt, endedAt, attributes, error }: Span): object {
  return {
    traceId,
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind: internal,
    startTimeUnixNano: String(startedAt),
    endTimeUnixNano: String(endedAt),
    attributes: attributesOf(attributes),
    ...(error === undefined ? {} : { status: { code: failed, message: error } }),
  }
}

function attributesOf(attributes: Span['attributes']): readonly object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }))
}

function anyValue(value: string | number): object {
  if (typeof value === 'string') return { stringValue: value }
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}
