import type { KindDefinition } from './define-kind.ts'

/** The finalizer that the engine keeps on objects of a kind while something outside may belong to them. */
export function finalizerOf(kind: Pick<KindDefinition, 'group'>): string {
  return `${kind.group}/controller`
}
