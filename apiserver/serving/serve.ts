/** The embedded API server as it runs: objects in a home, HTTPS on the loopback, a kubeconfig. */

import { join } from 'node:path'
import type { Environment } from '../../crds/environment.ts'
import type { AdmissionRules } from '../admission/rules.ts'
import type { User } from '../api-request.ts'
import { Auditor } from '../audit/auditor.ts'
import { tellAudit } from '../audit/figures.ts'
import { AuditLogFile } from '../audit/log-file.ts'
import type { AuditPolicy } from '../audit/policy.ts'
import type { Keeping } from '../audit/rotation.ts'
import { tokenCheck } from '../authentication/token-check.ts'
import { mastersGroup } from '../authorization/authorizer.ts'
import { Figures } from '../figures.ts'
import { tellLimits } from '../limits/figures.ts'
import { type LimitOptions, RequestLimits } from '../limits/request-limits.ts'
import type { Logger } from '../logger.ts'
import type { APIServer } from '../server.ts'
import { createAPIServer } from '../server.ts'
import { makePrivateDirectory } from '../storage/durable-file.ts'
import { openSQLiteLog } from '../storage/sqlite-log.ts'
import type { StoreOptions } from '../storage/store.ts'
import { issueClient, issueServer } from './certificates.ts'
import { accountKeyOf, authorityOf, storeName, tokenOf, writeKubeconfig } from './home.ts'
import { listen } from './listener.ts'

/** Where to serve, and from what. */
export interface ServeOptions {
  /** Directory of everything that lasts; made when missing. */
  readonly home: string
  readonly environment: Environment
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** Default: `kubeconfig` in the home. */
  readonly kubeconfigPath?: string
  readonly logger?: Logger
  /** What is told in the audit log, where, and what is kept of it. Default: nothing is told. */
  readonly audit?: AuditOptions
  readonly store?: StoreOptions
  /** What is refused of custom resources beside what their schemas say. Default: nothing. */
  readonly admission?: AdmissionRules
  /** How much everybody may ask at a time. Default: as each limit says. */
  readonly limits?: LimitOptions
}

/** The audit log of a server. */
export interface AuditOptions extends Keeping {
  readonly policy: AuditPolicy
  readonly path: string
}

/** A server that runs. */
export interface RunningServer {
  readonly url: string
  readonly kubeconfigPath: string
  /** The request core: the same answers without TLS, for callers in this thread. */
  readonly handle: APIServer['handle']
  /** Resolves when nothing can be written any more, ever: the process must end, a restart mends it or says why not. */
  readonly failed: Promise<Error>
  /** Ends connections and closes the storage; everything answered is durable. May be called again. */
  close(): Promise<void>
}

/** The person who started the server. */
const administrator: User = { name: 'skystead-admin', groups: [mastersGroup] }

/**
 * Serves the objects of a home. Rejects with one clear line: the home is used by another process (StorageError
 * `Locked`), the objects are damaged (`Corrupt`), the port is taken.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { home, environment, host = '127.0.0.1', port = 0, logger } = options
  makePrivateDirectory(home)
  // The storage comes first: it holds the home for this process.
  const log = await openSQLiteLog(join(home, storeName))
  const authority = authorityOf(home, environment)
  const token = tokenOf(home, environment)
  const figures = new Figures()
  const limits = new RequestLimits(options.limits ?? {}, environment)
  tellLimits(figures, limits)
  const auditor = options.audit && auditorOf(options.audit, options, figures)
  let address = ''
  const server = await createAPIServer({
    log,
    environment,
    checkToken: tokenCheck(token, administrator),
    accountKey: accountKeyOf(home),
    address: () => address,
    figures,
    ...(auditor !== undefined && { auditor }),
    ...(logger !== undefined && { logger }),
    ...(options.store !== undefined && { store: options.store }),
    ...(options.admission !== undefined && { admission: options.admission }),
  })
  try {
    const hosts = [host, '127.0.0.1', '::1', 'localhost']
    const credentials = issueServer(authority, hosts, environment)
    const listener = await listen(server, {
      host,
      port,
      credentials,
      authority: authority.certificate,
      clock: environment.clock,
      limits,
    })
    address = `${host.includes(':') ? `[${host}]` : host}:${listener.port}`
    const url = `https://${address}`
    const kubeconfigPath = options.kubeconfigPath ?? join(home, 'kubeconfig')
    const client = issueClient(authority, administrator, environment)
    writeKubeconfig(kubeconfigPath, { url, authority: authority.certificate, client, token })
    const close = async () => {
      await listener.close()
      await server.close()
    }
    let closed: Promise<void> | undefined
    return {
      url,
      kubeconfigPath,
      handle: server.handle,
      failed: log.failed,
      close: () => {
        closed ??= close()
        return closed
      },
    }
  } catch (error) {
    await server.close()
    throw error
  }
}

function auditorOf(
  { policy, ...keeping }: AuditOptions,
  { environment, logger }: ServeOptions,
  figures: Figures,
): Auditor {
  const file = new AuditLogFile({ ...keeping, clock: environment.clock, logger })
  const auditor = new Auditor({ policy, sink: file, environment })
  tellAudit(figures, auditor, file)
  return auditor
}
