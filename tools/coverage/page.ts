import { areas, type Requirement } from './catalogue.ts'
import { verdictOf } from './plan.ts'
import { type Verdict, verdicts } from './planned.ts'
import type { Proof } from './proofs.ts'

/** What the page says of one requirement. */
type Entry =
  | { readonly id: string; readonly heading: string; readonly is: 'Tested'; readonly proofs: readonly Proof[] }
  | { readonly id: string; readonly heading: string; readonly is: Verdict; readonly why: string }

const columns = ['Tested', ...(Object.keys(verdicts) as Verdict[])] as const

/** How many requirements of the catalogue the tests name. */
export function countTested(catalogue: readonly Requirement[], proofs: readonly Proof[]): number {
  const proven = new Set(proofs.map(({ id }) => id))
  return catalogue.filter(({ id }) => proven.has(id)).length
}

/** The page `docs/coverage.md`. Throws where the plan has no place for a requirement that no test names. */
export function renderPage(catalogue: readonly Requirement[], proofs: readonly Proof[]): string {
  const byId = Map.groupBy(proofs, ({ id }) => id)
  const byArea = Map.groupBy(catalogue, ({ area }) => area)
  const entries = new Map([...byArea].map(([area, all]) => [area, all.map(each => entryOf(each, byId.get(each.id)))]))
  const parts = [introduction, summary(entries), ...[...entries].map(([area, all]) => section(area, all))]
  return `${parts.join('\n\n')}\n`
}

const introduction = `# Coverage

Made by \`npm run coverage\`; do not edit. It lists every core requirement of the areas that the first slice builds.
The catalogue itself lies outside of this repository: a requirement is named here by its number and by the heading
that it stands under.

- **Tested**: a test names the requirement in its title and fails where field or number is otherwise.
${Object.entries(verdicts)
  .map(([name, text]) => `- **${name}**: ${text}`)
  .join('\n')}

A requirement in a later column may be met in part already; it counts as tested only when a test says so.`

function entryOf({ id, area, heading }: Requirement, proofs: readonly Proof[] | undefined): Entry {
  if (proofs !== undefined) return { id, heading, is: 'Tested', proofs }
  const { verdict, why } = verdictOf(area, heading, id)
  return { id, heading, is: verdict, why }
}

function summary(entries: ReadonlyMap<string, readonly Entry[]>): string {
  const all = [...entries.values()].flat()
  return [
    `| Area | Core | ${columns.join(' | ')} |`,
    `| --- | ---: | ${columns.map(() => '---:').join(' | ')} |`,
    ...[...entries].map(([area, each]) => row(`${area} ${areas[area]}`, each)),
    row('All', all),
  ].join('\n')
}

function row(name: string, entries: readonly Entry[]): string {
  const counts = columns.map(column => entries.filter(({ is }) => is === column).length)
  return `| ${name} | ${entries.length} | ${counts.join(' | ')} |`
}

function section(area: string, entries: readonly Entry[]): string {
  const groups = Map.groupBy(entries, ({ heading }) => heading)
  const parts = [...groups].map(([heading, all]) => `### ${area}: ${heading}\n\n${table(all)}`)
  return [`## ${area} ${areas[area]}`, ...parts].join('\n\n')
}

function table(entries: readonly Entry[]): string {
  const lines = merged(entries).map(({ ids, is, what }) => `| ${ids} | ${is} | ${what} |`)
  return ['| Requirement | State | Where, or why |', '| --- | --- | --- |', ...lines].join('\n')
}

/** Neighbours of which the same is said share a line. */
function merged(
  entries: readonly Entry[],
): readonly { readonly ids: string; readonly is: string; readonly what: string }[] {
  const lines: { ids: string[]; is: string; what: string }[] = []
  for (const entry of entries) {
    const what = entry.is === 'Tested' ? entry.proofs.slice(0, 3).map(proofText).join('<br>') : entry.why
    const last = lines.at(-1)
    if (last !== undefined && last.is === entry.is && last.what === what) last.ids.push(entry.id)
    else lines.push({ ids: [entry.id], is: entry.is, what })
  }
  return lines.map(({ ids, is, what }) => ({ ids: ids.join(', '), is, what }))
}

function proofText({ path, title }: Proof): string {
  return `${title.replaceAll('|', '\\|')} (\`${path}\`)`
}
