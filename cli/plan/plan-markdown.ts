import { downtimeOf } from './disruptions.ts'
import { keyOf } from './object-name.ts'
import type { Aftermath, Plan } from './plan.ts'
import type { PlannedOperation } from './planned-operation.ts'
import {
  basisText,
  changeText,
  claimText,
  disruptionText,
  expectationText,
  prunedText,
  pruningHeldText,
  refusalTexts,
  secondsText,
  summaryOf,
} from './wording.ts'

/** A comment on GitHub holds 65,536 characters: longer tables are cut, and say so. */
const mostRows = 150

/** A plan for the comment of a pull request. */
export function planMarkdown(plan: Plan): string {
  const blocks = [
    `### Skystead plan: ${escaped(summaryOf(plan))}`,
    list(
      'Refused',
      plan.refused.flatMap(each =>
        refusalTexts(each).map(text => `❌ **${escaped(keyOf(each.object))}** ${escaped(text)}`),
      ),
    ),
    plan.isPruningHeld ? `⚠️ ${pruningHeldText}` : '',
    list(
      'Downtime',
      plan.disruptions.map(disruption => `⚠️ ${escaped(disruptionText(disruption))}`),
    ),
    changeBlock(plan),
    operationTable('Operations', plan.operations, plan),
    list('Made and removed by the control plane', aftermathItems(plan), 'folded'),
    list(
      'Not Ready afterwards',
      plan.unmet
        .filter(({ isNew }) => isNew)
        .map(({ object, reason, message }) => `**${escaped(keyOf(object))}** ${reason}: ${escaped(message)}`),
    ),
    operationTable('Done anyway, without these manifests', plan.underWay, plan, 'folded'),
    list('Made and removed anyway, without these manifests', aftermathItems(plan.anyway), 'folded'),
    plan.operations.length === 0 ? '' : escaped(expectationText(plan.expected)),
    plan.isWhole ? '' : 'It goes on for longer than an hour; what comes later is not told.',
    `<sub>${escaped(basisText(plan.holdsFor))}</sub>`,
  ]
  return `${blocks.filter(block => block !== '').join('\n\n')}\n`
}

function aftermathItems({ consequences, claims }: Aftermath): readonly string[] {
  return [
    ...consequences.map(({ change, object }) => `${change} ${escaped(keyOf(object))}`),
    ...claims.map(claim => `${claim.change} ${escaped(claimText(claim))}`),
  ]
}

function changeBlock({ changes }: Plan): string {
  if (changes.length === 0) return ''
  const signs = { Create: '+', Change: '!', Delete: '-' }
  const lines = changes.flatMap(({ object, change, fields = [], isPruned }) => [
    `${signs[change]} ${keyOf(object)}${isPruned ? `  ${prunedText}` : ''}`,
    ...fields.map(field => `!     ${changeText(field)}`),
  ])
  // No value of a manifest ends the block early.
  return ['#### Changes', '```diff', ...cutRows(lines).map(line => line.replaceAll('```', "'''")), '```'].join('\n')
}

function operationTable(
  title: string,
  operations: readonly PlannedOperation[],
  plan: Plan,
  form: Form = 'open',
): string {
  if (operations.length === 0) return ''
  const rows = operations.map(operation => {
    const { verb, object, identity, endpoint, startsAfterMs, changes, failure } = operation
    const detail = failure === undefined ? changes.slice(0, 4).map(changeText).join('; ') : `fails: ${failure.message}`
    const cells = [
      `+${secondsText(startsAfterMs)}`,
      verb,
      object ? keyOf(object) : identity,
      endpoint.name,
      downtimeOf(operation, plan.disruptions),
      detail,
    ]
    return `| ${cells.map(escaped).join(' | ')} |`
  })
  const table = [
    '| after | operation | on | at | downtime | |',
    '| ---: | --- | --- | --- | --- | --- |',
    ...cutRows(rows),
  ]
  return form === 'open' ? [`#### ${title}`, '', ...table].join('\n') : folded(title, operations.length, table)
}

/** Whether a part is shown at once, or when it is clicked. */
type Form = 'open' | 'folded'

function list(title: string, items: readonly string[], form: Form = 'open'): string {
  if (items.length === 0) return ''
  const lines = cutRows(items.map(item => `- ${item}`))
  return form === 'open' ? [`#### ${title}`, ...lines].join('\n') : folded(title, items.length, lines)
}

function folded(title: string, count: number, lines: readonly string[]): string {
  return [`<details><summary>${title} (${count})</summary>`, '', ...lines, '', '</details>'].join('\n')
}

function cutRows(rows: readonly string[]): readonly string[] {
  return rows.length <= mostRows ? rows : [...rows.slice(0, mostRows), `… and ${rows.length - mostRows} more`]
}

/** Text from manifests and messages stays text: no markup, no mentions, no end of a cell. */
function escaped(text: string): string {
  return text
    .replaceAll(/[\\`*_{}[\]<>|#]/g, character => `\\${character}`)
    .replaceAll('@', '@\u200b')
    .replaceAll('\n', ' ')
}
