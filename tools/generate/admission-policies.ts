import { type OperatorField, operatorFields, protection, refusalOf } from '../../crds/admission.ts'
import type { KindSource } from './kind-source.ts'

/** The objects of `manifests/install/admission.yaml`: on a cluster they refuse what `crds/admission.ts` names. */
export function admissionPolicies(sources: readonly KindSource[]): readonly object[] {
  const forOperators = operatorFields.map(field =>
    policyOf(field, sources, {
      name: `skystead-operator-fields-${field.path.at(-1)?.toLowerCase()}`,
      operations: ['CREATE', 'UPDATE'],
      variables: [
        { name: 'wished', expression: at('object', field) },
        { name: 'before', expression: `oldObject == null ? optional.none() : ${at('oldObject', field)}` },
      ],
      validation: {
        expression: `${unchanged(field)} || ${allowed(field)}`,
        messageExpression: `'${refusalOf(field, "' + request.resource.resource + '")}'`,
      },
    }),
  )
  const kept = policyOf(protection, sources, {
    name: 'skystead-protected',
    operations: ['DELETE'],
    validation: {
      expression: `${at('oldObject', protection)} != optional.of('${protection.value}')`,
      message: protection.refusal,
    },
  })
  return [...forOperators, kept].flat()
}

/** A field, or one value of it. */
type Field = Pick<OperatorField, 'path' | 'value'>

interface Policy {
  readonly name: string
  readonly operations: readonly string[]
  readonly variables?: readonly { readonly name: string; readonly expression: string }[]
  readonly validation: { readonly expression: string; readonly message?: string; readonly messageExpression?: string }
}

/** A policy for the kinds that have the field, and its binding; nothing where none has it. */
function policyOf(field: Field, sources: readonly KindSource[], policy: Policy): readonly object[] {
  const { name, operations, variables, validation } = policy
  const definitions = sources.filter(({ schema }) => mayHold(schema, field)).map(({ definition }) => definition)
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

function allowed({ verb }: OperatorField): string {
  const resource = 'authorizer.group(request.resource.group).resource(request.resource.resource)'
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
