/** What the API has stored, as its log was told: independent of every cache. */
import type { LogRecord } from '../../apiserver/storage/durable-log.ts'
import type { Resource } from '../../crds/meta.ts'

/** Our kinds' groups end so. */
const ours = '.skystead.dev'

/** The stored objects, by resource and key. Parsed when they are asked for. */
export class Stored {
  readonly #tables = new Map<string, Map<string, Uint8Array | Resource>>()
  readonly #definitions = new Set<string>()
  /** How many writes of objects of our kinds there were. */
  writes = 0
  /** The latest of them, for people. */
  readonly latest: string[] = []

  /** Takes in a write. */
  take({ resource, key, value }: LogRecord): void {
    if (resource.startsWith('customresourcedefinitions.') && value !== undefined) this.#definitions.add(key)
    if (!resource.endsWith(ours)) return
    this.writes++
    if (this.latest.push(`${resource} ${key}${value === undefined ? ' deleted' : ''}`) > 40) this.latest.shift()
    const table = this.#table(resource)
    if (value === undefined) table.delete(key)
    else table.set(key, value)
  }

  /** Forgets everything. */
  clear(): void {
    this.#tables.clear()
    this.#definitions.clear()
  }

  /** How many kinds the API has been given definitions of. */
  get definitions(): number {
    return this.#definitions.size
  }

  /** All objects of a resource (`hosts.infrastructure`). */
  all<T extends Resource = Resource>(resource: string): readonly T[] {
    const table = this.#table(`${resource}${ours}`)
    return [...table.keys()].map(key => this.#parsed(table, key) as T)
  }

  /** All objects of our kinds. */
  everything(): readonly Resource[] {
    return [...this.#tables.values()].flatMap(table => [...table.keys()].flatMap(key => this.#parsed(table, key) ?? []))
  }

  /** Whether there is an object of that name in no namespace. */
  has(resource: string, name: string): boolean {
    return this.#table(`${resource}${ours}`).has(name)
  }

  /** The object of that name in no namespace. */
  get<T extends Resource = Resource>(resource: string, name: string): T | undefined {
    return this.#parsed(this.#table(`${resource}${ours}`), name) as T | undefined
  }

  /** How many objects of ours there are. */
  get size(): number {
    return [...this.#tables.values()].reduce((sum, table) => sum + table.size, 0)
  }

  #table(resource: string): Map<string, Uint8Array | Resource> {
    const known = this.#tables.get(resource)
    if (known !== undefined) return known
    const table = new Map<string, Uint8Array | Resource>()
    this.#tables.set(resource, table)
    return table
  }

  #parsed(table: Map<string, Uint8Array | Resource>, key: string): Resource | undefined {
    const value = table.get(key)
    if (!(value instanceof Uint8Array)) return value
    const object: Resource = JSON.parse(Buffer.from(value).toString('utf8'))
    table.set(key, object)
    return object
  }
}
