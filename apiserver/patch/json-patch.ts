import deepEqual from 'fast-deep-equal'
import { isRecord } from '../api-object.ts'
import { badRequest, requestTooLarge, unprocessablePatch } from '../status-error.ts'

/** One operation of a JSON patch (RFC 6902). */
interface Operation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

/** Most operations taken in one patch, as in Kubernetes. */
const operationLimit = 10_000

/** Applies a JSON patch without changing its input; throws 400 for a malformed patch, 422 where it does not fit. */
export function jsonPatch(document: unknown, patch: unknown): unknown {
  const operations = readOperations(patch)
  return operations.reduce(applyOperation, document)
}

function readOperations(patch: unknown): readonly Operation[] {
  if (!Array.isArray(patch)) {
    throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type []handlers.jsonPatchOp')
  }
  if (patch.length > operationLimit) throw requestTooLarge(operationLimit)
  return patch.map((operation: unknown) => {
    if (!isRecord(operation)) throw badRequest('error decoding patch: every operation is an object')
    const { op, path, from } = operation
    if (typeof op !== 'string' || typeof path !== 'string') throw unprocessablePatch()
    if ((op === 'move' || op === 'copy') && typeof from !== 'string') throw unprocessablePatch()
    return { op, path, ...(typeof from === 'string' && { from }), value: operation.value }
  })
}

function applyOperation(document: unknown, operation: Operation): unknown {
  const path = parsePointer(operation.path)
  switch (operation.op) {
    case 'add':
      return edit(document, path, { type: 'add', value: operation.value })
    case 'replace':
      return edit(document, path, { type: 'replace', value: operation.value })
    case 'remove':
      return edit(document, path, { type: 'remove' })
    case 'copy': {
      // What is missing in an object counts as null, as in the library that Kubernetes uses.
      const value = read(document, parsePointer(operation.from ?? '')) ?? null
      return edit(document, path, { type: 'add', value })
    }
    case 'move': {
      const from = parsePointer(operation.from ?? '')
      const value = read(document, from)
      return edit(edit(document, from, { type: 'remove' }), path, { type: 'add', value })
    }
    case 'test':
      return test(document, path, operation)
    default:
      throw unprocessablePatch()
  }
}

function test(document: unknown, path: readonly string[], operation: Operation): unknown {
  const actual = find(document, path)
  if (deepEqual(actual ?? null, operation.value ?? null)) return document
  throw unprocessablePatch()
}

function parsePointer(pointer: string): readonly string[] {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) throw unprocessablePatch()
  return pointer
    .slice(1)
    .split('/')
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The value at a path whose last step may be missing where it is a member. */
function read(document: unknown, path: readonly string[]): unknown {
  const value = find(document, path)
  if (value === undefined && !isRecord(find(document, path.slice(0, -1)))) throw unprocessablePatch()
  return value
}

function find(document: unknown, path: readonly string[]): unknown {
  let value = document
  for (const step of path) {
    if (Array.isArray(value)) value = value[arrayIndex(value, step)]
    else if (isRecord(value) && Object.hasOwn(value, step)) value = value[step]
    else return undefined
  }
  return value
}

type Edit = { readonly type: 'add' | 'replace'; readonly value: unknown } | { readonly type: 'remove' }

function edit(document: unknown, path: readonly string[], change: Edit): unknown {
  const [step, ...rest] = path
  if (step === undefined) return change.type === 'remove' ? null : change.value
  if (Array.isArray(document)) {
    if (rest.length === 0) return editArray(document, step, change)
    const index = arrayIndex(document, step)
    if (!(index in document)) throw unprocessablePatch()
    return document.with(index, edit(document[index], rest, change))
  }
  if (!isRecord(document)) throw unprocessablePatch()
  if (rest.length > 0) {
    if (!Object.hasOwn(document, step)) throw unprocessablePatch()
    return { ...document, [step]: edit(document[step], rest, change) }
  }
  if (change.type !== 'remove') return { ...document, [step]: change.value }
  if (!Object.hasOwn(document, step)) throw unprocessablePatch()
  const { [step]: _removed, ...others } = document
  return others
}

function editArray(array: readonly unknown[], step: string, change: Edit): unknown {
  const index = step === '-' && change.type === 'add' ? array.length : arrayIndex(array, step)
  if (change.type === 'add' && index >= 0 && index <= array.length) return array.toSpliced(index, 0, change.value)
  if (!(index in array)) throw unprocessablePatch()
  return change.type === 'remove'
    ? array.toSpliced(index, 1)
    : array.with(index, change.type === 'replace' ? change.value : undefined)
}

function arrayIndex(array: readonly unknown[], step: string): number {
  if (!/^(-?[1-9][0-9]*|0)$/.test(step)) return -1
  const index = Number(step)
  return index < 0 ? array.length + index : index
}
