/** Who a client is: by its certificate, else by its bearer token. */

import { TLSSocket } from 'node:tls'
import type { Clock } from '../../crds/environment.ts'
import type { User } from '../api-request.ts'
import type { Incoming } from '../serving/exchange.ts'
import type { TokenCheck } from './token-check.ts'

/** Everybody whom the server knows. */
const authenticated = 'system:authenticated'

/** Whom a certificate names, until it ends (ms since the epoch). */
interface Bearer {
  readonly user: User
  readonly until: number
}

const bearers = new WeakMap<object, Bearer>()

/** How requests are authenticated. */
export interface AuthenticateOptions {
  readonly checkToken: TokenCheck
  readonly clock: Pick<Clock, 'now'>
}

/** The user of a request, undefined when it names none that the server knows. */
export async function authenticate(request: Incoming, options: AuthenticateOptions): Promise<User | undefined> {
  return userOfCertificate(request, options.clock.now()) ?? (await userOfToken(request, options.checkToken))
}

function userOfCertificate(request: Incoming, now: number): User | undefined {
  const { socket } = request
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  const bearer = bearerOf(socket, ('stream' in request && request.stream.session) || socket)
  // It was valid when the connection was made, which may be long ago.
  return bearer !== undefined && now <= bearer.until ? bearer.user : undefined
}

/** A connection keeps its certificate: it is read once. With HTTP/2 each request has a socket object of its own. */
function bearerOf(socket: TLSSocket, connection: object): Bearer | undefined {
  const known = bearers.get(connection)
  if (known !== undefined) return known
  const { subject, valid_to: end } = socket.getPeerCertificate()
  if (subject === undefined || typeof subject.CN !== 'string') return undefined
  const user = { name: subject.CN, groups: [...listOf(subject.O), authenticated] }
  const bearer = { user, until: Date.parse(end) }
  bearers.set(connection, bearer)
  return bearer
}

async function userOfToken({ headers }: Incoming, checkToken: TokenCheck): Promise<User | undefined> {
  const match = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')
  const user = match?.[1] === undefined ? undefined : await checkToken(match[1])
  return user && { name: user.name, groups: [...user.groups, authenticated] }
}

function listOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.filter(each => typeof each === 'string')
  return typeof value === 'string' ? [value] : []
}
