/** Who acts, and the roles and bindings that cases give. */
import type { Bench } from './case.ts'

/** The API group of roles and bindings. */
export const rbac = 'rbac.authorization.k8s.io'
/** Where they are. */
export const accessPath = `/apis/${rbac}/v1`

/** Whom a request acts as. */
export interface Person {
  readonly headers: Readonly<Record<string, string | string[]>>
}

/** Acts as a user, in groups. */
export function as(user: string, ...groups: string[]): Person {
  return { headers: { 'impersonate-user': user, ...(groups.length > 0 && { 'impersonate-group': groups }) } }
}

/** A Role. */
export function role(name: string, rules: readonly object[], more: object = {}): object {
  return { apiVersion: `${rbac}/v1`, kind: 'Role', metadata: { name, ...more }, rules }
}

/** A ClusterRole. */
export function clusterRole(name: string, rules: readonly object[], more: object = {}): object {
  return { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name, ...more }, rules }
}

/** A RoleBinding. */
export function binding(name: string, ref: { kind: string; name: string }, subjects: readonly object[]): object {
  const kind = 'RoleBinding'
  return { apiVersion: `${rbac}/v1`, kind, metadata: { name }, roleRef: { apiGroup: rbac, ...ref }, subjects }
}

/** A ClusterRoleBinding of a cluster role by its name. */
export function clusterBinding(name: string, ref: string, subjects: readonly object[]): object {
  const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: ref }
  return { apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata: { name }, roleRef, subjects }
}

/** A user as a subject. */
export const user = (name: string) => ({ apiGroup: rbac, kind: 'User', name })

/** A rule that allows to read ConfigMaps. */
export const readMaps = { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }

/** Gives a user a role of these rules in the case's namespace. */
export async function giveRole(bench: Bench, name: string, rules: readonly object[]): Promise<string> {
  const path = `${accessPath}/namespaces/${await bench.namespace()}`
  await bench.api.post(`${path}/roles`, role('given', rules))
  await bench.api.post(`${path}/rolebindings`, binding('given', { kind: 'Role', name: 'given' }, [user(name)]))
  return `/api/v1/namespaces/${await bench.namespace()}/configmaps`
}

/** Asks until the answer has the status: rights come and go with a watch. */
export async function eventually(bench: Bench, status: number, path: string, person: Person): Promise<void> {
  await bench.until(`status ${status} of ${path}`, async () => (await bench.api.get(path, person)).status === status)
}

/** Runs, and removes what is in no namespace whatever came of it. */
export async function removeAtEnd(bench: Bench, paths: readonly string[], run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } finally {
    for (const path of paths) await bench.api.remove(path)
  }
}
