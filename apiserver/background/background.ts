import type { ServerContext } from '../scope.ts'

/** Starts what the server does on its own; the answer stops it. */
export function startBackground(_context: ServerContext): () => void {
  return () => {}
}
