/** Tokens of service accounts: JSON Web Tokens (RFC 7519) that the server signs, and knows again until they expire. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject } from 'node:crypto'
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { Clock, Environment } from '../../crds/environment.ts'
import type { JSONObject } from '../api-object.ts'
import { isRecord, keyOf } from '../api-object.ts'
import type { User } from '../api-request.ts'
import { BoundedMap } from '../bounded-map.ts'
import { invalidValue } from '../field-errors.ts'
import { serviceAccounts } from '../kinds/coordination.ts'
import { badRequest, invalid, notFound } from '../status-error.ts'
import type { Store } from '../storage/store.ts'

/** Who signs. */
const issuer = 'https://kubernetes.default.svc'
const algorithm = 'ES256'

const second = 1_000
const defaultLifetime = 3_600
const shortestLifetime = 600
const longestLifetime = 2 ** 32

/** Tokens that were verified and are known by their digest: verifying one costs as much as answering a request. */
const rememberedTokens = 1_000

/** What tokens are made with. */
export interface AccountTokensOptions {
  readonly store: Store
  readonly environment: Environment
  /** PEM of a private key on P-256 that outlives this process. Default: one of this process, with which its tokens end. */
  readonly key?: string
}

/** Issues and knows tokens of service accounts. */
export class AccountTokens {
  readonly #store: Store
  readonly #environment: Environment
  readonly #givenKey: string | undefined
  #keys: Keys | undefined
  readonly #verified = new BoundedMap<string, JWTPayload>(rememberedTokens)

  constructor({ store, environment, key }: AccountTokensOptions) {
    this.#store = store
    this.#environment = environment
    this.#givenKey = key
  }

  /** Answers a TokenRequest for an account; throws a 404 where there is none, a 422 for a life that is too short or long. */
  async issue(namespace: string, name: string, request: JSONObject): Promise<JSONObject> {
    const account = this.#store.get(serviceAccounts.collection, keyOf(namespace, name))
    if (account === undefined) throw notFound(serviceAccounts.definition, name)
    const spec = isRecord(request.spec) ? request.spec : {}
    const { audiences, seconds } = readSpec(spec)
    const { clock, random } = this.#environment
    const now = Math.floor(clock.now() / second)
    const token = await new SignJWT({
      'kubernetes.io': { namespace, serviceaccount: { name, uid: account.uid } },
    })
      .setProtectedHeader({ alg: algorithm })
      .setIssuer(issuer)
      .setSubject(`system:serviceaccount:${namespace}:${name}`)
      .setAudience([...audiences])
      .setJti(random.uuid())
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + seconds)
      .sign(this.#keyPair().private)
    return {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name, namespace, creationTimestamp: rfc3339(now) },
      spec: { audiences, expirationSeconds: seconds, boundObjectRef: null },
      status: { token, expirationTimestamp: rfc3339(now + seconds) },
    }
  }

  /** The account that a token is of; undefined where it is none of ours, has expired, or its account is gone. */
  async check(token: string): Promise<User | undefined> {
    // Most tokens are no JSON Web Tokens: those have three parts.
    if (token.split('.').length !== 3) return undefined
    const details = (await this.#claimsOf(token))?.['kubernetes.io']
    if (!isRecord(details) || !isRecord(details.serviceaccount)) return undefined
    const { namespace, serviceaccount } = details
    const { name, uid } = serviceaccount
    if (typeof namespace !== 'string' || typeof name !== 'string') return undefined
    if (this.#store.get(serviceAccounts.collection, keyOf(namespace, name))?.uid !== uid) return undefined
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
    return { name: `system:serviceaccount:${namespace}:${name}`, groups }
  }

  /** What a valid token says. A signature stays right; whether it has expired is asked every time. */
  async #claimsOf(token: string): Promise<JWTPayload | undefined> {
    const { clock } = this.#environment
    const digest = hash('sha256', token)
    const known = this.#verified.get(digest)
    if (known !== undefined) return (known.exp ?? 0) * second > clock.now() ? known : undefined
    const claims = await verified(token, this.#keyPair().public, clock)
    if (claims === undefined) return undefined
    this.#verified.set(digest, claims)
    return claims
  }

  /** Made when first needed: most servers in tests never do. */
  #keyPair(): Keys {
    this.#keys ??= keysOf(this.#givenKey)
    return this.#keys
  }
}

interface Keys {
  readonly private: KeyObject
  readonly public: KeyObject
}

function keysOf(pem: string | undefined): Keys {
  const key = pem === undefined ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey : createPrivateKey(pem)
  return { private: key, public: createPublicKey(key) }
}

async function verified(token: string, key: KeyObject, clock: Clock): Promise<JWTPayload | undefined> {
  try {
    const options = { issuer, audience: issuer, algorithms: [algorithm], currentDate: new Date(clock.now()) }
    return (await jwtVerify(token, key, options)).payload
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined
    throw error
  }
}

function readSpec({ audiences, expirationSeconds, boundObjectRef }: JSONObject) {
  if (isRecord(boundObjectRef)) throw badRequest('spec.boundObjectRef is not supported: tokens end by their time alone')
  const seconds = typeof expirationSeconds === 'number' ? expirationSeconds : defaultLifetime
  if (seconds < shortestLifetime) throw refusedLife(seconds, 'may not specify a duration less than 10 minutes')
  if (seconds > longestLifetime) throw refusedLife(seconds, 'may not specify a duration larger than 2^32 seconds')
  const given = Array.isArray(audiences) ? audiences.filter(each => typeof each === 'string') : []
  return { seconds, audiences: given.length > 0 ? given : [issuer] }
}

function refusedLife(seconds: number, message: string): Error {
  const kind = { group: 'authentication.k8s.io', kind: 'TokenRequest' }
  return invalid(kind, '', [invalidValue('spec.expirationSeconds', seconds, message)])
}

function rfc3339(seconds: number): string {
  return `${new Date(seconds * second).toISOString().slice(0, 19)}Z`
}
