import type { Mark } from '../../drivers/contract/facts.ts'
import { topics } from './topics.ts'

const nobody: readonly string[] = Object.freeze([])

/** Identities by the kind and name of the resource whose mark they bear. */
export class NamedIndex {
  readonly #identities = new Map<string, readonly string[]>()

  /** Identities that bear the mark's kind and name, sorted. */
  of(kind: string, namespace: string | undefined, name: string): readonly string[] {
    return this.#identities.get(topics.named(kind, namespace, name)) ?? nobody
  }

  /** The identity bears the mark. Answers whether that is news. */
  add(mark: Mark, identity: string): boolean {
    const key = keyOf(mark)
    const known = this.#identities.get(key) ?? nobody
    if (known.includes(identity)) return false
    this.#identities.set(key, Object.freeze([...known, identity].sort()))
    return true
  }

  /** The identity bears the mark nowhere any more. */
  remove(mark: Mark, identity: string): void {
    const key = keyOf(mark)
    const left = (this.#identities.get(key) ?? nobody).filter(each => each !== identity)
    if (left.length === 0) this.#identities.delete(key)
    else this.#identities.set(key, Object.freeze(left))
  }
}

/** Whether two marks are of the same resource name. */
export function sameName(left: Mark | undefined, right: Mark): boolean {
  return left !== undefined && keyOf(left) === keyOf(right)
}

function keyOf({ kind, namespace, name }: Mark): string {
  return topics.named(kind, namespace, name)
}
