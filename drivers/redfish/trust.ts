import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { buildConnector } from 'undici'
import { DriverError } from '../contract/errors.ts'

/** By what a controller is known to be the one that is meant. */
export interface Trust {
  /** SHA-256 of its certificate, as `openssl x509 -fingerprint -sha256` prints it. Where it is given it alone counts. */
  readonly fingerprint?: string | undefined
  /** Certificates of the authorities that count, in PEM. Left out: those of this machine's Node. */
  readonly authorities?: string | undefined
}

/**
 * Opens TLS connections to what is trusted and to nothing else: a request is handed over only after that. Throws
 * `DriverError` where the authorities are no certificates.
 */
export function trustedConnector({ fingerprint, authorities }: Trust): buildConnector.connector {
  // Every connection shows its certificate: none is resumed.
  const always = { maxCachedSessions: 0, allowH2: false }
  if (fingerprint === undefined) {
    requireCertificates(authorities)
    return buildConnector({ ...always, ...(authorities === undefined ? {} : { ca: authorities }) })
  }
  // Certificates of controllers are mostly self-signed, in a name of the maker's: what is pinned needs neither.
  const connect = buildConnector({ ...always, rejectUnauthorized: false })
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error !== null) return callback(error, null)
      const seen =
        'getPeerCertificate' in socket ? (socket as TLSSocket).getPeerCertificate().fingerprint256 : undefined
      if (seen?.toUpperCase() === fingerprint.toUpperCase()) return callback(null, socket)
      socket.destroy()
      callback(new UntrustedError(`its certificate has the fingerprint ${seen ?? 'unknown'}, not the one given`), null)
    })
}

/** A controller that is not the one meant, or not proven to be. */
class UntrustedError extends Error {}

/** What OpenSSL says of a certificate that it does not trust, in Node's codes, and Node of one of another name. */
const untrusted =
  /CERT|SELF_SIGNED|ISSUER|UNABLE_TO_VERIFY|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|CRL/

/** Why the controller is not trusted; undefined where an error is about something else. */
export function whyUntrusted(error: unknown): string | undefined {
  if (error instanceof UntrustedError) return error.message
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is for another name than its address'
  return untrusted.test(code) ? `its certificate is not to be trusted (${code})` : undefined
}

function requireCertificates(authorities: string | undefined): void {
  if (authorities === undefined) return
  try {
    new X509Certificate(authorities)
  } catch {
    throw new DriverError('Unauthenticated', 'Cannot sign in: key "ca.crt" of the Secret is no certificate in PEM')
  }
}
