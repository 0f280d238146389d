/** Documents that describe the server: discovery, OpenAPI, version. Made once for each state of the registry. */

import { createHash } from 'node:crypto'
import type { JSONObject } from '../api-object.ts'
import { reviews } from '../authorization/reviews.ts'
import { encodeOpenAPIv2, openAPIProtobuf } from '../openapi/protobuf-document.ts'
import { openAPIv3 } from '../openapi/version-three.ts'
import { openAPIv2 } from '../openapi/version-two.ts'
import type { Registry } from '../registry.ts'
import type { Accept, OpenAPIForm } from '../request/accept.ts'
import type { Group, GroupVersion } from './discovery.ts'
import { aggregated, coreVersions, groupDocument, groupList, groupsOf, resourceList } from './discovery.ts'

/** A document, and the media type that it must be announced as. */
export interface Document {
  readonly body: Buffer
  readonly type: string
  /** Changes with the content. */
  readonly etag: string
  /** By which the index names the document; undefined where it does not. */
  readonly hash?: string
}

/** `/version`: the Kubernetes version whose behaviour is served. */
export const versionDocument = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.3+skystead',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: 'linux/amd64',
}

/** Makes the documents of one registry. */
export class Documents {
  readonly #registry: Registry
  readonly #address: () => string
  readonly #made = new Map<string, Document | undefined>()
  #groups: readonly Group[] = []
  #revision = -1

  constructor(registry: Registry, address: () => string) {
    this.#registry = registry
    this.#address = address
  }

  /** The document at a path, undefined where there is none. */
  find(steps: readonly string[], accept: Accept): Document | undefined {
    this.#refresh()
    const key = `${steps.join('/')} ${accept.discovery}`
    if (this.#made.has(key)) return this.#made.get(key)
    const document = this.#make(steps, accept)
    // Paths that lead nowhere are not remembered: a client may ask for any number of them.
    if (document !== undefined) this.#made.set(key, document)
    return document
  }

  /** The OpenAPI v2 document: of all groups, in one of the forms that clients of it wish for. */
  openAPIv2(form: OpenAPIForm): Document {
    this.#refresh()
    const key = `openapi/v2 ${form}`
    const known = this.#made.get(key)
    if (known !== undefined) return known
    const definitions = this.#registry.all().map(({ definition }) => definition)
    const content = openAPIv2(definitions, versionDocument.gitVersion)
    const document =
      form === 'json' ? documentOf(content) : bytesOf(Buffer.from(encodeOpenAPIv2(content)), openAPIProtobuf)
    this.#made.set(key, document)
    return document
  }

  /** The paths of all documents but those about single groups of OpenAPI. */
  paths(): readonly string[] {
    this.#refresh()
    const groups = this.#groups.flatMap(({ name, versions }) => {
      const path = name === '' ? '/api' : `/apis/${name}`
      return [path, ...versions.map(({ version }) => `${path}/${version}`)]
    })
    return [...groups, '/apis', '/openapi/v2', '/openapi/v3']
  }

  #refresh(): void {
    if (this.#revision === this.#registry.revision) return
    this.#revision = this.#registry.revision
    this.#groups = groupsOf(this.#registry.all(), reviews)
    this.#made.clear()
  }

  #make(steps: readonly string[], accept: Accept): Document | undefined {
    const [root, first, second] = steps
    if (steps.length === 1 && (root === 'api' || root === 'apis')) return this.#root(root, accept)
    if (root === 'api' && steps.length === 2) return json(this.#version('', first), resourceList)
    if (root === 'apis' && steps.length === 2)
      return json(
        this.#groups.find(group => group.name === first),
        groupDocument,
      )
    if (root === 'apis' && steps.length === 3) return json(this.#version(first, second), resourceList)
    if (root === 'openapi' && first === 'v3') return this.#openAPI(steps.slice(2))
    return undefined
  }

  #root(root: string, accept: Accept): Document | undefined {
    const core = root === 'api'
    if (accept.discovery !== '') {
      const groups = this.#groups.filter(group => (group.name === '') === core)
      const type = `application/json;g=apidiscovery.k8s.io;v=${accept.discovery};as=APIGroupDiscoveryList`
      return documentOf(aggregated(groups, accept.discovery), type)
    }
    return documentOf(core ? coreVersions(this.#address()) : groupList(this.#groups))
  }

  #openAPI(steps: readonly string[]): Document | undefined {
    if (steps.length === 0) return documentOf(this.#openAPIIndex())
    const [root, first] = steps
    const isVersion = (root === 'api' && steps.length === 2) || (root === 'apis' && steps.length === 3)
    const content = isVersion ? this.#version(root === 'api' ? '' : first, steps.at(-1)) : undefined
    return content && { ...documentOf(openAPIDocument(content)), hash: hashOfContent(content) }
  }

  #openAPIIndex(): JSONObject {
    const versions = this.#groups.flatMap(group => group.versions)
    const paths = versions.map(content => {
      const path = content.group === '' ? `api/${content.version}` : `apis/${content.group}/${content.version}`
      return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hashOfContent(content)}` }] as const
    })
    return { paths: Object.fromEntries(paths) }
  }

  #version(group: string | undefined, version: string | undefined): GroupVersion | undefined {
    return this.#groups.find(each => each.name === group)?.versions.find(each => each.version === version)
  }
}

/** Covers what the OpenAPI document is made from: making every document for the index would be dear. */
function hashOfContent({ resources }: GroupVersion): string {
  return hashOf(JSON.stringify(resources.map(({ definition: { compiled, ...rest } }) => rest)))
}

function openAPIDocument({ group, version, resources }: GroupVersion): object {
  return openAPIv3(
    group,
    version,
    resources.map(resource => resource.definition),
  )
}

function json<T>(content: T | undefined, make: (content: T) => object): Document | undefined {
  return content === undefined ? undefined : documentOf(make(content))
}

function documentOf(content: object, type = 'application/json'): Document {
  return bytesOf(Buffer.from(JSON.stringify(content)), type)
}

function bytesOf(body: Buffer, type: string): Document {
  return { body, type, etag: `"${hashOf(body)}"` }
}

function hashOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex').toUpperCase()
}
