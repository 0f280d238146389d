/** The columns of kinds that the server itself brings, as kubectl's users know them. */

import { isRecord, type JSONObject } from '../api-object.ts'
import { printAge } from './duration.ts'

/** A column of a Table. */
export interface TableColumn {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
}

/** What is in a cell, of an object at a time (milliseconds since the epoch). */
export type Cell = (object: JSONObject, now: number) => unknown

/** A column with its cells. */
export interface Column {
  readonly column: TableColumn
  readonly cell: Cell
}

interface ColumnOptions {
  readonly type?: string
  readonly format?: string
  /** Shown only with `-o wide`. Default false. */
  readonly wide?: boolean
}

function column(name: string, description: string, cell: Cell, options: ColumnOptions = {}): Column {
  const { type = 'string', format = '', wide = false } = options
  return { column: { name, type, format, description, priority: wide ? 1 : 0 }, cell }
}

/** The value at a path of keys; undefined where it ends early. */
function at(object: unknown, ...keys: readonly string[]): unknown {
  let value = object
  for (const key of keys) {
    if (!isRecord(value)) return undefined
    value = value[key]
  }
  return value
}

function textAt(object: unknown, ...keys: readonly string[]): string {
  const value = at(object, ...keys)
  return typeof value === 'string' ? value : ''
}

/** The name of the object: the first column of nearly every kind. */
export const nameColumn = column(
  'Name',
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
  object => at(object, 'metadata', 'name'),
  { format: 'name' },
)

/** How long ago the object was created. */
export const ageColumn = column(
  'Age',
  'CreationTimestamp is the time at which the server created the object, in UTC.',
  (object, now) => printAge(at(object, 'metadata', 'creationTimestamp'), now),
)

function sizeOf(value: unknown): number {
  if (Array.isArray(value)) return value.length
  return isRecord(value) ? Object.keys(value).length : 0
}

const createdAtColumn = column(
  'Created At',
  'CreationTimestamp is the time at which the server created the object, in UTC.',
  object => at(object, 'metadata', 'creationTimestamp'),
  { type: 'date' },
)

/** `kind/name` of what the event is about. */
function eventTarget(object: JSONObject): string {
  const target = object.involvedObject ?? object.regarding
  const name = textAt(target, 'name')
  return name === '' ? '' : `${textAt(target, 'kind').toLowerCase()}/${name}`
}

function eventSource(object: JSONObject): string {
  const source = object.source ?? object.deprecatedSource
  const component =
    textAt(source, 'component') || textAt(object, 'reportingComponent') || textAt(object, 'reportingController')
  const host = textAt(source, 'host') || textAt(object, 'reportingInstance')
  return [component, host].filter(part => part !== '').join(', ')
}

function firstSeen(object: JSONObject): unknown {
  return object.firstTimestamp ?? object.deprecatedFirstTimestamp ?? object.eventTime
}

function lastSeen(object: JSONObject): unknown {
  return (
    at(object, 'series', 'lastObservedTime') ??
    object.lastTimestamp ??
    object.deprecatedLastTimestamp ??
    firstSeen(object)
  )
}

function eventCount(object: JSONObject): number {
  const count = at(object, 'series', 'count') ?? object.count ?? object.deprecatedCount
  return typeof count === 'number' && count > 0 ? count : 1
}

const eventColumns: readonly Column[] = [
  column('Last Seen', 'When the event was last seen.', (object, now) => printAge(lastSeen(object), now)),
  column('Type', 'Normal or Warning.', object => textAt(object, 'type')),
  column('Reason', 'Why the event was sent, in one word.', object => textAt(object, 'reason')),
  column('Object', 'What the event is about.', eventTarget),
  column(
    'Subobject',
    'Which part of it the event is about.',
    object => textAt(object.involvedObject ?? object.regarding, 'fieldPath'),
    { wide: true },
  ),
  column('Source', 'Who sent the event.', eventSource, { wide: true }),
  column('Message', 'What happened.', object => (textAt(object, 'message') || textAt(object, 'note')).trim()),
  column('First Seen', 'When the event was first seen.', (object, now) => printAge(firstSeen(object), now), {
    wide: true,
  }),
  column('Count', 'How often the event was seen.', eventCount, { type: 'string', wide: true }),
  { ...nameColumn, column: { ...nameColumn.column, priority: 1 } },
]

const columnsByKind: Readonly<Record<string, readonly Column[]>> = {
  'Namespace.': [
    nameColumn,
    column('Status', 'The status of the namespace.', object => textAt(object, 'status', 'phase')),
    ageColumn,
  ],
  'Secret.': [
    nameColumn,
    column('Type', 'What kind of data the secret holds.', object => textAt(object, 'type')),
    column('Data', 'Number of keys in the data.', object => sizeOf(object.data), { type: 'string' }),
    ageColumn,
  ],
  'ConfigMap.': [
    nameColumn,
    column('Data', 'Number of keys in the data.', object => sizeOf(object.data) + sizeOf(object.binaryData)),
    ageColumn,
  ],
  'ServiceAccount.': [nameColumn, ageColumn],
  'Event.': eventColumns,
  'Event.events.k8s.io': eventColumns,
  'Lease.coordination.k8s.io': [
    nameColumn,
    column('Holder', 'Who holds the lease.', object => textAt(object, 'spec', 'holderIdentity')),
    ageColumn,
  ],
  'CustomResourceDefinition.apiextensions.k8s.io': [nameColumn, createdAtColumn],
}

/** The columns of a kind that the server itself brings; undefined for any other. */
export function builtinColumns(kind: string, group: string): readonly Column[] | undefined {
  const key = `${kind}.${group}`
  return Object.hasOwn(columnsByKind, key) ? columnsByKind[key] : undefined
}
