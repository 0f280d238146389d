/** Where the server says what no client can be told. */
export interface Logger {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}
