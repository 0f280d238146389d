import type { Resource } from '../../crds/meta.ts'
import { lastAppliedAnnotation } from './kubectl-merge.ts'

/**
 * Before a server-side apply kubectl takes over the fields of whoever applied the object on the client's side, and Flux
 * those of whatever kubectl wrote: what the manifest leaves out of them goes. Answers with `applied`, which a dry run of
 * the apply alone gave, without that.
 */
export function withoutTakenOver(live: Resource, applied: Resource, fieldManager: string): Resource {
  const entries = entriesOf(live)
  const taken = entries.filter(entry => isTakenOver(entry, fieldManager))
  const kept = [
    ...entries.filter(entry => !taken.includes(entry) && !isAppliers(entry, fieldManager)),
    ...entriesOf(applied).filter(entry => isAppliers(entry, fieldManager)),
  ].map(({ fieldsV1 = {} }) => fieldsV1)
  return taken.reduce((object, { fieldsV1 = {} }) => {
    // The edge: an object without some of its fields is still one, and the API judges it.
    return without(object, fieldsV1, kept) as Resource
  }, applied)
}

/** Fields of an object by the names of their managers: `f:name`, `k:{"key":"value"}`, `v:value`. */
interface Fields {
  readonly [step: string]: Fields
}

interface ManagedEntry {
  readonly manager?: string
  readonly operation?: string
  readonly subresource?: string
  readonly fieldsV1?: Fields
}

function entriesOf({ metadata }: Resource): readonly ManagedEntry[] {
  return (metadata as { readonly managedFields?: readonly ManagedEntry[] }).managedFields ?? []
}

/** Flux's controller, and the beginnings of the names of those whose fields it takes over. */
const flux = 'kustomize-controller'
const takenOverByFlux = ['kubectl', 'before-first-apply'] as const

function isTakenOver(entry: ManagedEntry, fieldManager: string): boolean {
  const { manager = '', operation, subresource = '', fieldsV1 } = entry
  if (subresource !== '' || isAppliers(entry, fieldManager)) return false
  if (fieldManager === flux) return takenOverByFlux.some(name => manager.startsWith(name))
  const note = fieldsV1?.['f:metadata']?.['f:annotations']?.[`f:${lastAppliedAnnotation}`]
  return operation === 'Update' && note !== undefined
}

function isAppliers({ manager, operation, subresource = '' }: ManagedEntry, fieldManager: string): boolean {
  return manager === fieldManager && operation === 'Apply' && subresource === ''
}

/** The value without what is owned and kept by nobody. */
function without(value: unknown, owned: Fields, kept: readonly Fields[]): unknown {
  const steps = Object.keys(owned).filter(step => step !== '.')
  return steps.reduce((rest, step) => {
    const inner = owned[step] ?? {}
    const keepers = kept.flatMap(fields => fields[step] ?? [])
    const goes = keepers.length === 0 && isOwnedItself(inner)
    return withMember(rest, step, member => (goes ? undefined : without(member, inner, keepers)))
  }, value)
}

/** What only leads to fields that are owned is not owned for that. */
function isOwnedItself(fields: Fields): boolean {
  return '.' in fields || Object.keys(fields).length === 0
}

/** The value with another member at the step; undefined: without it. */
function withMember(value: unknown, step: string, change: (member: unknown) => unknown): unknown {
  const [form, name] = [step.slice(0, 2), step.slice(2)]
  if (Array.isArray(value)) {
    const isMeant = form === 'k:' ? hasKeys(JSON.parse(name)) : (item: unknown) => JSON.stringify(item) === name
    return value.flatMap(item => (isMeant(item) ? (change(item) ?? []) : [item]))
  }
  if (form !== 'f:' || typeof value !== 'object' || value === null || !(name in value)) return value
  const members = new Map<string, unknown>(Object.entries(value))
  const next = change(members.get(name))
  if (next === undefined) members.delete(name)
  else members.set(name, next)
  return Object.fromEntries(members)
}

function hasKeys(keys: Readonly<Record<string, unknown>>): (item: unknown) => boolean {
  return item => {
    if (typeof item !== 'object' || item === null) return false
    const members: Readonly<Record<string, unknown>> = { ...item }
    return Object.entries(keys).every(([name, value]) => members[name] === value)
  }
}
