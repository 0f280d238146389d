import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { defaultAuditPolicy } from '../apiserver/audit/default-policy.ts'
import type { AuditPolicy } from '../apiserver/audit/policy.ts'
import { readAuditPolicy } from '../apiserver/audit/read-policy.ts'
import type { AuditOptions } from '../apiserver/serving/serve.ts'
import { wholeNumber } from './option-values.ts'
import { UserError } from './user-error.ts'

const day = 24 * 3_600_000
const megabyte = 1024 * 1024

/** What a person may ask for, by the names that kube-apiserver has for it, in a home. */
export interface GivenAuditOptions {
  readonly home: string
  readonly audit: boolean
  readonly auditPolicyFile?: string
  readonly auditLogPath?: string
  /** Days. */
  readonly auditLogMaxage: number
  readonly auditLogMaxbackup: number
  /** Megabytes. */
  readonly auditLogMaxsize: number
}

/** Adds the options of the audit log. */
export function addAuditOptions(command: Command): Command {
  return command
    .option('--no-audit', 'keep no audit log')
    .option('--audit-policy-file <file>', 'a Policy of audit.k8s.io/v1; left out: who wrote what, without what it was')
    .option('--audit-log-path <file>', 'the audit log; left out: audit.log in the home')
    .option('--audit-log-maxage <days>', 'how many days old files are kept; 0: for ever', wholeNumber(0), 30)
    .option('--audit-log-maxbackup <number>', 'how many old files are kept; 0: all', wholeNumber(0), 10)
    .option('--audit-log-maxsize <megabytes>', 'how large a file becomes', wholeNumber(1), 50)
}

/** The audit log that was asked for; undefined where none was. Throws a UserError for a policy that is none. */
export function auditOptionsOf(given: GivenAuditOptions): AuditOptions | undefined {
  if (!given.audit) return undefined
  return {
    policy: given.auditPolicyFile === undefined ? defaultAuditPolicy : policyIn(given.auditPolicyFile),
    path: resolve(given.auditLogPath ?? join(given.home, 'audit.log')),
    maxSize: given.auditLogMaxsize * megabyte,
    maxAge: given.auditLogMaxage * day,
    maxBackups: given.auditLogMaxbackup,
  }
}

function policyIn(file: string): AuditPolicy {
  try {
    return readAuditPolicy(readFileSync(file, 'utf8'))
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new UserError(`Cannot use the audit policy ${file}: ${message}`, { cause: error })
  }
}
