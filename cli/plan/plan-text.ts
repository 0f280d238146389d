import { columns } from '../columns.ts'
import { colourOf, type Paint, signOf } from '../paint.ts'
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

/** How many changed fields of one operation are told; `-o json` has all. */
const mostFields = 6

/** A plan for a person at a terminal. */
export function planLines(plan: Plan, paint: Paint): readonly string[] {
  const sections = [
    section('Refused', refusedLines(plan, paint), paint),
    section('Changes', changeLines(plan, paint), paint),
    section('Operations', operationLines(plan.operations, plan, paint), paint),
    section('Made and removed by the control plane', aftermathLines(plan, paint), paint),
    section('Downtime', downtimeLines(plan, paint), paint),
    section('Not Ready afterwards', unmetLines(plan, paint), paint),
    section(
      'Done anyway, without these manifests',
      [...operationLines(plan.underWay, plan, paint), ...aftermathLines(plan.anyway, paint)],
      paint,
    ),
  ]
  const ends = [
    ...(plan.operations.length === 0 ? [] : [expectationText(plan.expected)]),
    ...(plan.isWhole ? [] : [paint.yellow('It goes on for longer than an hour; what comes later is not told.')]),
    paint.dim(basisText(plan.holdsFor)),
  ]
  return [paint.bold(summaryOf(plan)), '', ...sections.flat(), ...ends]
}

function section(title: string, lines: readonly string[], paint: Paint): readonly string[] {
  return lines.length === 0 ? [] : [paint.bold(title), ...lines.map(line => `  ${line}`), '']
}

function refusedLines({ refused, isPruningHeld }: Plan, paint: Paint): readonly string[] {
  const lines = refused.flatMap(each => [
    `${signOf('Stalled', paint)} ${keyOf(each.object)}`,
    ...refusalTexts(each).map(text => `    ${paint.red(text)}`),
  ])
  return isPruningHeld ? [...lines, paint.yellow(pruningHeldText)] : lines
}

function changeLines({ changes }: Plan, paint: Paint): readonly string[] {
  const signs = { Create: paint.green('+'), Change: paint.yellow('~'), Delete: paint.red('-') }
  return changes.flatMap(({ object, change, fields = [], isPruned }) => [
    `${signs[change]} ${keyOf(object)}${isPruned ? paint.dim(`  ${prunedText}`) : ''}`,
    ...fields.map(field => `    ${changeText(field)}`),
  ])
}

function operationLines(operations: readonly PlannedOperation[], plan: Plan, paint: Paint): readonly string[] {
  const rows = operations.map(operation => {
    const { verb, object, identity, endpoint, startsAfterMs } = operation
    const downtime = downtimeOf(operation, plan.disruptions)
    const place = `${endpoint.type} ${endpoint.name}`
    return [`+${secondsText(startsAfterMs)}`, verb, object ? keyOf(object) : identity, place, downtime]
  })
  const [heading, ...lines] = columns(['after', 'operation', 'on', 'at', 'downtime'], rows)
  if (heading === undefined) return []
  return [paint.dim(heading), ...lines.flatMap((line, index) => [line, ...detailLines(operations[index], paint)])]
}

function detailLines(operation: PlannedOperation | undefined, paint: Paint): readonly string[] {
  if (operation === undefined) return []
  const { changes, failure, attempts = 1 } = operation
  const shown = changes.slice(0, mostFields).map(change => `    ${paint.dim(changeText(change))}`)
  const left = changes.length - shown.length
  const more = left === 0 ? [] : [`    ${paint.dim(`… and ${left} more`)}`]
  const failed =
    failure &&
    `    ${paint.red(`fails, ${failure.code}: ${failure.message}${attempts > 1 ? ` (${attempts} times)` : ''}`)}`
  return [...shown, ...more, ...(failed === undefined ? [] : [failed])]
}

function aftermathLines({ consequences, claims }: Aftermath, paint: Paint): readonly string[] {
  const signs = { Create: paint.green('+'), Delete: paint.red('-') }
  const claimSigns = { Take: paint.green('+'), Free: paint.red('-'), Move: paint.yellow('~') }
  return [
    ...consequences.map(({ object, change }) => `${signs[change]} ${keyOf(object)}`),
    ...claims.map(claim => `${claimSigns[claim.change]} ${claimText(claim)}`),
  ]
}

function downtimeLines({ disruptions }: Plan, paint: Paint): readonly string[] {
  return disruptions.map(disruption => `${paint.yellow('!')} ${disruptionText(disruption)}`)
}

function unmetLines({ unmet }: Plan, paint: Paint): readonly string[] {
  const fresh = unmet.filter(({ isNew }) => isNew)
  const old = unmet.length - fresh.length
  const lines = fresh.map(({ object, state, reason, message }) => {
    const why = colourOf(state, paint)(reason)
    return `${signOf(state, paint)} ${keyOf(object)}  ${why}${message === '' ? '' : `: ${message}`}`
  })
  return [
    ...lines,
    ...(old === 0
      ? []
      : [paint.dim(`${old} that ${old === 1 ? 'is' : 'are'} not Ready now either, for the same reason`)]),
  ]
}
