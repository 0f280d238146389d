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
  if (!Array.isArray(patch))
    throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type jsonpatch.Patch')
  if (patch.length > operationLimit) throw requestTooLarge(operationLimit)
  return patch.map((operation: unknown) => {
    if (!isRecord(operation) || typeof operation.op !== 'string' || typeof operation.path !== 'string') {
      throw badRequest('error decoding patch: every operation needs op and path')
    }
    const { op, path, from } = operation
    if ((op === 'move' || op === 'copy') && typeof from !== 'string') {
      throw badRequest(`error decoding patch: ${op} needs from`)
    }
    return { op, path, ...(typeof from === 'string' && { from }), value: operation.value }
  })
}

function applyOperation(document: unknown, operation: Operation): unknown {
  const path = parsePointer(operation.path)
  switch (operation.op) {
    case 'add':
      return edit(document, path, operation, { type: 'add', value: operation.value })
    case 'replace':
      read(document, path, operation)
      return edit(document, path, operation, { type: 'replace', value: operation.value })
    case 'remove':
      return edit(document, path, operation, { type: 'remove' })
    case 'copy': {
      const value = read(document, parsePointer(operation.from ?? ''), operation)
      return edit(document, path, operation, { type: 'add', value })
    }
    case 'move': {
      const from = parsePointer(operation.from ?? '')
      const value = read(document, from, operation)
      return edit(edit(document, from, operation, { type: 'remove' }), path, operation, { type: 'add', value })
    }
    case 'test':
      return test(document, path, operation)
    default:
      throw unprocessablePatch(`Unexpected kind: ${operation.op}`)
  }
}

function test(document: unknown, path: readonly string[], operation: Operation): unknown {
  const actual = find(document, path)
  if (deepEqual(actual ?? null, operation.value ?? null)) return document
  throw unprocessablePatch(`testing value ${operation.path} failed: test failed`)
}

function parsePointer(pointer: string): readonly string[] {
  if (pointer === '') return []
  if (!pointer.startsWith('/'))
    throw unprocessablePatch(`error in JSON pointer ${JSON.stringify(pointer)}: it must start with /`)
  return pointer
    .slice(1)
    .split('/')
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
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

function read(document: unknown, path: readonly string[], operation: Operation): unknown {
  const value = find(document, path)
  if (value === undefined) throw missing(operation)
  return value
}

type Edit = { readonly type: 'add' | 'replace'; readonly value: unknown } | { readonly type: 'remove' }

function edit(document: unknown, path: readonly string[], operation: Operation, change: Edit): unknown {
  const [step, ...rest] = path
  if (step === undefined) return change.type === 'remove' ? null : change.value
  if (Array.isArray(document)) {
    if (rest.length === 0) return editArray(document, step, operation, change)
    const index = arrayIndex(document, step)
    if (!(index in document)) throw missing(operation)
    return document.with(index, edit(document[index], rest, operation, change))
  }
  if (!isRecord(document)) throw missing(operation)
  if (rest.length > 0) {
    if (!Object.hasOwn(document, step)) throw missing(operation)
    return { ...document, [step]: edit(document[step], rest, operation, change) }
  }
  if (change.type !== 'remove') return { ...document, [step]: change.value }
  if (!Object.hasOwn(document, step)) throw missing(operation)
  const { [step]: _removed, ...others } = document
  return others
}

function editArray(array: readonly unknown[], step: string, operation: Operation, change: Edit): unknown {
  const index = step === '-' && change.type === 'add' ? array.length : arrayIndex(array, step)
  if (change.type === 'add' && index >= 0 && index <= array.length) return array.toSpliced(index, 0, change.value)
  if (!(index in array)) throw missing(operation)
  return change.type === 'remove'
    ? array.toSpliced(index, 1)
    : array.with(index, change.type === 'replace' ? change.value : undefined)
}

function arrayIndex(array: readonly unknown[], step: string): number {
  if (!/^(-?[1-9][0-9]*|0)$/.test(step)) return -1
  const index = Number(step)
  return index < 0 ? array.length + index : index
}

function missing(operation: Operation): Error {
  return unprocessablePatch(
    `${operation.op} operation does not apply: doc is missing path: ${JSON.stringify(operation.path)}: missing value`,
  )
}
