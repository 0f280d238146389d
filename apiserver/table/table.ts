/** Prints objects as a meta.k8s.io/v1 Table: what `kubectl get` asks for. */

import type { JSONObject } from '../api-object.ts'
import type { PrinterColumn, ResourceDefinition } from '../resource-definition.ts'
import type { Cell, Column, TableColumn } from './builtin-columns.ts'
import { ageColumn, builtinColumns, nameColumn } from './builtin-columns.ts'
import { printAge } from './duration.ts'
import { compileJSONPath } from './json-path.ts'

const known = new WeakMap<ResourceDefinition, readonly Column[]>()

/** The columns of a kind, as a Table names them. */
export function columnDefinitionsOf(definition: ResourceDefinition): readonly TableColumn[] {
  return columnsOf(definition).map(({ column }) => column)
}

/** The cells of an object in its row, in the order of the columns, at a time (milliseconds since the epoch). */
export function cellsOf(definition: ResourceDefinition, object: JSONObject, now: number): readonly unknown[] {
  return columnsOf(definition).map(({ cell }) => cell(object, now) ?? null)
}

function columnsOf(definition: ResourceDefinition): readonly Column[] {
  const before = known.get(definition)
  if (before !== undefined) return before
  const columns = findColumns(definition)
  known.set(definition, columns)
  return columns
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
    const value = find(object)[0]
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
