import { notAcceptable } from '../status-error.ts'

/** How the client wants its answer. */
export interface Accept {
  readonly format: 'json' | 'yaml'
  /** Objects as they are, as table rows, or only their metadata. */
  readonly as: 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'
  /** Version of the `as` kind (`v1`), or of discovery. */
  readonly version: string
  /** Discovery: group lists or the aggregated form. */
  readonly discovery: '' | 'v2' | 'v2beta1'
}

const plain: Accept = { format: 'json', as: 'object', version: '', discovery: '' }

/** The forms of OpenAPI v2. */
export type OpenAPIForm = 'json' | 'protobuf'

const openAPIForms: ReadonlyMap<string, OpenAPIForm> = new Map([
  ['application/com.github.proto-openapi.spec.v2@v1.0+protobuf', 'protobuf'],
  ['application/com.github.proto-openapi.spec.v2.v1.0+protobuf', 'protobuf'],
  ['application/json', 'json'],
  ['application/*', 'json'],
  ['*/*', 'json'],
])

interface MediaType {
  readonly type: string
  readonly parameters: Readonly<Record<string, string>>
}

const known = new Map<string, Accept>()

/** What to answer with, by the Accept header; throws a 406 where nothing fits. */
export function negotiate(header: string | undefined): Accept {
  if (header === undefined || header === '' || header === '*/*' || header === 'application/json') return plain
  const before = known.get(header)
  if (before !== undefined) return before
  const accept = choose(header)
  // Clients send a handful of headers; whoever sends thousands shall not fill the memory.
  if (known.size < 100) known.set(header, accept)
  return accept
}

/** In which form OpenAPI v2 is wished for, by the Accept header; undefined where it does not come so. */
export function negotiateOpenAPIv2(header = '*/*'): OpenAPIForm | undefined {
  return byQuality(header)
    .map(({ type }) => openAPIForms.get(type))
    .find(form => form !== undefined)
}

/** The one that is liked best, the first of several that are liked the same. */
function choose(header: string): Accept {
  for (const type of byQuality(header)) {
    const accept = acceptOf(type)
    if (accept !== undefined) return accept
  }
  throw notAcceptable(['application/json', 'application/yaml'])
}

function byQuality(header: string): readonly MediaType[] {
  const wished = header.split(',').map(parseMediaType)
  return wished.toSorted((left, right) => quality(right) - quality(left))
}

function quality({ parameters: { q } }: MediaType): number {
  const value = Number(q ?? 1)
  return Number.isNaN(value) ? 1 : value
}

function acceptOf({ type, parameters }: MediaType): Accept | undefined {
  const format = formatOf(type)
  if (format === undefined) return undefined
  const { as, g: group, v: version = '' } = parameters
  if (as === undefined) return { ...plain, format }
  if (as === 'APIGroupDiscoveryList') {
    if (group !== 'apidiscovery.k8s.io' || (version !== 'v2' && version !== 'v2beta1')) return undefined
    return { ...plain, format, discovery: version }
  }
  if (group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return undefined
  if (as !== 'Table' && as !== 'PartialObjectMetadata' && as !== 'PartialObjectMetadataList') return undefined
  return { ...plain, format, as, version }
}

function formatOf(type: string): Accept['format'] | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json'
  return type === 'application/yaml' ? 'yaml' : undefined
}

function parseMediaType(text: string): MediaType {
  const [type = '', ...rest] = text.split(';').map(part => part.trim())
  const parameters: Record<string, string> = {}
  for (const part of rest) {
    const equals = part.indexOf('=')
    if (equals > 0) parameters[part.slice(0, equals).trim()] = part.slice(equals + 1).trim()
  }
  return { type: type.toLowerCase(), parameters }
}
