/** A manifest, as it is written out. */
export type Document = Readonly<Record<string, unknown>>

/** A machine that cannot be taken over as it is. */
export class NotAdoptable extends Error {}

/** A name that Kubernetes takes: letters, digits and `-`. */
export function label(text: string): string {
  const plain = text.toLowerCase().replace(/[^a-z0-9-]+/g, '-')
  return plain.slice(0, 50).replace(/^-+|-+$/g, '') || 'machine'
}

/** The name, or with a number the first that nobody has; taken from now on. */
export function freeName(wished: string, taken: Set<string>): string {
  const base = label(wished)
  let name = base
  for (let number = 2; taken.has(name); number += 1) name = `${base}-${number}`
  taken.add(name)
  return name
}
