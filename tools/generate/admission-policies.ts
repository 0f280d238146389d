import {
  finalizerRefusal,
  guardedFinalizer,
  type OperatorField,
  operatorFields,
  protection,
  refusalOf,
} from '../../crds/admission.ts'
import { finalizerOf } from '../../crds/finalizer.ts'
import type { KindSource } from './kind-source.ts'

/** The objects of `manifests/install/admission.yaml`: on a cluster they refuse what `crds/admission.ts` names. */
export function admissionPolicies(sources: readonly KindSource[]): readonly object[] {
  const forOperators = operatorFields.map(field =>
    policyOf(having(field, sources), {
      name: `skystead-operator-fields-${field.path.at(-1)?.toLowerCase()}`,
      operations: ['CREATE', 'UPDATE'],
      variables: [
        { name: 'wished', expression: at('object', field) },
        { name: 'before', expression: `oldObject == null ? optional.none() : ${at('oldObject', field)}` },
      ],
      validation: {
        expression: `${unchanged(field)} || ${allowed(field)}`,
        messageExpression: `'${refusalOf(field, plural)}'`,
      },
    }),
  )
  const held = policyOf(sources, {
    name: 'skystead-finalizers',
    operations: ['UPDATE'],
    variables: [{ name: 'finalizer', expression: `request.resource.group + '${finalizerOf({ group: '' })}'` }],
    validation: {
      expression: `!${hasFinalizer('oldObject')} || ${hasFinalizer('object')} || ${allowed(guardedFinalizer)}`,
      messageExpression: `'${finalizerRefusal("' + variables.finalizer + '", plural)}'`,
    },
  })
  const kept = policyOf(having(protection, sources), {
    name: 'skystead-protected',
    operations: ['DELETE'],
    validation: {
      expression: `${at('oldObject', protection)} != optional.of('${protection.value}')`,
      message: protection.refusal,
    },
  })
  return [...forOperators, held, kept].flat()
}

/** Within a text of CEL, what the writer calls the resource. */
const plural = "' + request.resource.resource + '"

function hasFinalizer(object: string): string {
  return `(variables.finalizer in ${object}.metadata.?finalizers.orValue([]))`
}

/** A field, or one value of it. */
type Field = Pick<OperatorField, 'path' | 'value'>

interface Policy {
  readonly name: string
  readonly operations: readonly string[]
  readonly variables?: readonly { readonly name: string; readonly expression: string }[]
  readonly validation: { readonly expression: string; readonly message?: string; readonly messageExpression?: string }
}

function having(field: Field, sources: readonly KindSource[]): readonly KindSource[] {
  return sources.filter(({ schema }) => mayHold(schema, field))
}

/** A policy for some kinds, and its binding; nothing where there are none. */
function policyOf(sources: readonly KindSource[], policy: Policy): readonly object[] {
  const { name, operations, variables, validation } = policy
  const definitions = sources.map(({ definition }) => definition)
  if (definitions.length === 0) return []
  const groups = [...new Set(definitions.map(({ group }) => group))].sort()
  const resourceRules = groups.map(group => ({
    apiGroups: [group],
    apiVersions: ['*'],
    operations,
    resources: definitions.flatMap(definition => (definition.group === group ? definition.plural : [])).sort(),
  }))
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules },
        ...(variables !== undefined && { variables }),
        validations: [{ ...validation, reason: 'Forbidden' }],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    },
  ]
}

function at(object: string, { path }: Field): string {
  return [object, ...path].join('.?')
}

function unchanged({ value }: OperatorField): string {
  const same = 'variables.wished == variables.before'
  return value === undefined ? same : `${same} || variables.wished != optional.of('${value}')`
}

function allowed({ verb, subresource }: { readonly verb: string; readonly subresource?: string }): string {
  const whole = 'authorizer.group(request.resource.group).resource(request.resource.resource)'
  const resource = subresource === undefined ? whole : `${whole}.subresource('${subresource}')`
  // Neither is there where the object is in no namespace, or gets its name only now.
  const [namespace, named] = ['namespace', 'name'].map(key => `${key}(request.?${key}.orValue(''))`)
  return `${resource}.${namespace}.${named}.check('${verb}').allowed()`
}

/** Whether a schema has the field, and allows the value. */
function mayHold(schema: unknown, { path, value }: Field): boolean {
  const found = path.reduce((node: Schema | undefined, key) => node?.properties?.[key], schema as Schema)
  return found !== undefined && (value === undefined || found.enum?.includes(value) === true)
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly enum?: readonly unknown[]
}
