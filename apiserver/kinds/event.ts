/** Events: one collection in the form of core v1, served as core v1 and as events.k8s.io/v1. */

import type { APIObject, JSONObject } from '../api-object.ts'
import { isRecord, valueAt } from '../api-object.ts'
import { serve } from '../registry.ts'
import type { Strategy } from '../strategy.ts'
import { plainStrategy } from '../strategy.ts'
import { builtinDefinition } from './builtin.ts'
import { integer, kind, object, text, time } from './schemas.ts'

/** The collection of all events. */
export const eventCollection = 'events'

const reference = (description: string) =>
  object(description, {
    apiVersion: text('API version of the object.'),
    kind: text('Kind of the object.'),
    namespace: text('Namespace of the object.'),
    name: text('Name of the object.'),
    uid: text('UID of the object.'),
    resourceVersion: text('Version of the object that the event is about.'),
    fieldPath: text('Path to the part of the object that the event is about.'),
  })

const source = (description: string) =>
  object(description, { component: text('Component that reports.'), host: text('Host of the component.') })

const series = (observed: string) =>
  object('Series says how often the event has happened.', {
    count: integer('Number of occurrences.'),
    [observed]: time('Time of the last occurrence.'),
  })

const common = {
  reason: text('Reason is one word for what happened.'),
  type: text('Type is Normal or Warning.'),
  action: text('Action is what was done, or failed.'),
  eventTime: time('EventTime is when the event was first seen.'),
  series: series('lastObservedTime'),
  related: reference('Related is a second object that the event concerns.'),
}

function fieldsOf(name: string): Strategy['fields'] {
  const parts = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']
  const pick = (path: readonly string[]) => (event: APIObject) => String(valueAt(event, path) ?? '')
  const references = parts.map(part => [`${name}.${part}`, pick([name, part])] as const)
  const plain = ['reason', 'type', 'reportingComponent', 'reportingController'].map(
    part => [part, pick([part])] as const,
  )
  return Object.fromEntries([...references, ...plain, ['source', pick(['source', 'component'])] as const])
}

const coreDefinition = builtinDefinition({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  schema: kind('Event is a report of an event somewhere in the cloud.', {
    ...common,
    involvedObject: reference('InvolvedObject is the object that the event is about.'),
    message: text('Message describes the event for people.'),
    source: source('Source is the component that reports.'),
    firstTimestamp: time('FirstTimestamp is when the event was first recorded.'),
    lastTimestamp: time('LastTimestamp is when the event was last recorded.'),
    count: integer('Count is how often the event has happened.'),
    reportingComponent: text('ReportingComponent is the controller that reports.'),
    reportingInstance: text('ReportingInstance is the instance of the controller.'),
  }),
})

const groupDefinition = builtinDefinition({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  schema: kind('Event is a report of an event somewhere in the cloud.', {
    ...common,
    regarding: reference('Regarding is the object that the event is about.'),
    note: text('Note describes the event for people.'),
    reportingController: text('ReportingController is the controller that reports.'),
    reportingInstance: text('ReportingInstance is the instance of the controller.'),
    deprecatedSource: source('DeprecatedSource is for the core v1 form.'),
    deprecatedFirstTimestamp: time('DeprecatedFirstTimestamp is for the core v1 form.'),
    deprecatedLastTimestamp: time('DeprecatedLastTimestamp is for the core v1 form.'),
    deprecatedCount: integer('DeprecatedCount is for the core v1 form.'),
  }),
})

/** Names of the members in core v1, and what events.k8s.io/v1 calls them. */
const renamed: readonly (readonly [string, string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
]

const toGroup = new Map(renamed)
const toCore = new Map(renamed.map(([core, group]) => [group, core] as const))

function convert(event: APIObject, names: ReadonlyMap<string, string>, apiVersion: string): APIObject {
  const members = Object.entries(event).map(([key, value]) => [names.get(key) ?? key, value])
  return { ...(Object.fromEntries(members) as JSONObject), apiVersion, kind: event.kind, metadata: event.metadata }
}

/** Times that were not given are there as null, as in Kubernetes: `kubectl get events --sort-by=.lastTimestamp` needs them. */
function prepared(next: APIObject, subject: string, first: string, last: string): APIObject {
  const defaults = { [subject]: {}, [first]: null, [last]: null }
  const given = Object.entries(next).filter(([name, value]) => name !== subject || isRecord(value))
  return { ...defaults, ...(Object.fromEntries(given) as APIObject) }
}

const strategy: Strategy = {
  ...plainStrategy,
  createOnUpdate: true,
  fields: fieldsOf('involvedObject'),
  prepare: next => prepared(next, 'involvedObject', 'firstTimestamp', 'lastTimestamp'),
}

const conversion = { collection: eventCollection, storedVersion: 'v1' }

/** Events of core v1. */
export const coreEvents = serve(coreDefinition, strategy, conversion)

/** Events of events.k8s.io/v1. */
export const groupEvents = serve(
  groupDefinition,
  {
    ...strategy,
    fields: fieldsOf('regarding'),
    prepare: next => prepared(next, 'regarding', 'deprecatedFirstTimestamp', 'deprecatedLastTimestamp'),
  },
  {
    ...conversion,
    toServed: event => convert(event, toGroup, 'events.k8s.io/v1'),
    toStored: event => convert(event, toCore, 'v1'),
  },
)
