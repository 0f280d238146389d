/** X.509 certificates (RFC 5280) of the server's own authority: ECDSA on P-256. */

import type { KeyObject } from 'node:crypto'
import { createHash, createPrivateKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Environment } from '../../crds/environment.ts'
import * as der from './der.ts'

/** A certificate and its key, as PEM. */
export interface Credentials {
  readonly certificate: string
  readonly key: string
}

/** Who a certificate names: CN is the user, each O a group. */
export interface Subject {
  readonly name: string
  readonly groups?: readonly string[]
}

const day = 24 * 60 * 60 * 1000

/** Clocks of clients may be a little behind. */
const skew = 60 * 60 * 1000

/** An authority is replaced when less than this is left of its ten years. */
const authorityReserve = 730 * day

/** A new authority, valid for ten years. */
export function createAuthority(environment: Environment): Credentials {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = nameOf({ name: 'skystead' })
  const keyIdentifier = identifierOf(publicKey)
  const certificate = signed(environment, privateKey, {
    subject,
    issuer: subject,
    publicKey,
    lifetime: 3650 * day,
    extensions: [
      extension('2.5.29.19', true, der.sequence(der.boolean(true))),
      extension('2.5.29.15', true, keyUsage(certificateSigning | digitalSignature)),
      extension('2.5.29.14', false, der.octetString(keyIdentifier)),
      extension('2.5.29.35', false, der.sequence(der.implicit(0, keyIdentifier))),
    ],
  })
  return { certificate, key: exportKey(privateKey) }
}

/** Whether an authority can still sign what lasts as long as its certificates do. */
export function isUsable(authority: Credentials, environment: Environment): boolean {
  try {
    const certificate = new X509Certificate(authority.certificate)
    if (!certificate.checkPrivateKey(createPrivateKey(authority.key))) return false
    return Date.parse(certificate.validTo) - environment.clock.now() > authorityReserve
  } catch {
    return false
  }
}

/** A certificate for the server under the given host names and addresses. */
export function issueServer(authority: Credentials, hosts: readonly string[], environment: Environment): Credentials {
  const names = [...new Set(hosts)].map(host =>
    isIP(host) ? der.implicit(7, addressBytes(host)) : der.implicit(2, Buffer.from(host)),
  )
  return issue(authority, environment, { name: 'skystead-apiserver' }, [
    extension('2.5.29.37', false, der.sequence(der.objectIdentifier('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', false, der.sequence(...names)),
  ])
}

/** A certificate for a client. */
export function issueClient(authority: Credentials, subject: Subject, environment: Environment): Credentials {
  const purpose = der.sequence(der.objectIdentifier('1.3.6.1.5.5.7.3.2'))
  return issue(authority, environment, subject, [extension('2.5.29.37', false, purpose)])
}

function issue(
  authority: Credentials,
  environment: Environment,
  subject: Subject,
  purpose: readonly Buffer[],
): Credentials {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = new X509Certificate(authority.certificate)
  const certificate = signed(environment, createPrivateKey(authority.key), {
    subject: nameOf(subject),
    issuer: nameOf({ name: 'skystead' }),
    publicKey,
    lifetime: 730 * day,
    extensions: [
      extension('2.5.29.19', true, der.sequence()),
      extension('2.5.29.15', true, keyUsage(digitalSignature)),
      extension('2.5.29.35', false, der.sequence(der.implicit(0, identifierOf(issuer.publicKey)))),
      ...purpose,
    ],
  })
  return { certificate, key: exportKey(privateKey) }
}

interface Content {
  readonly subject: Buffer
  readonly issuer: Buffer
  readonly publicKey: KeyObject
  /** Milliseconds from now. */
  readonly lifetime: number
  readonly extensions: readonly Buffer[]
}

function signed({ clock, random }: Environment, key: KeyObject, content: Content): string {
  const algorithm = der.sequence(der.objectIdentifier('1.2.840.10045.4.3.2'))
  const version3 = der.explicit(0, der.integer(Buffer.from([2])))
  const now = clock.now()
  const body = der.sequence(
    version3,
    der.integer(Buffer.from(random.uuid().replaceAll('-', ''), 'hex')),
    algorithm,
    content.issuer,
    der.sequence(der.time(now - skew), der.time(now + content.lifetime)),
    content.subject,
    content.publicKey.export({ type: 'spki', format: 'der' }),
    der.explicit(3, der.sequence(...content.extensions)),
  )
  const certificate = der.sequence(body, algorithm, der.bitString(sign('sha256', body, key)))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function nameOf({ name, groups = [] }: Subject): Buffer {
  const part = (identifier: string, value: string) =>
    der.set(der.sequence(der.objectIdentifier(identifier), der.text(value)))
  return der.sequence(...groups.map(group => part('2.5.4.10', group)), part('2.5.4.3', name))
}

function extension(identifier: string, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [der.boolean(true)] : []
  return der.sequence(der.objectIdentifier(identifier), ...flag, der.octetString(value))
}

// Bits of the key usage, counted from the highest.
const digitalSignature = 0x80
const certificateSigning = 0x04

function keyUsage(bits: number): Buffer {
  return der.bitString(Buffer.from([bits]), 31 - Math.clz32(bits & -bits))
}

function identifierOf(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (part: string) => part.split(':').filter(group => group !== '')
  const [left, right] = [groups(head), groups(tail ?? '')]
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - left.length - right.length }, () => '0')
  return Buffer.from([...left, ...zeros, ...right].map(group => group.padStart(4, '0')).join(''), 'hex')
}
