/** Acting as somebody else, as kubectl's `--as` asks: only whoever may impersonate every part of him. */
import type { APIRequest, User } from '../api-request.ts'
import { badRequest } from '../status-error.ts'
import type { ResourceAttributes } from './attributes.ts'

/** Whom a request acts as, and what that needs the right to. */
export interface Impersonation {
  readonly user: User
  readonly wishes: readonly ResourceAttributes[]
}

const authenticated = 'system:authenticated'
const anonymous = 'system:anonymous'
const account = /^system:serviceaccount:([^:]+):([^:]+)$/

/** Reads the Impersonate headers; undefined where there is none. Throws a 400 where they name no user. */
export function impersonationOf({ headers }: APIRequest): Impersonation | undefined {
  if (!Object.keys(headers).some(header => header.startsWith('impersonate-'))) return undefined
  const name = headers['impersonate-user'] ?? ''
  const groups = listOf(headers['impersonate-group'])
  const uid = headers['impersonate-uid'] ?? ''
  const extras = Object.entries(headers).filter(([header]) => header.startsWith('impersonate-extra-'))
  if (name === '' && groups.length === 0 && uid === '' && extras.length === 0) return undefined
  if (name === '') throw badRequest('requested [impersonation] without impersonating a user: set Impersonate-User')
  const wishes = [
    userWish(name),
    ...groups.map(group => wish('', 'groups', group)),
    ...(uid === '' ? [] : [wish('authentication.k8s.io', 'uids', uid)]),
    ...extras.flatMap(([header, values]) =>
      listOf(values).map(value => ({
        ...wish('authentication.k8s.io', 'userextras', value),
        subresource: header.slice('impersonate-extra-'.length),
      })),
    ),
  ]
  return { user: { name, groups: groupsOf(name, groups) }, wishes }
}

function userWish(name: string): ResourceAttributes {
  const [, namespace, accountName] = account.exec(name) ?? []
  if (namespace === undefined || accountName === undefined) return wish('', 'users', name)
  return { ...wish('', 'serviceaccounts', accountName), namespace }
}

function groupsOf(name: string, groups: readonly string[]): readonly string[] {
  const [, namespace] = account.exec(name) ?? []
  const own =
    namespace === undefined || groups.length > 0
      ? []
      : ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
  const given = [...groups, ...own]
  if (name === anonymous) return given.includes('system:unauthenticated') ? given : [...given, 'system:unauthenticated']
  return given.includes(authenticated) ? given : [...given, authenticated]
}

function wish(group: string, plural: string, name: string): ResourceAttributes {
  return { verb: 'impersonate', group, plural, subresource: '', namespace: '', name }
}

/** Several headers of one name arrive as one, with a comma and a space between. */
function listOf(value: string | undefined): readonly string[] {
  return value === undefined || value === '' ? [] : value.split(', ')
}
