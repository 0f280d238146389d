/** One field that differs. Left-out values: it was not there, or is there no more. */
export interface FieldChange {
  /** As in `spec.volumes[data].volumeName`: items of lists by their key. */
  readonly path: string
  readonly before?: unknown
  readonly after?: unknown
}

/** Members by which the items of a list are told apart; the first that all items have, with values of their own, counts. */
const keys = ['name', 'hostName', 'identity', 'type', 'macAddress', 'address'] as const

/** A member whose text may be secret: told is only that it differs. */
const secret = 'userData'
const hidden = '(not shown)'

/** What differs between two plain values, field by field, in order of paths as they stand. */
export function fieldChanges(before: unknown, after: unknown, path = ''): readonly FieldChange[] {
  if (isSame(before, after)) return []
  if (isRecord(before) && isRecord(after)) return memberChanges(before, after, path)
  if (Array.isArray(before) && Array.isArray(after)) {
    const key = keyOf([...before, ...after])
    if (key !== undefined) return itemChanges(byKey(before, key), byKey(after, key), path)
  }
  const name = path.slice(path.lastIndexOf('.') + 1)
  return [
    {
      path,
      ...(before === undefined ? {} : { before: shown(name, before) }),
      ...(after === undefined ? {} : { after: shown(name, after) }),
    },
  ]
}

/** The value without anything secret in it. */
function shown(name: string, value: unknown): unknown {
  if (name === secret && typeof value === 'string') return hidden
  if (Array.isArray(value)) return value.map(item => shown('', item))
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([member, inner]) => [member, shown(member, inner)]))
}

function memberChanges(before: Plain, after: Plain, path: string): readonly FieldChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].flatMap(name => fieldChanges(before[name], after[name], path === '' ? name : `${path}.${name}`))
}

function itemChanges(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
  path: string,
): readonly FieldChange[] {
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].flatMap(name => fieldChanges(before.get(name), after.get(name), `${path}[${name}]`))
}

type Plain = Readonly<Record<string, unknown>>

function isRecord(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function keyOf(items: readonly unknown[]): (typeof keys)[number] | undefined {
  if (items.length === 0 || !items.every(isRecord)) return undefined
  return keys.find(key => items.every(item => typeof item[key] === 'string'))
}

function byKey(items: readonly unknown[], key: string): ReadonlyMap<string, unknown> {
  return new Map(items.filter(isRecord).map(item => [String(item[key]), item]))
}

function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => isSame(item, right[index]))
  }
  if (!isRecord(left) || !isRecord(right)) return false
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...names].every(name => isSame(left[name], right[name]))
}
