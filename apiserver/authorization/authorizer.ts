/** Role-based access control: what the bindings of the store let a user do. */
import type { APIObject } from '../api-object.ts'
import { isRecord, keyOf } from '../api-object.ts'
import type { User } from '../api-request.ts'
import type { Entry } from '../storage/entry.ts'
import type { Store } from '../storage/store.ts'
import type { Attributes } from './attributes.ts'
import { allows, everything, type PolicyRule, readRules } from './policy-rule.ts'

/** The group of those who may do everything. */
export const mastersGroup = 'system:masters'

/** The API group of roles and bindings. */
export const accessGroup = 'rbac.authorization.k8s.io'

/** The resources of roles and bindings, by their kinds. */
export const accessPlurals = {
  Role: 'roles',
  ClusterRole: 'clusterroles',
  RoleBinding: 'rolebindings',
  ClusterRoleBinding: 'clusterrolebindings',
} as const

/** Where the objects of such a kind are stored. */
export function accessCollection(kind: keyof typeof accessPlurals): string {
  return `${accessPlurals[kind]}.${accessGroup}`
}

/** Whether somebody may do something. */
export interface Decision {
  readonly allowed: boolean
  /** What allows it, for people; '' where nothing needs to be said. */
  readonly reason: string
}

/** A role as a binding names it. */
export interface RoleReference {
  readonly kind: 'Role' | 'ClusterRole'
  readonly name: string
}

interface Binding {
  /** '' where it holds everywhere. */
  readonly namespace: string
  readonly role: RoleReference
  readonly title: string
}

const serviceAccountPrefix = 'system:serviceaccount:'

/** Decides by what is stored; what it reads is kept until a binding changes. */
export class Authorizer {
  readonly #store: Store
  readonly #rules = new WeakMap<Entry, readonly PolicyRule[]>()
  #bindings: ReadonlyMap<string, readonly Binding[]> | undefined

  constructor(store: Store) {
    this.#store = store
    const forget = () => {
      this.#bindings = undefined
    }
    for (const kind of ['RoleBinding', 'ClusterRoleBinding'] as const) {
      store.collection(accessCollection(kind)).listeners.add(forget)
    }
  }

  /** Whether the user may do it. */
  decide(user: User, attributes: Attributes): Decision {
    if (user.groups.includes(mastersGroup)) return { allowed: true, reason: '' }
    const namespace = 'path' in attributes ? '' : attributes.namespace
    for (const [subject, binding] of this.#bindingsOf(user, namespace)) {
      const rules = this.rulesOfRole(binding.role, binding.namespace) ?? []
      if (!rules.some(rule => allows(rule, attributes))) continue
      const { kind, name } = binding.role
      return { allowed: true, reason: `RBAC: allowed by ${binding.title} of ${kind} "${name}" to ${subject}` }
    }
    return { allowed: false, reason: '' }
  }

  /** Every rule that holds for the user in a namespace, or everywhere where it is ''. */
  rulesOf(user: User, namespace: string): readonly PolicyRule[] {
    if (user.groups.includes(mastersGroup)) return everything
    const bindings = [...this.#bindingsOf(user, namespace)]
    return bindings.flatMap(([, binding]) => this.rulesOfRole(binding.role, binding.namespace) ?? [])
  }

  /** The rules of a role; undefined where there is none of that name. */
  rulesOfRole({ kind, name }: RoleReference, namespace: string): readonly PolicyRule[] | undefined {
    const key = kind === 'Role' ? keyOf(namespace, name) : name
    const entry = this.#store.get(accessCollection(kind), key)
    if (entry === undefined) return undefined
    const known = this.#rules.get(entry)
    if (known !== undefined) return known
    const rules = readRules(entry.object.rules)
    this.#rules.set(entry, rules)
    return rules
  }

  *#bindingsOf(user: User, namespace: string): Iterable<readonly [subject: string, binding: Binding]> {
    this.#bindings ??= this.#indexed()
    for (const subject of subjectsOf(user)) {
      for (const binding of this.#bindings.get(subject) ?? []) {
        if (binding.namespace === '' || binding.namespace === namespace) yield [subject, binding]
      }
    }
  }

  #indexed(): ReadonlyMap<string, readonly Binding[]> {
    const index = new Map<string, Binding[]>()
    for (const kind of ['ClusterRoleBinding', 'RoleBinding'] as const) {
      for (const { object } of this.#store.collection(accessCollection(kind)).ordered('')) {
        const binding = readBinding(object)
        for (const subject of subjectsBound(object)) {
          const known = index.get(subject)
          if (known === undefined) index.set(subject, [binding])
          else known.push(binding)
        }
      }
    }
    return index
  }
}

/** The role that a binding gives. */
export function roleOf({ roleRef }: APIObject): RoleReference {
  const { kind, name } = isRecord(roleRef) ? roleRef : { kind: '', name: '' }
  return { kind: kind === 'Role' ? 'Role' : 'ClusterRole', name: String(name) }
}

function readBinding(object: APIObject): Binding {
  const { namespace = '', name } = object.metadata
  const title = `${object.kind} "${namespace === '' ? name : `${name}/${namespace}`}"`
  return { namespace, role: roleOf(object), title }
}

/** The subjects of a binding, in the form in which users are looked up: `User "a"`. */
function subjectsBound({ subjects, metadata }: APIObject): readonly string[] {
  if (!Array.isArray(subjects)) return []
  return subjects.filter(isRecord).map(({ kind, name, namespace = metadata.namespace }) => {
    if (kind === 'ServiceAccount') return `ServiceAccount "${name}/${namespace}"`
    return `${kind} "${name}"`
  })
}

/** How bindings may name a user. */
function subjectsOf({ name, groups }: User): readonly string[] {
  const [namespace, account] = name.startsWith(serviceAccountPrefix)
    ? name.slice(serviceAccountPrefix.length).split(':')
    : []
  const accounts = account === undefined ? [] : [`ServiceAccount "${account}/${namespace}"`]
  return [`User "${name}"`, ...accounts, ...groups.map(group => `Group "${group}"`)]
}
