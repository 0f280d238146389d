/** What the control plane and the thread that writes its records say to each other. */

import type { RecordQuery } from './record.ts'
import type { Row } from './sqlite-file.ts'

/** What the thread is started with. */
export interface RecordThreadData {
  readonly path: string
  readonly mostBytes: number
}

/** A task for the thread; answered under the same id. */
export type RecordTask = { readonly id: number } & (
  | { readonly type: 'append'; readonly rows: readonly Row[] }
  | { readonly type: 'query'; readonly query: RecordQuery }
  | { readonly type: 'prune'; readonly before: string }
  | { readonly type: 'close' }
)

/** What the thread says: the bodies that a query found, or why a task failed. */
export type RecordAnswer =
  | { readonly id: number; readonly bodies: readonly string[] }
  | { readonly id: number; readonly failure: string }
