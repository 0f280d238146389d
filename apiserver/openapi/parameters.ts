/** Parameters of operations. */

/** One parameter, in the path or in the query. */
export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly type: 'string' | 'integer' | 'boolean'
  readonly description: string
}

function query(name: string, type: Parameter['type'], description: string): Parameter {
  return { name, in: 'query', type, description }
}

/** A part of the path. */
export function pathParameter(name: string, description: string): Parameter {
  return { name, in: 'path', type: 'string', description }
}

/** Of every operation. */
export const pretty = query('pretty', 'string', "If 'true', then the output is pretty printed.")

const dryRun = query('dryRun', 'string', "'All' processes the request without storing its result.")
const fieldManager = query('fieldManager', 'string', 'Name of who makes the change. Required for apply.')
const fieldValidation = query(
  'fieldValidation',
  'string',
  "What happens to unknown and duplicate fields: 'Ignore', 'Warn' (default) or 'Strict'.",
)
const force = query('force', 'boolean', 'Takes over fields that others manage. For apply only.')

/** Of creations and replacements. */
export const writeParameters = [dryRun, fieldManager, fieldValidation]

/** Of patches. */
export const patchParameters = [...writeParameters, force]

/** Of deletions. */
export const deleteParameters = [
  dryRun,
  query('gracePeriodSeconds', 'integer', 'Seconds before the object is removed; 0 removes it at once.'),
  query('propagationPolicy', 'string', "What happens to dependents: 'Orphan', 'Background' or 'Foreground'."),
]

const resourceVersion = query('resourceVersion', 'string', 'The version to read, to list or to watch from.')

/** Of reading one object. */
export const readParameters = [resourceVersion]

/** Of choosing objects, page by page. */
export const pageParameters = [
  query('continue', 'string', 'Where the last page ended.'),
  query('fieldSelector', 'string', 'Restricts the objects by their fields.'),
  query('labelSelector', 'string', 'Restricts the objects by their labels.'),
  query('limit', 'integer', 'Largest number of objects in the answer.'),
  resourceVersion,
  query('resourceVersionMatch', 'string', "How resourceVersion is meant: 'NotOlderThan' or 'Exact'."),
  query('sendInitialEvents', 'boolean', 'Starts a watch with the present objects.'),
  query('timeoutSeconds', 'integer', 'How long a watch lasts.'),
]

/** Of lists and watches. */
export const listParameters = [
  query('allowWatchBookmarks', 'boolean', 'Asks for events that only carry a resource version.'),
  ...pageParameters,
  query('watch', 'boolean', 'Streams changes instead of a list.'),
]
