import { allVerbs, type PrinterColumn, type ResourceDefinition } from '../../../apiserver/resource-definition.ts'

/** A namespaced kind with these columns. */
export function definition(
  columns: readonly PrinterColumn[],
  over: Partial<ResourceDefinition> = {},
): ResourceDefinition {
  return {
    group: 'example.dev',
    version: 'v1',
    kind: 'Thing',
    listKind: 'ThingList',
    plural: 'things',
    singular: 'thing',
    shortNames: [],
    categories: [],
    namespaced: true,
    subresources: { status: true },
    columns,
    verbs: allVerbs,
    builtin: false,
    selectableFields: [],
    ...over,
  }
}
