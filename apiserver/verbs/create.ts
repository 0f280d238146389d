import type { Random } from '../../crds/environment.ts'
import { timestamp } from '../../crds/environment.ts'
import { checkWrite } from '../admission/rules.ts'
import type { APIObject } from '../api-object.ts'
import { keyOf, withMember, withMetadata } from '../api-object.ts'
import { validateMetadata } from '../metadata.ts'
import { finalizerWarnings } from '../metadata-warnings.ts'
import type { Scope, ServerContext, WriteOptions } from '../scope.ts'
import { alreadyExists, forbidden, foreignNamespace, invalid, notFound, unforeseen } from '../status-error.ts'
import { withDefaults } from './admit.ts'
import { type Ownership, ownedAfterUpdate } from './ownership.ts'
import type { Pending } from './written.ts'
import { staged, thought } from './written.ts'

/** Letters of generated names: none that spells a word or looks like another. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** Longest base of a generated name; five letters follow. */
const generatedBase = 58

/** How often another generated name is tried before the client hears of it. */
const generationAttempts = 8

/** Decides the creation of an object that `admit` has read; throws StatusErrors. */
export function createObject(
  scope: Scope,
  object: APIObject,
  options: WriteOptions & { ownership: Ownership },
): Pending {
  const { context, resource } = scope
  const { store } = context
  resource.strategy.beforeCreate?.(object.metadata.name ?? '')
  const named = withName(scope, withNamespace(scope, object))
  const { name } = named.metadata
  checkNamespace(context, scope, name)
  if (typeof named.metadata.resourceVersion === 'string' && named.metadata.resourceVersion !== '') {
    throw unforeseen('resourceVersion should not be set on objects to be created')
  }
  const key = keyOf(named.metadata.namespace, name)
  const prepared = prepare(scope, named, options)
  const writer = { user: scope.user, authorizer: context.authorizer }
  resource.strategy.checkWriter?.(prepared, undefined, writer)
  validate(scope, prepared)
  const { definition } = resource
  checkWrite(context.admission, { definition, writer, next: prepared, old: undefined })
  if (store.latest(resource.collection, key) !== undefined) throw alreadyExists(definition, name)
  const stored = resource.toStored(prepared)
  return options.dryRun ? thought(stored, true) : staged(store.put(resource.collection, key, stored), true)
}

function withNamespace(scope: Scope, object: APIObject): APIObject {
  const { namespace } = object.metadata
  if (!scope.resource.definition.namespaced) return namespace ? object : withMetadata(object, { namespace: undefined })
  if (namespace && namespace !== scope.namespace) {
    throw foreignNamespace()
  }
  return namespace === scope.namespace ? object : withMetadata(object, { namespace: scope.namespace })
}

function withName(scope: Scope, object: APIObject): APIObject {
  const { name, generateName } = object.metadata
  if (name || !generateName) return object
  const { store, environment } = scope.context
  for (let attempt = 1; ; attempt++) {
    const generated = generateName.slice(0, generatedBase) + suffix(environment.random)
    const taken = store.latest(scope.resource.collection, keyOf(object.metadata.namespace, generated)) !== undefined
    if (!taken || attempt === generationAttempts) return withMetadata(object, { name: generated })
  }
}

function suffix(random: Random): string {
  return Array.from({ length: 5 }, () => alphabet[Math.floor(random.next() * alphabet.length)]).join('')
}

function checkNamespace(context: ServerContext, scope: Scope, name: string): void {
  const { definition } = scope.resource
  if (!definition.namespaced) return
  const namespace = context.store.latest('namespaces', scope.namespace)?.object
  if (namespace === undefined) throw notFound({ group: '', plural: 'namespaces', kind: 'Namespace' }, scope.namespace)
  if (namespace.metadata.deletionTimestamp === undefined) return
  throw forbidden(
    definition,
    name,
    `unable to create new content in namespace ${scope.namespace} because it is being terminated`,
    [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${scope.namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ],
  )
}

function prepare(scope: Scope, object: APIObject, options: WriteOptions & { ownership: Ownership }): APIObject {
  const { resource, context } = scope
  const { clock, random } = context.environment
  const { strategy, definition } = resource
  const system = withMetadata(object, {
    uid: random.uuid(),
    creationTimestamp: timestamp(clock),
    generation: strategy.generation ? 1 : undefined,
    resourceVersion: undefined,
    deletionTimestamp: undefined,
    deletionGracePeriodSeconds: undefined,
    selfLink: undefined,
  })
  const wished = definition.subresources.status ? withMember(system, 'status', undefined) : system
  const prepared = strategy.prepare?.(wished, undefined, clock) ?? wished
  const owned = options.ownership === 'applied' ? prepared : ownedAfterUpdate(scope, options, prepared)
  // Who creates an object has no say in its status: what that is by default is nobody's.
  return definition.schema?.properties?.status?.default === undefined ? owned : withDefaults(scope, owned)
}

function validate(scope: Scope, object: APIObject): void {
  const { definition, strategy } = scope.resource
  const errors = [
    ...validateMetadata(object.metadata, { namespaced: definition.namespaced, nameRule: strategy.nameRule }),
    ...(definition.compiled?.validate(object) ?? []),
    ...(strategy.validate?.(object, undefined) ?? []),
  ]
  if (errors.length > 0) throw invalid(definition, object.metadata.name ?? '', errors)
  if (!definition.builtin) scope.warnings.push(...finalizerWarnings(object.metadata))
}
