import type { Clients } from '../../apiserver/process/clients.ts'

const collection = '/api/v1/namespaces/default/configmaps'
const objects = 20

/** Writes to objects of its own, one write after the other, and knows what must be there. */
export class Writer {
  readonly #name: string
  /** What was answered last: the value of each object; undefined where it was deleted. */
  readonly #answered = new Map<string, string | undefined>()
  /** What is under way. */
  #doubt: { readonly name: string; readonly value: string | undefined } | undefined
  #count = 0
  answered = 0
  doubtsDone = 0
  doubtsUndone = 0

  constructor(name: string) {
    this.#name = name
  }

  /** Creates, changes and deletes until the server is gone. */
  async write(clients: Clients): Promise<void> {
    for (;;) {
      const name = `${this.#name}-${this.#count % objects}`
      const value = this.#count % 7 === 6 && this.#answered.get(name) !== undefined ? undefined : `v${this.#count}`
      this.#doubt = { name, value }
      try {
        await clients.call(this.#callFor(name, value))
      } catch {
        return
      }
      this.#answered.set(name, value)
      this.#doubt = undefined
      this.#count += 1
      this.answered += 1
    }
  }

  /** Compares what is there with what was answered; a write under way may have been done or not. */
  async check(clients: Clients): Promise<readonly string[]> {
    const lost: string[] = []
    const { items } = (await clients.read(`${collection}?labelSelector=writer%3D${this.#name}`)) as {
      readonly items: readonly {
        readonly metadata: { readonly name: string }
        readonly data: { readonly value: string }
      }[]
    }
    const there = new Map(items.map(({ metadata, data }) => [metadata.name, data.value]))
    if (this.#doubt !== undefined) {
      const { name, value } = this.#doubt
      const isDone = there.get(name) === value
      if (isDone) this.doubtsDone += 1
      else this.doubtsUndone += 1
      if (isDone) this.#answered.set(name, value)
      this.#doubt = undefined
      this.#count += 1
    }
    for (const name of new Set([...this.#answered.keys(), ...there.keys()])) {
      const [wanted, found] = [this.#answered.get(name), there.get(name)]
      if (wanted !== found) lost.push(`${name}: ${wanted ?? 'deleted'} was answered, ${found ?? 'nothing'} is there`)
    }
    return lost
  }

  #callFor(name: string, value: string | undefined) {
    if (value === undefined) return { method: 'DELETE', path: `${collection}/${name}` } as const
    if (this.#answered.get(name) !== undefined) {
      const type = 'application/merge-patch+json'
      return {
        method: 'PATCH',
        path: `${collection}/${name}`,
        type,
        body: JSON.stringify({ data: { value } }),
      } as const
    }
    const metadata = { name, labels: { writer: this.#name } }
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } })
    return { method: 'POST', path: collection, body } as const
  }
}
