import deepEqual from 'fast-deep-equal'
import type { Derived } from '../../reconcilers/world.ts'
import { deepFreeze } from './deep-freeze.ts'
import type { Reader, Reads, Recording } from './reads.ts'

interface Node extends Reader {
  readonly definition: Derived<unknown>
  readonly key: string
  stale: boolean
  computed: boolean
  value: unknown
}

/** The topic of a derived value. */
export function derivedTopic(definition: Derived<unknown>, key: string): string {
  return `derived/${definition.name}/${key}`
}

/** Options of the derivations. */
export interface DerivationsOptions {
  readonly reads: Reads
  /** Computes with every read recorded. */
  readonly compute: (definition: Derived<unknown>, key: string, recording: Recording) => unknown
  /** Something is stale: `flush` is wanted soon. */
  readonly stale: () => void
}

/** Remembered computations: recomputed when something they read changes, and telling their readers only of a new value. */
export class Derivations {
  readonly #nodes = new Map<string, Node>()
  readonly #stale = new Set<Node>()
  readonly #options: DerivationsOptions

  constructor(options: DerivationsOptions) {
    this.#options = options
  }

  /** The value, computed now if nobody has or if it is stale. */
  value(definition: Derived<unknown>, key: string): unknown {
    const id = derivedTopic(definition, key)
    let node = this.#nodes.get(id)
    if (node === undefined) {
      node = this.#node(id, definition, key)
      this.#nodes.set(id, node)
    }
    this.#refresh(node)
    return node.value
  }

  /** Recomputes what is stale and still read; forgets what nobody reads. */
  flush(): void {
    for (const node of [...this.#stale]) {
      if (this.#options.reads.isRead(node.id)) this.#refresh(node)
      else {
        this.#stale.delete(node)
        this.#nodes.delete(node.id)
        this.#options.reads.forget(node.id)
      }
    }
  }

  #refresh(node: Node): void {
    if (!node.stale) return
    node.stale = false
    this.#stale.delete(node)
    const value = this.#options.reads.record(node, recording =>
      this.#options.compute(node.definition, node.key, recording),
    )
    if (node.computed && deepEqual(value, node.value)) return
    node.value = deepFreeze(value)
    if (node.computed) this.#options.reads.notify(node.id)
    node.computed = true
  }

  #node(id: string, definition: Derived<unknown>, key: string): Node {
    const node: Node = {
      id,
      definition,
      key,
      stale: true,
      computed: false,
      value: undefined,
      wake: () => {
        if (node.stale) return
        node.stale = true
        this.#stale.add(node)
        this.#options.stale()
      },
    }
    return node
  }
}
