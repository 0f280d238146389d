import type { DeletionGuard } from './deletion-guards.ts'
import type { GuardedField } from './guarded-fields.ts'

/** What is refused of custom resources beside what their schemas say. */
export interface AdmissionRules {
  /** Fields that take a right of their own. */
  readonly guardedFields: readonly GuardedField[]
  /** What keeps an object from being deleted. */
  readonly deletionGuards: readonly DeletionGuard[]
}

/** Nothing is refused. */
export const noRules: AdmissionRules = { guardedFields: [], deletionGuards: [] }
