import type { Environment } from '../crds/environment.ts'
import type { AdmissionRules } from './admission/rules.ts'
import type { APIRequest, User } from './api-request.ts'
import type { Authorizer } from './authorization/authorizer.ts'
import { forbiddenField, invalidValue, requiredValue, tooLong, unsupportedValue } from './field-errors.ts'
import type { Registry, ServedResource } from './registry.ts'
import type { Accept } from './request/accept.ts'
import { readBoolean } from './request/query.ts'
import type { FieldError } from './schema/field-error.ts'
import { invalid } from './status-error.ts'
import type { Store } from './storage/store.ts'

/** What a server consists of. */
export interface ServerContext {
  readonly store: Store
  readonly registry: Registry
  readonly environment: Environment
  /** Who may do what. */
  readonly authorizer: Authorizer
  /** What is refused of custom resources beside what their schemas say. */
  readonly admission: AdmissionRules
  /** Aborts when the server closes: watches then end. */
  readonly closing: AbortSignal
}

/** One request, once it is known which resource it is about. */
export interface Scope {
  readonly context: ServerContext
  readonly resource: ServedResource
  /** '' for cluster-scoped resources, and for all namespaces. */
  readonly namespace: string
  /** '' for the collection. */
  readonly name: string
  readonly subresource: '' | 'status' | 'finalize' | 'scale'
  readonly query: URLSearchParams
  readonly request: APIRequest
  /** Who asks, or whom he acts as. */
  readonly user: User
  readonly accept: Accept
  /** Texts for Warning headers. */
  readonly warnings: string[]
}

/** Options of everything that writes. */
export interface WriteOptions {
  readonly dryRun: boolean
  /** Who the written fields belong to. */
  readonly manager: string
  /** What happens to unknown and duplicate fields. */
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore'
  /** Apply only: takes fields from other managers. */
  readonly force: boolean
}

const validations = ['Ignore', 'Strict', 'Warn'] as const

/** Longest field manager taken, in characters. */
const managerLimit = 128

/** Reads the options of a write; throws 400 or 422. */
export function writeOptions(
  scope: Scope,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
  apply = false,
): WriteOptions {
  const { query, request } = scope
  const errors = []
  const wished = query.get('fieldValidation') || 'Warn'
  const fieldValidation = validations.find(each => each === wished)
  if (fieldValidation === undefined) errors.push(unsupportedValue('fieldValidation', wished, ['', ...validations]))
  const given = query.get('fieldManager') ?? ''
  if (apply && given === '') errors.push(requiredValue('fieldManager', 'is required for apply patch'))
  errors.push(...managerWrongs(given))
  if (kind === 'PatchOptions' && !apply && query.has('force')) {
    errors.push(forbiddenField('force', 'may not be specified for non-apply patch'))
  }
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors)
  return {
    dryRun: readDryRun(query, kind),
    manager: given === '' ? managerOf(request.headers['user-agent']) : given,
    fieldValidation: fieldValidation ?? 'Warn',
    force: apply && readBoolean(query, 'force'),
  }
}

/** Reads `dryRun`: nothing, or All. */
export function readDryRun(query: URLSearchParams, kind: string): boolean {
  return checkDryRun(query.getAll('dryRun'), kind)
}

/** Whether a write is only thought through; throws a 422 for anything but All. */
export function checkDryRun(values: readonly unknown[], kind: string): boolean {
  if (values.every(value => value === 'All')) return values.length > 0
  throw invalid({ group: 'meta.k8s.io', kind }, '', [unsupportedValue('dryRun', values, ['All'])])
}

function managerOf(userAgent: string | undefined): string {
  const name = userAgent?.split('/')[0]?.slice(0, managerLimit) ?? ''
  return name === '' ? 'unknown' : name
}

function managerWrongs(manager: string): readonly FieldError[] {
  if (manager.length > managerLimit) return [tooLong('fieldManager', manager, managerLimit)]
  return [...manager].flatMap((character, index) => {
    if (/\P{C}/u.test(character)) return []
    const code = character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')
    return [invalidValue('fieldManager', manager, `invalid character U+${code} (at position ${index})`)]
  })
}
