import { type Column, category } from '../../crds/define-kind.ts'
import { specHashAnnotation } from '../../crds/spec-hash.ts'
import { hashOf } from '../../reconcilers/identity.ts'
import type { KindSource } from './kind-source.ts'

const readyPath = '.status.conditions[?(@.type=="Ready")]'

/** The columns that follow every kind's own. */
const lastColumns: readonly Column[] = [
  { name: 'Ready', type: 'string', jsonPath: `${readyPath}.status` },
  { name: 'Reason', type: 'string', jsonPath: `${readyPath}.reason`, priority: 1 },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
]

/** The CustomResourceDefinition of a kind. */
export function customResourceDefinition(source: KindSource): object {
  const { definition } = source
  const spec = specOf(source)
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${definition.plural}.${definition.group}`,
      labels: { 'app.kubernetes.io/part-of': 'skystead' },
      annotations: { [specHashAnnotation]: hashOf(spec) },
    },
    spec,
  }
}

function specOf({ definition, schema }: KindSource): object {
  return {
    group: definition.group,
    scope: definition.scope,
    names: {
      categories: [category],
      kind: definition.kind,
      listKind: `${definition.kind}List`,
      plural: definition.plural,
      singular: definition.kind.toLowerCase(),
      ...(definition.shortNames.length > 0 ? { shortNames: definition.shortNames } : {}),
    },
    versions: [
      {
        name: definition.version,
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema },
        additionalPrinterColumns: [...definition.columns, ...lastColumns].map(column => ({ ...column })),
        ...(definition.selectableFields === undefined
          ? {}
          : { selectableFields: definition.selectableFields.map(jsonPath => ({ jsonPath })) }),
        ...(definition.statusSubresource === false ? {} : { subresources: { status: {} } }),
      },
    ],
  }
}
