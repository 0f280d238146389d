/** The kind CustomResourceDefinition: what its objects look like. */

import type { BuiltinKind } from '../kinds/builtin.ts'
import { anything, boolean, conditions, integer, kind, list, object, text } from '../kinds/schemas.ts'

const names = object('Names under which the resource is served.', {
  plural: text('Plural name: the step in the path.'),
  singular: text('Singular name for the command line. Default: the kind in lower case.'),
  kind: text('Kind, in CamelCase.'),
  listKind: text('Kind of a list. Default: the kind with "List".'),
  shortNames: list('Short names for the command line.', text('Short name.')),
  categories: list('Groups of kinds that the resource is listed with.', text('Category.')),
})

const version = object(
  'CustomResourceDefinitionVersion describes one version.',
  {
    name: text('Name of the version, as in v1.'),
    served: boolean('Whether the version is served.'),
    storage: boolean('Whether objects are stored in this version; true for exactly one.'),
    deprecated: boolean('Whether use of the version is warned about.'),
    deprecationWarning: text('The warning.'),
    schema: object('Schema validates, prunes and completes the objects.', {
      openAPIV3Schema: anything('OpenAPI v3 schema, structural.'),
    }),
    subresources: object('Subresources of the objects.', {
      status: anything('Status makes the status a subresource.'),
      scale: object('Scale makes the number of replicas a subresource.', {
        specReplicasPath: text('Path of the wished replicas.'),
        statusReplicasPath: text('Path of the replicas.'),
        labelSelectorPath: text('Path of the selector.'),
      }),
    }),
    additionalPrinterColumns: list(
      'Columns that tables show beside the name.',
      object(
        'Column of a table.',
        {
          name: text('Name of the column.'),
          type: text('OpenAPI type of the column.'),
          format: text('OpenAPI format of the column.'),
          description: text('Description of the column.'),
          priority: integer('0 is shown always, more only in wide tables.'),
          jsonPath: text('Path of the value.'),
        },
        { required: ['name', 'type', 'jsonPath'] },
      ),
    ),
    selectableFields: list(
      'Fields usable in field selectors.',
      object('A field.', { jsonPath: text('Path of the field.') }, { required: ['jsonPath'] }),
    ),
  },
  { required: ['name', 'served', 'storage'] },
)

/** CustomResourceDefinition. */
export const customResourceDefinitionKind: BuiltinKind = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  status: true,
  schema: kind('CustomResourceDefinition represents a resource that the API server serves beside its own.', {
    spec: object(
      'Spec describes the resource.',
      {
        group: text('Group of the resource.'),
        names,
        scope: text('Scope is Cluster or Namespaced.'),
        versions: list('Versions of the resource.', version),
        conversion: object('Conversion between versions.', {
          strategy: text('Strategy is None: versions differ in apiVersion only.'),
          webhook: anything('Webhook is not served.'),
        }),
        preserveUnknownFields: boolean('PreserveUnknownFields must be false.'),
      },
      { required: ['group', 'names', 'scope', 'versions'] },
    ),
    status: object('Status tells whether the resource is served.', {
      conditions,
      acceptedNames: names,
      storedVersions: list('Versions in which objects have been stored.', text('Version.')),
    }),
  }),
}

/** The conditions that a definition has. */
export type DefinitionCondition = 'NamesAccepted' | 'Established' | 'Terminating'
