/** Who a client is: by its certificate, else by its bearer token. */

import { TLSSocket } from 'node:tls'
import type { User } from '../api-request.ts'
import type { Incoming } from '../serving/exchange.ts'
import type { TokenCheck } from './token-check.ts'

/** Everybody whom the server knows. */
const authenticated = 'system:authenticated'

const users = new WeakMap<TLSSocket, User>()

/** The user of a request, undefined when it names none that the server knows. */
export async function authenticate(request: Incoming, checkToken: TokenCheck): Promise<User | undefined> {
  return userOfCertificate(request) ?? (await userOfToken(request, checkToken))
}

function userOfCertificate({ socket }: Incoming): User | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  // A connection keeps its certificate: it is read once.
  const known = users.get(socket)
  if (known !== undefined) return known
  const { subject } = socket.getPeerCertificate()
  if (subject === undefined || typeof subject.CN !== 'string') return undefined
  const user = { name: subject.CN, groups: [...listOf(subject.O), authenticated] }
  users.set(socket, user)
  return user
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
