/** What must hold of a kind's value beside its types. */
import type { Column } from '../../crds/define-kind.ts'
import type { Schema } from './constraints.ts'
import { fail, placeOf } from './doc-comment.ts'
import type { KindSource } from './kind-source.ts'

/** Names that kubectl knows already: plural, singular and short ones of Kubernetes' own resources. */
const taken = new Set(
  (
    'cm cs crd crds cj csr deploy ds ep ev hpa ing limits netpol no ns pc pdb po pv pvc quota rc rs sa sc sts svc vac ip sm ' +
    'bindings componentstatuses configmaps controllerrevisions cronjobs daemonsets deployments endpoints endpointslices ' +
    'events horizontalpodautoscalers ingresses ingressclasses ipaddresses jobs leases limitranges namespaces networkpolicies ' +
    'nodes persistentvolumeclaims persistentvolumes poddisruptionbudgets pods podtemplates priorityclasses replicasets ' +
    'replicationcontrollers resourcequotas roles rolebindings clusterroles clusterrolebindings runtimeclasses secrets ' +
    'serviceaccounts servicecidrs services statefulsets storageclasses storageversions volumeattachments all skystead'
  ).split(' '),
)

const scalars = new Set(['string', 'integer', 'boolean'])

/** Checks all kinds together. Fails on the first thing that is wrong, at the kind that has it. */
export function checkKinds(sources: readonly KindSource[]): void {
  const names = new Map<string, string>()
  for (const source of sources) {
    const { definition } = source
    for (const name of [definition.plural, definition.kind.toLowerCase(), ...definition.shortNames]) {
      const owner = names.get(name)
      if (taken.has(name)) wrong(source, `the name '${name}' belongs to Kubernetes`)
      if (owner !== undefined && owner !== definition.kind) wrong(source, `the name '${name}' belongs to ${owner}`)
      names.set(name, definition.kind)
    }
    checkColumns(source)
    checkSelectableFields(source)
    checkConditions(source)
    checkShard(source)
  }
}

function wrong(source: KindSource, message: string): never {
  fail(placeOf(source.declaration), message)
}

function checkColumns(source: KindSource): void {
  const { columns } = source.definition
  const shown = columns.filter(column => (column.priority ?? 0) === 0)
  if (shown.length > 4)
    wrong(source, `${shown.length} columns are shown always; Ready and Age come on top, so 4 are allowed`)
  for (const column of columns) checkColumn(source, column)
}

function checkColumn(source: KindSource, column: Column): void {
  const target = schemaAt(source.schema, column.jsonPath)
  if (target === undefined) wrong(source, `column '${column.name}': ${column.jsonPath} is no field`)
  // A list or object is printed as JSON, which is text.
  const type = scalars.has(target.type ?? '') ? target.type : 'string'
  if (column.type !== type && column.type !== 'date') wrong(source, `column '${column.name}' must be of type ${type}`)
}

function checkSelectableFields(source: KindSource): void {
  const paths = source.definition.selectableFields ?? []
  if (paths.length > 8) wrong(source, 'a kind has at most 8 selectable fields')
  for (const path of paths) {
    const target = path.includes('[') ? undefined : schemaAt(source.schema, path)
    if (!scalars.has(target?.type ?? '')) wrong(source, `selectable field ${path} is no scalar field outside of lists`)
  }
}

function checkConditions(source: KindSource): void {
  for (const [type, meaning] of Object.entries(source.definition.conditions)) {
    if (!/^[A-Z][A-Za-z0-9]*$/.test(type)) wrong(source, `condition '${type}' must be PascalCase`)
    if (['Ready', 'Reconciling', 'Stalled'].includes(type)) wrong(source, `condition '${type}' is the engine's`)
    if (!/^[A-Z].*\.$/.test(meaning)) wrong(source, `condition '${type}' must say in a sentence what True means`)
  }
}

function checkShard(source: KindSource): void {
  if (source.definition.shard !== 'zone') return
  const spec = source.schema.properties?.spec
  const zoneName = spec?.properties?.zoneName
  const immutable = zoneName?.['x-kubernetes-validations']?.some(rule => rule.rule === 'self == oldSelf') ?? false
  if (!immutable || !spec?.required?.includes('zoneName')) {
    wrong(source, "shard 'zone' needs a required and immutable `spec.zoneName`")
  }
}

/** The schema of the field at a JSON path such as `.status.nics[0].ipAddress`. */
function schemaAt(schema: Schema, path: string): Schema | undefined {
  if (!path.startsWith('.')) return undefined
  let node: Schema | undefined = schema
  for (const step of path
    .slice(1)
    .replaceAll(/\[\d+\]/g, '.[]')
    .split('.')) {
    node = step === '[]' ? node?.items : node?.properties?.[step]
  }
  return node
}
