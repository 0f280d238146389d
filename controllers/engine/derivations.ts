import deepEqual from 'fast-deep-equal'
import type { Derived } from '../../reconcilers/world.ts'
import { deepFreeze } from '../deep-freeze.ts'
import type { Reader, Reads, Recording } from './reads.ts'

/** `Stale`: something read has changed. `Doubtful`: something derived that was read may change when it is computed. */
type Freshness = 'Fresh' | 'Doubtful' | 'Stale'

interface Node extends Reader {
  readonly definition: Derived<unknown>
  readonly key: string
  freshness: Freshness
  computed: boolean
  /** Whether somebody asked for the value since the last flush. */
  isAsked: boolean
  value: unknown
  /** What the computation threw; whoever asks for the value gets it thrown, until something read changes. */
  failure: { readonly error: unknown } | undefined
}

/** The topic of a derived value. */
export function derivedTopic(definition: Derived<unknown>, key: string): string {
  return `derived/${definition.name}/${key}`
}

/** Whether a topic is that of a derived value. */
export function isDerived(topic: string): boolean {
  return topic.startsWith('derived/')
}

/** Options of the derivations. */
export interface DerivationsOptions {
  readonly reads: Reads
  /** Computes with every read recorded. */
  readonly compute: (definition: Derived<unknown>, key: string, recording: Recording) => unknown
  /** Something is stale: `flush` is wanted soon. */
  readonly stale: () => void
}

/**
 * Remembered computations: recomputed when something they read changes, and telling their readers only of a new value.
 * Whoever asks never gets a value older than what it rests on, however long the chain.
 */
export class Derivations {
  readonly #nodes = new Map<string, Node>()
  readonly #waiting = new Set<Node>()
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
    node.isAsked = true
    this.#refresh(node)
    if (node.failure !== undefined) throw node.failure.error
    return node.value
  }

  /**
   * Recomputes what is stale and still read; forgets what nobody reads. What was asked for since the last time stays one
   * time more, as it is: whoever asks again and again and keeps no reads does not begin anew each time.
   */
  flush(): void {
    for (const node of [...this.#waiting]) {
      if (this.#options.reads.isRead(node.id)) this.#refresh(node)
      else if (node.isAsked) node.isAsked = false
      else this.#forget(node)
    }
  }

  #forget(node: Node): void {
    this.#waiting.delete(node)
    this.#nodes.delete(node.id)
    this.#options.reads.forget(node.id)
  }

  #refresh(node: Node): void {
    if (node.freshness === 'Doubtful') this.#settle(node)
    if (node.freshness === 'Fresh') return
    const { value, failure } = this.#options.reads.record(node, recording => this.#compute(node, recording))
    node.freshness = 'Fresh'
    this.#waiting.delete(node)
    const failed = failure !== undefined || node.failure !== undefined
    node.failure = failure
    if (node.computed && !failed && deepEqual(value, node.value)) return
    node.value = deepFreeze(value)
    if (node.computed) this.#options.reads.notify(node.id)
    node.computed = true
  }

  /** Nobody above a flush could catch what a computation throws: it is kept for those who ask. */
  #compute({ definition, key }: Node, recording: Recording): Pick<Node, 'value' | 'failure'> {
    try {
      return { value: this.#options.compute(definition, key, recording), failure: undefined }
    } catch (error) {
      return { value: undefined, failure: { error } }
    }
  }

  /** Refreshes what a doubtful node rests on: a new value there makes it stale, else it is fresh after all. */
  #settle(node: Node): void {
    for (const topic of [...this.#options.reads.topicsOf(node.id)]) {
      const inner = this.#nodes.get(topic)
      if (inner !== undefined) this.#refresh(inner)
      if (node.freshness === 'Stale') return
    }
    node.freshness = 'Fresh'
    this.#waiting.delete(node)
  }

  /** Marks a node, and as doubtful whatever rests on it. */
  #mark(node: Node, freshness: 'Doubtful' | 'Stale'): void {
    const was = node.freshness
    if (was === 'Stale' || was === freshness) return
    node.freshness = freshness
    if (was !== 'Fresh') return
    this.#waiting.add(node)
    this.#options.stale()
    for (const { id } of this.#options.reads.readersOf(node.id)) {
      const outer = this.#nodes.get(id)
      if (outer !== undefined) this.#mark(outer, 'Doubtful')
    }
  }

  #node(id: string, definition: Derived<unknown>, key: string): Node {
    const node: Node = {
      id,
      definition,
      key,
      freshness: 'Stale',
      computed: false,
      isAsked: false,
      value: undefined,
      failure: undefined,
      wake: () => this.#mark(node, 'Stale'),
    }
    return node
  }
}
