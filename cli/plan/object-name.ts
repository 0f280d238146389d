import type { Writable } from '../../controllers/api/client.ts'

/** An object by its names. Skystead's kinds have names of their own among themselves. */
export interface ObjectName {
  readonly kind: string
  readonly namespace?: string
  readonly name: string
}

/** The names of an object. */
export function nameOf({ kind, metadata: { namespace, name } }: Pick<Writable, 'kind' | 'metadata'>): ObjectName {
  return { kind, ...(namespace === undefined ? {} : { namespace }), name }
}

/** `Kind namespace/name`, or `Kind name`: for people, and as the key of an object among all kinds. */
export function keyOf({ kind, namespace, name }: ObjectName): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
}
