/** Prints objects as a meta.k8s.io/v1 Table: what `kubectl get` asks for. */

import type { PrinterColumn, ResourceDefinition } from '../resource-definition.ts'
import { isObject, type JSONObject } from '../schema/json.ts'
import { ageColumn, builtinColumns, type Cell, type Column, nameColumn } from './builtin-columns.ts'
import { printAge } from './duration.ts'
import { compileJSONPath } from './json-path.ts'

/** How a Table is to be made. */
export interface TableOptions {
  /** Milliseconds since the epoch: ages are counted from here. */
  readonly now: number
  /** What each row carries beside its cells. */
  readonly includeObject: 'Metadata' | 'Object' | 'None'
  /** Metadata of the list that the rows are of; left out for a single object. */
  readonly listMetadata?: object
}

const columnsOf = new WeakMap<ResourceDefinition, readonly Column[]>()

/** The Table of the objects. */
export function tableOf(definition: ResourceDefinition, objects: readonly object[], options: TableOptions): object {
  let columns = columnsOf.get(definition)
  if (!columns) {
    columns = findColumns(definition)
    columnsOf.set(definition, columns)
  }
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: options.listMetadata ?? metadataOf(objects),
    columnDefinitions: columns.map(({ column }) => column),
    rows: objects.map(object => rowOf(object, columns, options)),
  }
}

/** A single object stands for itself: its version is the table's. */
function metadataOf(objects: readonly object[]): object {
  const [only] = objects
  const metadata = isObject(only) && objects.length === 1 ? only.metadata : undefined
  return isObject(metadata) && metadata.resourceVersion !== undefined
    ? { resourceVersion: metadata.resourceVersion }
    : {}
}

function rowOf(object: object, columns: readonly Column[], options: TableOptions): object {
  const content: JSONObject = isObject(object) ? object : {}
  const cells = columns.map(({ cell }) => cell(content, options.now) ?? null)
  if (options.includeObject === 'None') return { cells }
  if (options.includeObject === 'Object') return { cells, object }
  const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: content.metadata }
  return { cells, object: partial }
}

function findColumns(definition: ResourceDefinition): readonly Column[] {
  const builtin = definition.builtin ? builtinColumns(definition.kind, definition.group) : undefined
  if (builtin) return builtin
  if (definition.columns.length === 0) return [nameColumn, ageColumn]
  return [nameColumn, ...definition.columns.map(columnOf)]
}

function columnOf(printer: PrinterColumn): Column {
  const description =
    printer.description ?? `Custom resource definition column (in JSONPath format): ${printer.jsonPath}`
  const { name, type, priority, format = '' } = printer
  return { column: { name, type, format, description, priority }, cell: cellOf(printer) }
}

function cellOf(printer: PrinterColumn): Cell {
  const find = compileJSONPath(printer.jsonPath)
  const print = printers[printer.type]
  return (object, now) => {
    const [value] = find(object)
    return value === undefined || value === null ? null : print(value, now)
  }
}

/** How a value is printed in a column of a type; undefined where it does not fit the type. */
const printers: Readonly<Record<PrinterColumn['type'], (value: unknown, now: number) => unknown>> = {
  string: value => (typeof value === 'string' ? value : JSON.stringify(value)),
  integer: value => (typeof value === 'number' ? Math.trunc(value) : undefined),
  number: value => (typeof value === 'number' ? value : undefined),
  boolean: value => (typeof value === 'boolean' ? value : undefined),
  date: (value, now) => (typeof value === 'string' ? printAge(value, now) : undefined),
}
