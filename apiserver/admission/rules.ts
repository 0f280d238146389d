import type { DeletionGuard } from './deletion-guards.ts'
import { checkGuardedFields, type GuardedField } from './guarded-fields.ts'
import { checkGuardedFinalizers, type GuardedFinalizer } from './guarded-finalizers.ts'
import type { GuardedWrite } from './guarded-write.ts'

/** What is refused of custom resources beside what their schemas say. */
export interface AdmissionRules {
  /** Fields that take a right of their own. */
  readonly guardedFields: readonly GuardedField[]
  /** Finalizers that take a right of their own to take away. */
  readonly guardedFinalizers: readonly GuardedFinalizer[]
  /** What keeps an object from being deleted. */
  readonly deletionGuards: readonly DeletionGuard[]
}

/** Throws a 403 where a write of an object takes a right that its writer does not have. */
export function checkWrite({ guardedFields, guardedFinalizers }: AdmissionRules, write: GuardedWrite): void {
  checkGuardedFields(guardedFields, write)
  checkGuardedFinalizers(guardedFinalizers, write)
}

/** Nothing is refused. */
export const noRules: AdmissionRules = { guardedFields: [], guardedFinalizers: [], deletionGuards: [] }
