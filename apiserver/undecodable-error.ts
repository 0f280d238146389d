/** What a client sent is no object of the kind. Whoever reads it says in which words the client hears of it. */
export class UndecodableError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UndecodableError'
  }
}

/** The error of a field with a value of a wrong type, as Go words it: `ConfigMap.data of type string`. */
export function mistyped(value: unknown, field: string, type: string): UndecodableError {
  return new UndecodableError(`json: cannot unmarshal ${typeName(value)} into Go struct field ${field} of type ${type}`)
}

/** The type of a JSON value, as Go names it. */
export function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
