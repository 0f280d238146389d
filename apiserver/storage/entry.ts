import type { APIObject } from '../api-object.ts'
import { deepFreeze } from '../api-object.ts'
import { encode } from '../api-request.ts'
import type { Range } from './member-range.ts'
import { memberRange } from './member-range.ts'
import { withSharedFields } from './shared-fields.ts'

/** One version of one stored object: encoded once, parsed when somebody asks. */
export class Entry {
  /** The stored resource: `plural.group`, or `plural` in the core group. */
  readonly resource: string
  /** `namespace/name`, or `name` for what has no namespace. */
  readonly key: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly version: number
  readonly bytes: Buffer
  #object: APIObject | undefined
  #metadata: Range | undefined

  constructor(resource: string, key: string, version: number, content: { object: APIObject } | { bytes: Buffer }) {
    const object = 'object' in content ? deepFreeze(withSharedFields(content.object)) : parse(content.bytes)
    this.resource = resource
    this.key = key
    this.version = version
    this.namespace = object.metadata.namespace ?? ''
    this.name = object.metadata.name
    this.uid = object.metadata.uid ?? ''
    this.bytes = 'bytes' in content ? content.bytes : encode(JSON.stringify(object))
    this.#object = object
  }

  /** The object, deeply frozen. */
  get object(): APIObject {
    return this.#object ?? parse(this.bytes)
  }

  /** The object's metadata as it stands in the bytes: rows and metadata lists are made of it without encoding it again. */
  get metadata(): Buffer {
    this.#metadata ??= memberRange(this.bytes, 'metadata') ?? { start: 0, end: 0 }
    return this.bytes.subarray(this.#metadata.start, this.#metadata.end)
  }

  /** Lets go of everything but the bytes: for versions that only a late watcher may still ask for. */
  release(): void {
    this.#object = undefined
  }
}

function parse(bytes: Buffer): APIObject {
  return deepFreeze(withSharedFields(JSON.parse(bytes.toString())))
}
