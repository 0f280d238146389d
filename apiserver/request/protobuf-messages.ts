/** Field numbers of the messages that clients send in protobuf, as k8s.io/api publishes them. */

/** One field of a message. */
export interface Field {
  readonly name: string
  readonly type: 'string' | 'bytes' | 'number' | 'boolean' | 'time' | 'map' | 'message'
  readonly repeated?: boolean
  /** String: one that may be there and empty; others that are empty were never set. */
  readonly optional?: boolean
  /** Map: its values are bytes, base64 in JSON. */
  readonly binary?: boolean
  /** Time: with microseconds. */
  readonly fraction?: boolean
  readonly message?: Message
}

/** A message: its fields by number. */
export interface Message {
  readonly [number: number]: Field
}

const string = (name: string): Field => ({ name, type: 'string' })
const optionalString = (name: string): Field => ({ name, type: 'string', optional: true })
const strings = (name: string): Field => ({ name, type: 'string', repeated: true })
const number = (name: string): Field => ({ name, type: 'number' })
const boolean = (name: string): Field => ({ name, type: 'boolean' })
const time = (name: string): Field => ({ name, type: 'time' })
const microTime = (name: string): Field => ({ name, type: 'time', fraction: true })
const map = (name: string): Field => ({ name, type: 'map' })
const binaryMap = (name: string): Field => ({ name, type: 'map', binary: true })
const part = (name: string, message: Message): Field => ({ name, type: 'message', message })
const parts = (name: string, message: Message): Field => ({ name, type: 'message', message, repeated: true })

/** runtime.Unknown: what wraps every object. */
export const envelope: Message = {
  1: part('typeMeta', { 1: string('apiVersion'), 2: string('kind') }),
  2: { name: 'raw', type: 'bytes' },
}

const ownerReference: Message = {
  1: string('kind'),
  3: string('name'),
  4: string('uid'),
  5: string('apiVersion'),
  6: boolean('controller'),
  7: boolean('blockOwnerDeletion'),
}

const metadata = part('metadata', {
  1: string('name'),
  2: string('generateName'),
  3: string('namespace'),
  5: string('uid'),
  6: string('resourceVersion'),
  7: number('generation'),
  8: time('creationTimestamp'),
  9: time('deletionTimestamp'),
  10: number('deletionGracePeriodSeconds'),
  11: map('labels'),
  12: map('annotations'),
  13: parts('ownerReferences', ownerReference),
  14: strings('finalizers'),
})

const reference: Message = {
  1: string('kind'),
  2: string('namespace'),
  3: string('name'),
  4: string('uid'),
  5: string('apiVersion'),
  6: string('resourceVersion'),
  7: string('fieldPath'),
}

const source: Message = { 1: string('component'), 2: string('host') }
const series: Message = { 1: number('count'), 2: microTime('lastObservedTime') }

const coreEvent: Message = {
  1: metadata,
  2: part('involvedObject', reference),
  3: string('reason'),
  4: string('message'),
  5: part('source', source),
  6: time('firstTimestamp'),
  7: time('lastTimestamp'),
  8: number('count'),
  9: string('type'),
  10: microTime('eventTime'),
  11: part('series', series),
  12: string('action'),
  13: part('related', reference),
  14: string('reportingComponent'),
  15: string('reportingInstance'),
}

const groupEvent: Message = {
  1: metadata,
  2: microTime('eventTime'),
  3: part('series', series),
  4: string('reportingController'),
  5: string('reportingInstance'),
  6: string('action'),
  7: string('reason'),
  8: part('regarding', reference),
  9: part('related', reference),
  10: string('note'),
  11: string('type'),
  12: part('deprecatedSource', source),
  13: time('deprecatedFirstTimestamp'),
  14: time('deprecatedLastTimestamp'),
  15: number('deprecatedCount'),
}

const lease: Message = {
  1: metadata,
  2: part('spec', {
    1: optionalString('holderIdentity'),
    2: number('leaseDurationSeconds'),
    3: microTime('acquireTime'),
    4: microTime('renewTime'),
    5: number('leaseTransitions'),
    6: optionalString('strategy'),
    7: optionalString('preferredHolder'),
  }),
}

const deleteOptions: Message = {
  1: number('gracePeriodSeconds'),
  2: part('preconditions', { 1: string('uid'), 2: string('resourceVersion') }),
  3: boolean('orphanDependents'),
  4: string('propagationPolicy'),
  5: strings('dryRun'),
}

const resourceAttributes: Message = {
  1: string('namespace'),
  2: string('verb'),
  3: string('group'),
  4: string('version'),
  5: string('resource'),
  6: string('subresource'),
  7: string('name'),
}

const accessSpec: Message = {
  1: part('resourceAttributes', resourceAttributes),
  2: part('nonResourceAttributes', { 1: string('path'), 2: string('verb') }),
}

const subjectAccessSpec: Message = { ...accessSpec, 3: string('user'), 4: strings('groups'), 6: string('uid') }

const policyRules = parts('rules', {
  1: strings('verbs'),
  2: strings('apiGroups'),
  3: strings('resources'),
  4: strings('resourceNames'),
  5: strings('nonResourceURLs'),
})

const labelSelector: Message = {
  1: map('matchLabels'),
  2: parts('matchExpressions', { 1: string('key'), 2: string('operator'), 3: strings('values') }),
}

const binding: Message = {
  1: metadata,
  2: parts('subjects', { 1: string('kind'), 2: string('apiGroup'), 3: string('name'), 4: string('namespace') }),
  3: part('roleRef', { 1: string('apiGroup'), 2: string('kind'), 3: string('name') }),
}

const tokenRequest: Message = {
  1: metadata,
  2: part('spec', {
    1: strings('audiences'),
    3: part('boundObjectRef', { 1: string('kind'), 2: string('apiVersion'), 3: string('name'), 4: string('uid') }),
    4: number('expirationSeconds'),
  }),
}

const messages: Readonly<Record<string, Message>> = {
  'v1 Namespace': {
    1: metadata,
    2: part('spec', { 1: strings('finalizers') }),
    3: part('status', { 1: string('phase') }),
  },
  'v1 ConfigMap': { 1: metadata, 2: map('data'), 3: binaryMap('binaryData'), 4: boolean('immutable') },
  'v1 Secret': { 1: metadata, 2: binaryMap('data'), 3: string('type'), 4: map('stringData'), 5: boolean('immutable') },
  'v1 ServiceAccount': {
    1: metadata,
    2: parts('secrets', reference),
    3: parts('imagePullSecrets', { 1: string('name') }),
    4: boolean('automountServiceAccountToken'),
  },
  'v1 Event': coreEvent,
  'events.k8s.io/v1 Event': groupEvent,
  'coordination.k8s.io/v1 Lease': lease,
  'authentication.k8s.io/v1 SelfSubjectReview': { 1: metadata },
  'authentication.k8s.io/v1 TokenRequest': tokenRequest,
  'authentication.k8s.io/v1 TokenReview': {
    1: metadata,
    2: part('spec', { 1: string('token'), 2: strings('audiences') }),
  },
  'authorization.k8s.io/v1 LocalSubjectAccessReview': { 1: metadata, 2: part('spec', subjectAccessSpec) },
  'authorization.k8s.io/v1 SelfSubjectAccessReview': { 1: metadata, 2: part('spec', accessSpec) },
  'authorization.k8s.io/v1 SelfSubjectRulesReview': { 1: metadata, 2: part('spec', { 1: string('namespace') }) },
  'authorization.k8s.io/v1 SubjectAccessReview': { 1: metadata, 2: part('spec', subjectAccessSpec) },
  'rbac.authorization.k8s.io/v1 Role': { 1: metadata, 2: policyRules },
  'rbac.authorization.k8s.io/v1 ClusterRole': {
    1: metadata,
    2: policyRules,
    3: part('aggregationRule', { 1: parts('clusterRoleSelectors', labelSelector) }),
  },
  'rbac.authorization.k8s.io/v1 RoleBinding': binding,
  'rbac.authorization.k8s.io/v1 ClusterRoleBinding': binding,
}

/** The message of a kind; undefined for kinds that travel as JSON only. */
export function messageOf(apiVersion: string, kind: string): Message | undefined {
  // DeleteOptions come under the version of whatever is deleted.
  return kind === 'DeleteOptions' ? deleteOptions : messages[`${apiVersion} ${kind}`]
}
