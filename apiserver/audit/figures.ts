import type { Figures } from '../figures.ts'
import type { Auditor } from './auditor.ts'
import type { AuditLogFile } from './log-file.ts'
import { levels } from './policy.ts'

/** Tells how the audit log fares, under the names of a real server where it has them. */
export function tellAudit(figures: Figures, auditor: Auditor, file: AuditLogFile): void {
  figures.counter('apiserver_audit_event_total', 'Events of the audit log.', () => [[{}, auditor.events]])
  figures.counter(
    'apiserver_audit_level_total',
    'Requests by the level at which the audit policy has them told.',
    () => levels.map(level => [{ level }, auditor.requests.get(level) ?? 0]),
    ['level'],
  )
  figures.counter(
    'apiserver_audit_error_total',
    'Events of the audit log that were lost.',
    () => [[{ plugin: 'log' }, file.lost]],
    ['plugin'],
  )
  figures.gauge('skystead_audit_log_failing', '1 while the audit log cannot be written.', () => [
    [{}, file.failing ? 1 : 0],
  ])
  figures.gauge('skystead_audit_log_pending_bytes', 'Bytes of the audit log that wait for the disk.', () => [
    [{}, file.pending],
  ])
}
