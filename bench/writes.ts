import type { Transport } from '../controllers/api/transport.ts'
import type { Figures } from './measurement.ts'

/** Numbers of writes by what was written, for example `PATCH volumes/status`. */
export type Writes = Readonly<Record<string, number>>

/** Plural and subresource of an object's or a collection's path. */
const resourcePath = /^\/(?:api\/[^/]+|apis\/[^/]+\/[^/]+)\/(?:namespaces\/[^/]+\/)?([^/?]+)(?:\/[^/?]+)?(\/status)?/

/** Counts what is written on the way to an API. */
export class WriteCounter {
  readonly #counts = new Map<string, number>()

  /** The same transport, counted. */
  counted(transport: Transport): Transport {
    return {
      ...transport,
      request: request => {
        if (request.method !== 'GET') this.#count(`${request.method} ${resourceOf(request.path)}`)
        return transport.request(request)
      },
    }
  }

  /** Everything up to now. */
  all(): Writes {
    return Object.fromEntries([...this.#counts].toSorted())
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
  }
}

/** What was written between two counts. */
export function writesBetween(before: Writes, after: Writes): Writes {
  const changes = Object.entries(after).map(([what, count]): [string, number] => [what, count - (before[what] ?? 0)])
  return Object.fromEntries(changes.filter(([, count]) => count > 0))
}

/** How many writes there are, of those to these resources; left out: of all, events apart. */
export function sumOf(writes: Writes, plurals?: readonly string[]): number {
  let sum = 0
  for (const [what, count] of Object.entries(writes)) {
    const plural = what.slice(what.indexOf(' ') + 1).replace('/status', '')
    if (plurals === undefined ? plural !== 'events' : plurals.includes(plural)) sum += count
  }
  return sum
}

/** Writes as figures, to see where they go. */
export function detailsOf(writes: Writes): Figures {
  return Object.fromEntries(Object.entries(writes).map(([what, count]) => [`writes: ${what}`, count]))
}

function resourceOf(path: string): string {
  const [, plural = '', status = ''] = resourcePath.exec(path) ?? []
  return `${plural}${status}`
}
