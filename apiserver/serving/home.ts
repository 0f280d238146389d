/** What the server keeps in its home: the objects, its authority, its token, the key of accounts' tokens, a kubeconfig. Readable by the owner only. */

import { createHash, generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Environment } from '../../crds/environment.ts'
import { makePrivateDirectory, writeDurably } from '../storage/durable-file.ts'
import type { Credentials } from './certificates.ts'
import { createAuthority, isUsable } from './certificates.ts'

/** The log of the API's objects, in a home. */
export const storeName = 'objects.db'

/** The authority of a home; made on the first start, and again when it is about to expire. */
export function authorityOf(home: string, environment: Environment): Credentials {
  const paths = { certificate: join(home, 'pki', 'ca.crt'), key: join(home, 'pki', 'ca.key') }
  const stored = { certificate: readIfThere(paths.certificate), key: readIfThere(paths.key) }
  if (isUsable(stored, environment)) return stored
  const authority = createAuthority(environment)
  writePrivately(paths.certificate, authority.certificate)
  writePrivately(paths.key, authority.key)
  return authority
}

/** The bearer token of a home; made on the first start. */
export function tokenOf(home: string, environment: Environment): string {
  const path = join(home, 'pki', 'token')
  const stored = readIfThere(path).trim()
  if (stored !== '') return stored
  const { random } = environment
  const token = createHash('sha256').update(`${random.uuid()} ${random.uuid()} ${random.uuid()}`).digest('base64url')
  writePrivately(path, `${token}\n`)
  return token
}

/** The key that signs service accounts' tokens, PEM; made on the first start, so that tokens outlive a restart. */
export function accountKeyOf(home: string): string {
  const path = join(home, 'pki', 'accounts.key')
  const stored = readIfThere(path)
  if (stored !== '') return stored
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  writePrivately(path, privateKey)
  return privateKey
}

/** What a kubeconfig tells. */
export interface Access {
  readonly url: string
  /** PEM. */
  readonly authority: string
  readonly client: Credentials
  readonly token: string
}

/** Writes a kubeconfig: context `skystead` by certificate, context `skystead-token` by bearer token. */
export function writeKubeconfig(path: string, { url, authority, client, token }: Access): void {
  const base64 = (pem: string) => Buffer.from(pem).toString('base64')
  const context = (name: string, user: string) => ({
    name,
    context: { cluster: 'skystead', user, namespace: 'default' },
  })
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'skystead',
    clusters: [{ name: 'skystead', cluster: { server: url, 'certificate-authority-data': base64(authority) } }],
    contexts: [context('skystead', 'skystead'), context('skystead-token', 'skystead-token')],
    users: [
      {
        name: 'skystead',
        user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) },
      },
      { name: 'skystead-token', user: { token } },
    ],
  }
  // JSON is YAML.
  writePrivately(path, `${JSON.stringify(kubeconfig, undefined, 2)}\n`)
}

function writePrivately(path: string, content: string): void {
  makePrivateDirectory(dirname(path))
  writeDurably(path, content)
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
