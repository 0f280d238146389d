import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { ObjectMeta } from '../../crds/meta.ts'
import type { Client } from '../api/client.ts'
import type { BuiltInKind } from '../api/paths.ts'

/** Somebody whom the API or its certificate authority knows. */
interface User {
  readonly name: string
  readonly groups: readonly string[]
}

interface Review<Status> {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly status?: Status
}

interface TokenStatus {
  readonly authenticated?: boolean
  readonly user?: { readonly username?: string; readonly groups?: readonly string[] }
}

const TokenReview: BuiltInKind<Review<TokenStatus>> = {
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  namespaced: false,
}

const SubjectAccessReview: BuiltInKind<Review<{ readonly allowed?: boolean }>> = {
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
}

/** Whether somebody may ask: `Allowed`, or the HTTP status and why not. */
export type Access = 'Allowed' | { readonly status: 401 | 403; readonly message: string }

/**
 * Asks the API whether the sender of a request may get a path: who it is by its certificate (one that the TLS connection
 * has verified) or by a TokenReview, whether it may by a SubjectAccessReview of the non-resource URL `/skystead<path>`.
 */
export async function accessOf(request: IncomingMessage, path: string, client: Client): Promise<Access> {
  const user = userOfCertificate(request) ?? (await userOfToken(request, client))
  if (user === undefined) {
    return { status: 401, message: 'Cannot answer: neither a client certificate nor a bearer token names a known user' }
  }
  const url = `/skystead${path}`
  const { status } = await client.create(SubjectAccessReview, {
    apiVersion: SubjectAccessReview.apiVersion,
    kind: SubjectAccessReview.kind,
    metadata: { name: '' },
    spec: { user: user.name, groups: user.groups, nonResourceAttributes: { path: url, verb: 'get' } },
  })
  if (status?.allowed === true) return 'Allowed'
  return {
    status: 403,
    message: `Cannot answer: user ${user.name} may not get ${url}; the ClusterRole skystead-operator allows it`,
  }
}

function userOfCertificate({ socket }: IncomingMessage): User | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  const { subject } = socket.getPeerCertificate()
  if (subject === undefined || typeof subject.CN !== 'string') return undefined
  // The declaration says string; a name with several organisations has a list of them.
  const organisations: unknown = subject.O
  const groups = Array.isArray(organisations) ? organisations : [organisations]
  return { name: subject.CN, groups: [...groups.filter(each => typeof each === 'string'), 'system:authenticated'] }
}

async function userOfToken({ headers }: IncomingMessage, client: Client): Promise<User | undefined> {
  const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  if (token === undefined) return undefined
  const { status } = await client.create(TokenReview, {
    apiVersion: TokenReview.apiVersion,
    kind: TokenReview.kind,
    metadata: { name: '' },
    spec: { token },
  })
  const name = status?.user?.username
  if (status?.authenticated !== true || name === undefined) return undefined
  return { name, groups: status.user?.groups ?? [] }
}
