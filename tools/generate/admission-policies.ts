import { type OperatorField, operatorFields } from '../../crds/operator-fields.ts'
import type { KindSource } from './kind-source.ts'

const name = 'skystead-operator-fields'

/** The objects of `manifests/install/admission.yaml`: on a cluster they ask for the verbs of fields for operators. */
export function admissionPolicies(sources: readonly KindSource[]): readonly object[] {
  return operatorFields.flatMap(field => {
    const having = sources.filter(({ schema }) => mayHold(schema, field))
    return having.length === 0 ? [] : policyOf(field, having)
  })
}

function policyOf(field: OperatorField, sources: readonly KindSource[]): readonly object[] {
  const metadata = { name: `${name}-${field.path.at(-1)?.toLowerCase()}` }
  const groups = [...new Set(sources.map(({ definition }) => definition.group))].sort()
  const resourceRules = groups.map(group => ({
    apiGroups: [group],
    apiVersions: ['*'],
    operations: ['CREATE', 'UPDATE'],
    resources: sources.flatMap(({ definition }) => (definition.group === group ? definition.plural : [])).sort(),
  }))
  const what = field.value === undefined ? field.path.join('.') : `${field.path.join('.')} "${field.value}"`
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules },
        variables: [
          { name: 'wished', expression: at('object', field) },
          { name: 'before', expression: `oldObject == null ? optional.none() : ${at('oldObject', field)}` },
        ],
        validations: [
          {
            expression: `${unchanged(field)} || ${allowed(field)}`,
            messageExpression: `'${what} takes the right to "${field.verb}" ' + request.resource.resource + ': ask an operator'`,
            reason: 'Forbidden',
          },
        ],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: metadata.name, validationActions: ['Deny'] },
    },
  ]
}

function at(object: string, { path }: OperatorField): string {
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
function mayHold(schema: unknown, { path, value }: OperatorField): boolean {
  const found = path.reduce((node: Schema | undefined, key) => node?.properties?.[key], schema as Schema)
  return found !== undefined && (value === undefined || found.enum?.includes(value) === true)
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly enum?: readonly unknown[]
}
