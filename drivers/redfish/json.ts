/** What a service answers is anything at all until it was looked at. */

/** The fields of an object; none where it is no object. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

/** The members of a list; none where it is no list. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** A text; undefined where it is none. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The path that a reference (`{"@odata.id": …}`) leads to. */
export function pathOf(value: unknown): string | undefined {
  return textOf(fieldsOf(value)['@odata.id'])
}
