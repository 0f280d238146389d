import type { Environment, Timer } from '../../crds/environment.ts'
import type { Logger } from '../log.ts'
import type { AcceptedOperation, OperationEnd, OperationFollower, OperationListener } from '../observation/hooks.ts'
import type { Span } from './span.ts'

/** Where spans go. */
export type SpanExporter = (spans: readonly Span[]) => Promise<void>

/** Options of a tracer. */
export interface TracerOptions {
  readonly environment: Environment
  readonly export: SpanExporter
  readonly logger: Pick<Logger, 'info' | 'warn'>
  readonly metrics?: { spansDropped(count: number): void }
}

/** How a pass ended. */
export interface PassEnd {
  /** `success`, `error`, `requeue`, `requeue_after`. */
  readonly outcome: string
  /** The reason of the object's condition Ready; left out where it has none. */
  readonly reason?: string | undefined
  readonly error?: unknown
}

/** Tells what the control plane does as traces: a span for each pass, and in it one for each operation that it asked for. */
export interface Tracer extends OperationListener {
  /** A pass over an object begins; call what comes back when it ends. `key`: `namespace/name`. */
  passBegan(kind: string, key: string): (end: PassEnd) => void
  /** Sends what is waiting, for two seconds at most. */
  stop(): Promise<void>
}

/** How long spans are gathered before they are sent, in ms. */
const gathering = 1_000
/** How many are sent at once, and how many may wait: more than that are dropped. */
const [batchSize, mostWaiting] = [1_000, 10_000]
/** Pauses after failures, in ms: doubled each time. */
const pauses = { first: 1_000, most: 60_000 }
const stopGrace = 2_000

interface OpenSpan extends Omit<Span, 'endedAt' | 'attributes' | 'error'> {
  readonly monotonic: number
}

/** Makes a tracer. Nobody waits for it: what cannot be sent is dropped and counted. */
export function createTracer({ environment, export: send, logger, metrics }: TracerOptions): Tracer {
  const { clock, random } = environment
  /** The pass that runs, by `<kind>|<key>`: an object has one at a time. */
  const passes = new Map<string, OpenSpan>()
  let waiting: Span[] = []
  let planned: Timer | undefined
  let sending: Promise<void> | undefined
  let failures = 0
  let stopped = false

  function begin(name: string, parent: OpenSpan | undefined): OpenSpan {
    const startedAt = BigInt(Math.floor(clock.now())) * 1_000_000n
    const traceId = parent?.traceId ?? hex(32)
    const own = { traceId, spanId: hex(16), name, startedAt, monotonic: clock.monotonic() }
    return parent === undefined ? own : { ...own, parentSpanId: parent.spanId }
  }

  function hex(digits: number): string {
    return random.uuid().replaceAll('-', '').slice(-digits)
  }

  function end(open: OpenSpan, attributes: Span['attributes'], error: string | undefined): void {
    const { monotonic, ...span } = open
    const elapsed = BigInt(Math.round((clock.monotonic() - monotonic) * 1_000_000))
    add({ ...span, endedAt: span.startedAt + elapsed, attributes, ...(error === undefined ? {} : { error }) })
  }

  function add(span: Span): void {
    if (stopped) return
    if (waiting.length >= mostWaiting) {
      metrics?.spansDropped(1)
      return
    }
    waiting.push(span)
    plan()
  }

  function plan(): void {
    if (planned !== undefined || sending !== undefined || waiting.length === 0 || stopped) return
    const pause = failures === 0 ? gathering : Math.min(pauses.most, pauses.first * 2 ** failures)
    planned = clock.after(pause, () => {
      planned = undefined
      sending = sendAll().finally(() => {
        sending = undefined
        plan()
      })
    })
  }

  async function sendAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchSize)
      waiting = waiting.slice(batchSize)
      try {
        await send(batch)
        if (failures > 0) logger.info({}, 'spans are sent again')
        failures = 0
      } catch (error) {
        metrics?.spansDropped(batch.length)
        if (failures === 0) logger.warn({ err: error }, 'spans cannot be sent; they are dropped')
        failures++
        return
      }
    }
  }

  return {
    passBegan(kind, key) {
      const id = `${kind}|${key}`
      const open = begin(`reconcile ${kind}`, undefined)
      passes.set(id, open)
      return ({ outcome, reason, error }) => {
        passes.delete(id)
        const [namespace = '', name = ''] = key.split('/')
        const attributes = {
          ...subject(kind, namespace, name),
          'skystead.outcome': outcome,
          ...(reason === undefined ? {} : { 'skystead.reason': reason }),
        }
        end(open, attributes, error === undefined ? undefined : messageOf(error))
      }
    },
    accepted(operation: AcceptedOperation): OperationFollower {
      const { kind, namespace = '', name, generation } = operation.requester
      const open = begin(operation.verb, passes.get(`${kind}|${namespace}/${name}`))
      let queuedMs = 0
      return {
        began() {
          queuedMs = clock.monotonic() - open.monotonic
        },
        ended({ outcome, message }: OperationEnd) {
          const attributes = {
            ...subject(kind, namespace, name),
            'skystead.generation': generation,
            'skystead.operation': operation.operation,
            'skystead.verb': operation.verb,
            'skystead.endpoint': operation.endpoint,
            'skystead.endpoint.name': operation.endpointName,
            'skystead.queued_ms': queuedMs,
            'skystead.outcome': outcome,
          }
          end(open, attributes, outcome === 'Succeeded' ? undefined : (message ?? outcome))
        },
      }
    },
    async stop() {
      planned?.cancel()
      const last = (sending ?? Promise.resolve()).then(sendAll)
      stopped = true
      await new Promise<void>(resolve => {
        const grace = clock.after(stopGrace, resolve)
        void last.finally(() => {
          grace.cancel()
          resolve()
        })
      })
    },
  }
}

function subject(kind: string, namespace: string, name: string): Span['attributes'] {
  return {
    'skystead.kind': kind,
    ...(namespace === '' ? {} : { 'skystead.namespace': namespace }),
    'skystead.name': name,
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
