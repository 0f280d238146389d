import type { APIObject } from '../api-object.ts'
import type { ServerContext } from '../scope.ts'
import { internalError, StatusError } from '../status-error.ts'
import { StorageError } from '../storage/durable-log.ts'
import type { Entry } from '../storage/entry.ts'

/** What a write came to: stored under an entry, or only thought through (dry run). Both in the stored form. */
export type Written = { readonly entry: Entry } | { readonly object: APIObject }

/** A write that has been decided, and resolves once it is durable. */
export interface Pending {
  readonly written: Promise<Written>
  readonly created: boolean
}

/** A write that waits for nothing: the object only. */
export function thought(object: APIObject, created = false): Pending {
  return { written: Promise.resolve({ object }), created }
}

/** A staged write. */
export function staged(entry: Promise<Entry>, created = false): Pending {
  return { written: entry.then(committed => ({ entry: committed })), created }
}

/** A staged deletion, answered with what the client made of the object. */
export function removed(entry: Promise<Entry>, object: APIObject): Pending {
  return { written: entry.then(() => ({ object })), created: false }
}

/** A write that changes nothing: what is there. */
export function unchanged({ store }: ServerContext, entry: Entry): Pending {
  const known = store.get(entry.resource, entry.key) === entry
  // What is there may itself wait for the disk; nobody shall hear of it before.
  const ready = known ? Promise.resolve() : store.settled()
  return { written: ready.then(() => ({ entry })), created: false }
}

/**
 * Runs a decision about a write. When it is a refusal, it may rest on a write that is not durable yet: the answer
 * then waits for that one. Storage errors become answers.
 */
export async function deciding<T>(context: ServerContext, decide: () => T): Promise<Awaited<T>> {
  try {
    return await decide()
  } catch (error) {
    if (error instanceof StatusError) await context.store.settled()
    throw storageStatus(error)
  }
}

function storageStatus(error: unknown): unknown {
  if (!(error instanceof StorageError)) return error
  if (error.code === 'Full') return new StatusError(507, 'InsufficientStorage', error.message)
  return internalError(error.message)
}
