import type { AnyKind } from '../../crds/define-kind.ts'
import { kinds } from '../../crds/kinds.ts'
import { objectKey } from '../engine/desired-cache.ts'
import { explain } from '../explain/explain.ts'
import { QueryError, type QueryRoute } from './route.ts'

/** `/explain?kind=…&name=…[&namespace=…]`: why an object is as it is. The kind as kubectl takes it: `vm`, `hosts`, `Zone`. */
export const explainRoute: QueryRoute = {
  path: '/explain',
  async answer(query, sources) {
    const kind = kindFor(query.get('kind') ?? '')
    const name = query.get('name') ?? ''
    const namespace = query.get('namespace') ?? undefined
    if (name === '') throw new QueryError(400, 'Cannot explain: the query must name an object (name=…)')
    if (kind.scope === 'Namespaced' && namespace === undefined) {
      throw new QueryError(400, `Cannot explain ${kind.kind} "${name}": the kind is namespaced, so name its namespace`)
    }
    const key = objectKey(name, kind.scope === 'Namespaced' ? namespace : undefined)
    const { engines, recorder, environment } = sources
    // Whoever looks after the object knows most of it.
    const engine = engines().find(each => each.owns(kind, key)) ?? engines()[0]
    const explanation = engine && (await explain(kind, key, { engine, recorder, environment }))
    if (explanation !== undefined) return explanation
    const place = kind.scope === 'Namespaced' ? ` in namespace "${namespace}"` : ''
    throw new QueryError(404, `Cannot explain ${kind.kind} "${name}": there is none of that name${place}`)
  },
}

/** The kind of a name: its own, its plural or a short one, in any case. */
export function kindFor(word: string): AnyKind {
  const wanted = word.toLowerCase()
  const known = kinds.find(({ kind, plural, shortNames }) =>
    [kind.toLowerCase(), plural, ...shortNames].includes(wanted),
  )
  if (known !== undefined) return known
  throw new QueryError(
    400,
    `Cannot find the kind "${word}": there are ${kinds
      .map(({ kind }) => kind)
      .toSorted()
      .join(', ')}`,
  )
}
