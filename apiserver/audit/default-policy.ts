import { localUserName } from '../api-request.ts'
import type { AuditPolicy, AuditRule } from './policy.ts'

const anything = {
  users: [],
  userGroups: [],
  verbs: [],
  resources: [],
  namespaces: [],
  nonResourceURLs: [],
  omitStages: [],
  omitManagedFields: undefined,
} satisfies Partial<AuditRule>

/**
 * What is told where nobody says otherwise: who wrote what, and was it allowed. Reads are left out, and what the
 * controllers of this process write: that is in the records (`skystead operations`).
 */
export const defaultAuditPolicy: AuditPolicy = {
  rules: [
    { ...anything, level: 'None', users: [localUserName] },
    // It reads everything at once, all secrets included.
    { ...anything, level: 'Metadata', nonResourceURLs: ['/skystead/backup'] },
    { ...anything, level: 'None', verbs: ['get', 'list', 'watch'] },
    { ...anything, level: 'Metadata' },
  ],
  omitStages: ['RequestReceived'],
  omitManagedFields: true,
}
