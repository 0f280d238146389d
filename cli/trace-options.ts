import { hostname } from 'node:os'
import { InvalidArgumentError, Option } from 'commander'
import { collectorExporter } from '../controllers/traces/otlp.ts'
import type { SpanExporter } from '../controllers/traces/tracer.ts'
import type { Environment } from '../crds/environment.ts'

/** The option that says where traces are sent. */
export function tracesOption(): Option {
  return new Option(
    '--traces <url>',
    'send traces to this OTLP/HTTP receiver, for example http://127.0.0.1:4318',
  ).argParser(collectorURL)
}

/** The way to a receiver; this process is named by its machine and process id. */
export function collectorOf(url: string, environment: Environment): SpanExporter {
  return collectorExporter({ url, instance: `${hostname()}-${process.pid}`, environment })
}

function collectorURL(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new InvalidArgumentError('It must be a URL such as http://127.0.0.1:4318.')
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidArgumentError('It must hold no password: everybody on this machine can read arguments.')
  }
  return text
}
