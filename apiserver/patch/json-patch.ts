import deepEqual from 'fast-deep-equal'
import { isRecord } from '../api-object.ts'
import { badRequest, tooManyOperations, unprocessablePatch } from '../status-error.ts'

/** One operation of a JSON patch (RFC 6902). */
interface Operation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

/** Most operations taken in one patch, as in Kubernetes. */
const operationLimit = 10_000

/** How much the copies of one patch may add up to, in bytes of JSON, as in Kubernetes: copies of copies double. */
const copyLimit = 3 * 1024 * 1024

/** Applies a JSON patch without changing its input; throws 400 for a malformed patch, 422 where it does not fit. */
export function jsonPatch(document: unknown, patch: unknown): unknown {
  const patching = new Patching(document)
  for (const operation of readOperations(patch)) patching.apply(operation)
  return patching.document
}

function readOperations(patch: unknown): readonly Operation[] {
  if (!Array.isArray(patch)) {
    throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type []handlers.jsonPatchOp')
  }
  if (patch.length > operationLimit) throw tooManyOperations(operationLimit, patch.length)
  return patch.map((operation: unknown) => {
    if (!isRecord(operation)) throw badRequest('error decoding patch: every operation is an object')
    const { op, path, from } = operation
    if (typeof op !== 'string' || typeof path !== 'string') throw unprocessablePatch()
    if ((op === 'move' || op === 'copy') && typeof from !== 'string') throw unprocessablePatch()
    return { op, path, ...(typeof from === 'string' && { from }), value: operation.value }
  })
}

type Members = Record<string, unknown>

/** A document on its way. What is changed is copied first, and only once: a patch costs what it touches. */
class Patching {
  document: unknown
  /** The objects and lists that are copies of this patch, each at one place of the document only. */
  readonly #own = new Set<unknown>()
  #copied = 0

  constructor(document: unknown) {
    this.document = document
  }

  apply(operation: Operation): void {
    const path = parsePointer(operation.path)
    switch (operation.op) {
      case 'add':
        this.#put(path, operation.value)
        break
      case 'replace':
        this.#replace(path, operation.value)
        break
      case 'remove':
        this.#remove(path)
        break
      case 'copy':
        this.#put(path, this.#copyOf(parsePointer(operation.from ?? '')))
        break
      case 'move':
        this.#put(path, this.#taken(parsePointer(operation.from ?? '')))
        break
      case 'test':
        if (!deepEqual(find(this.document, path) ?? null, operation.value ?? null)) throw unprocessablePatch()
        break
      default:
        throw unprocessablePatch()
    }
  }

  #taken(from: readonly string[]): unknown {
    const value = read(this.document, from)
    this.#remove(from)
    return value
  }

  #put(path: readonly string[], value: unknown): void {
    const step = path.at(-1)
    if (step === undefined) {
      this.document = value
      return
    }
    const parent = this.#changeable(path)
    if (!Array.isArray(parent)) {
      setMember(parent, step, value)
      return
    }
    const index = step === '-' ? parent.length : arrayIndex(parent, step)
    if (index < 0 || index > parent.length) throw unprocessablePatch()
    parent.splice(index, 0, value)
  }

  #replace(path: readonly string[], value: unknown): void {
    const step = path.at(-1)
    if (step === undefined) {
      this.document = value
      return
    }
    const parent = this.#changeable(path)
    if (!Array.isArray(parent)) setMember(parent, step, value)
    else parent[existing(parent, step)] = value
  }

  #remove(path: readonly string[]): void {
    const step = path.at(-1)
    if (step === undefined) {
      this.document = null
      return
    }
    const parent = this.#changeable(path)
    if (Array.isArray(parent)) {
      parent.splice(existing(parent, step), 1)
      return
    }
    if (!Object.hasOwn(parent, step)) throw unprocessablePatch()
    delete parent[step]
  }

  /** The object or list that a path's last step is in, made this patch's own, and everything above it. */
  #changeable(path: readonly string[]): Members | unknown[] {
    let container = this.#ownOf(this.document)
    this.document = container
    for (let depth = 0; depth < path.length - 1; depth++) {
      const step = path[depth] ?? ''
      if (!Array.isArray(container) && !Object.hasOwn(container, step)) throw unprocessablePatch()
      const inner = this.#ownOf(Array.isArray(container) ? container[existing(container, step)] : container[step])
      if (Array.isArray(container)) container[existing(container, step)] = inner
      else setMember(container, step, inner)
      container = inner
    }
    return container
  }

  #ownOf(value: unknown): Members | unknown[] {
    if (!Array.isArray(value) && !isRecord(value)) throw unprocessablePatch()
    if (this.#own.has(value)) return value
    const copy = Array.isArray(value) ? [...value] : { ...value }
    this.#own.add(copy)
    return copy
  }

  /** What is missing in an object counts as null, as in the library that Kubernetes uses. */
  #copyOf(from: readonly string[]): unknown {
    const text = JSON.stringify(read(this.document, from) ?? null)
    this.#copied += text.length
    if (this.#copied > copyLimit) throw unprocessablePatch()
    return JSON.parse(text)
  }
}

function setMember(members: Members, name: string, value: unknown): void {
  // It would change the prototype where it is assigned.
  if (name === '__proto__') throw unprocessablePatch()
  members[name] = value
}

function existing(list: readonly unknown[], step: string): number {
  const index = arrayIndex(list, step)
  if (!(index in list)) throw unprocessablePatch()
  return index
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

function arrayIndex(array: readonly unknown[], step: string): number {
  if (!/^(-?[1-9][0-9]*|0)$/.test(step)) return -1
  const index = Number(step)
  return index < 0 ? array.length + index : index
}
