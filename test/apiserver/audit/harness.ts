/** A server whose audit log is kept in memory. */

import { Auditor } from '../../../apiserver/audit/auditor.ts'
import type { AuditEvent } from '../../../apiserver/audit/event.ts'
import { readAuditPolicy } from '../../../apiserver/audit/read-policy.ts'
import type { APIServerOptions } from '../../../apiserver/server.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { startWithThings, type TestServer } from '../core/harness.ts'

/** A server, and what its log tells. */
export interface AuditedServer extends TestServer {
  readonly auditor: Auditor
  /** The events so far, each once, as they stand in the file. */
  told(): readonly Told[]
}

/** An event as a reader of the file sees it. */
// biome-ignore lint/suspicious/noExplicitAny: tests read events as they expect them
export type Told = any

/** Starts a server with rules in YAML; without any, everything is told in full. */
export async function startAudited(
  rules = '- level: RequestResponse',
  options: Partial<APIServerOptions> = {},
): Promise<AuditedServer> {
  const lines: string[] = []
  const sink = {
    write: (event: AuditEvent) => void lines.push(JSON.stringify(event)),
    close: () => Promise.resolve(),
  }
  const policy = readAuditPolicy(`apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n${rules}\n`)
  const auditor = new Auditor({ policy, sink, environment: virtualEnvironment() })
  const server = await startWithThings({ ...options, auditor })
  const told = () => lines.splice(0).map(line => JSON.parse(line))
  told()
  return { ...server, auditor, told }
}
