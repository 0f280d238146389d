import type { Cause, Explanation, PhaseExplanation, PlaceExplanation } from '../controllers/explain/explanation.ts'
import { placementRules } from '../reconcilers/placement/request.ts'
import { columns } from './columns.ts'
import { lasting, spell } from './durations.ts'
import { historyLines } from './history-text.ts'
import { colourOf, type Paint, signOf } from './paint.ts'
import { qualifiedName, type State, whyOf } from './standing.ts'

/** Why an object is as it is, for people. */
export function explanationLines(explanation: Explanation, paint: Paint): readonly string[] {
  const { phases, claims, place } = explanation
  const now = Date.parse(explanation.at)
  const said = new Set([explanation.standing.message])
  const unmet = phases.filter(({ verdict }) => verdict !== 'satisfied')
  const met = phases.filter(({ verdict }) => verdict === 'satisfied')
  const held = claims.map(({ type, value, of, epoch, since }) => [
    type,
    of ?? value,
    `epoch ${epoch}`,
    spell(since, now),
  ])
  return [
    headline(explanation, paint),
    ...section(
      'Why',
      unmet.length === 0
        ? []
        : tree(
            unmet.map(phase => phaseNode(phase, { ...explanation, said }, paint)),
            paint,
          ),
      paint,
    ),
    ...section(
      'In order',
      met.map(phase => metLine(phase, paint)),
      paint,
    ),
    ...section('Hosts', place === undefined ? [] : placeLines(place, paint), paint),
    ...section('Holds', columns(['what', 'which', 'epoch', 'held'], held), paint),
    ...section('Now', nowLines(explanation, paint), paint),
    ...section('Last', historyLines(explanation.history, paint, { of: 'object' }), paint),
  ]
}

function headline({ object, standing, deletedAt, changedBy, at, phases }: Explanation, paint: Paint): string {
  const isStalled = phases.some(({ verdict, informational }) => verdict === 'blocked' && informational !== true)
  const state: State =
    standing.ready === 'True' ? 'Ready' : isStalled ? 'Stalled' : standing.ready === 'Unknown' ? 'Unknown' : 'Working'
  const since = standing.since === undefined ? '' : `, ${spell(standing.since, Date.parse(at))}`
  const deleting = deletedAt === undefined ? '' : `, being deleted ${spell(deletedAt, Date.parse(at))}`
  const by = changedBy === undefined ? '' : `  ${paint.dim(`generation ${object.generation} by ${changedBy}`)}`
  const title = paint.bold(`${object.kind} ${qualifiedName(object)}`)
  const verdict = colourOf(state, paint)(state === 'Ready' ? 'Ready' : `not Ready: ${whyOf(standing)}`)
  return `${signOf(state, paint)} ${title}  ${verdict}${paint.dim(since + deleting)}${by}`
}

function section(title: string, lines: readonly string[], paint: Paint): readonly string[] {
  return lines.length === 0 ? [] : ['', paint.bold(title), ...lines.map(line => `  ${line}`)]
}

function metLine({ condition, reason, message }: PhaseExplanation, paint: Paint): string {
  const why = message === '' ? (reason === condition ? '' : reason) : message
  return `${signOf('Ready', paint)} ${condition}  ${paint.dim(why)}`.trimEnd()
}

interface TreeNode {
  readonly line: string
  readonly children: readonly TreeNode[]
}

function tree(nodes: readonly TreeNode[], paint: Paint): readonly string[] {
  return nodes.flatMap(({ line, children }) => [line, ...branches(children, '', paint)])
}

function branches(nodes: readonly TreeNode[], indent: string, paint: Paint): readonly string[] {
  return nodes.flatMap(({ line, children }, place) => {
    const isLast = place === nodes.length - 1
    const stem = paint.dim(`${indent}${isLast ? '└─' : '├─'}`)
    return [`${stem} ${line}`, ...branches(children, `${indent}${isLast ? '   ' : '│  '}`, paint)]
  })
}

const states: Readonly<Record<PhaseExplanation['verdict'], State>> = {
  satisfied: 'Ready',
  acting: 'Working',
  waiting: 'Working',
  unknown: 'Unknown',
  blocked: 'Stalled',
}

interface Telling extends Pick<Explanation, 'queue' | 'at'> {
  /** Messages that stand above: nobody wants to read them again. */
  readonly said: Set<string>
}

function phaseNode(phase: PhaseExplanation, telling: Telling, paint: Paint): TreeNode {
  const { queue } = telling
  const { condition, verdict, wants = [], recheckMs, causes, moreCauses = 0, informational } = phase
  const state = states[verdict]
  const note = informational === true ? paint.dim('  (Ready does not depend on it)') : ''
  const message = phase.message === '' || telling.said.has(phase.message) ? '' : `: ${phase.message}`
  telling.said.add(phase.message)
  const line = `${signOf(state, paint)} ${condition}  ${colourOf(state, paint)(phase.reason)}${message}${note}`
  const notes = [
    ...(wants.length === 0 ? [] : [`wants: ${wants.join(', ')}`]),
    ...(recheckMs === undefined ? [] : [`it is judged again after ${lasting(recheckMs)}`]),
    ...(queue !== undefined && verdict === 'waiting' && condition === 'Scheduled'
      ? [`it is number ${queue.position} of ${queue.length} in the queue ${queue.queue}`]
      : []),
    ...(moreCauses === 0 ? [] : [`${moreCauses} more are left out`]),
  ]
  const leaves = notes.map((text): TreeNode => ({ line: paint.dim(text), children: [] }))
  return { line, children: [...causes.map(cause => causeNode(cause, telling, paint)), ...leaves] }
}

function causeNode(cause: Cause, telling: Telling, paint: Paint): TreeNode {
  if (cause.type === 'InDoubt') {
    const line = `an operation on ${cause.identity} at ${cause.endpoints.join(' and ')} was not answered: a complete listing decides`
    return { line: paint.magenta(line), children: [] }
  }
  if (cause.type === 'Endpoint') {
    const since = cause.since === undefined ? '' : ` ${spell(cause.since, Date.parse(telling.at))}`
    const what = cause.state === 'No' ? `has not answered${since}` : 'has not been listed by this process yet'
    const why = cause.message === undefined ? '' : `: ${cause.message}`
    return { line: paint.magenta(`${cause.name} ${what}${why}`), children: [] }
  }
  const { object, standing, phases, cut } = cause
  const state: State =
    standing.ready === 'True' ? 'Ready' : phases.some(({ verdict }) => verdict === 'blocked') ? 'Stalled' : 'Working'
  const title = `${object.kind} ${qualifiedName(object)}`
  if (standing.ready === 'Missing')
    return { line: `${signOf('Stalled', paint)} ${title}  ${paint.red('does not exist')}`, children: [] }
  if (standing.ready === 'True')
    return { line: `${signOf('Ready', paint)} ${title}  ${paint.dim('Ready')}`, children: [] }
  const more = cut === true ? paint.dim('  (see above)') : ''
  const told = telling.said.has(standing.message) ? standing.reason : whyOf(standing)
  const why = phases.length === 0 ? `  ${told}` : ''
  const line = `${signOf(state, paint)} ${title}${why}${more}`
  return {
    line,
    children: phases.map(phase => phaseNode(phase, { at: telling.at, said: telling.said }, paint)),
  }
}

/** How many hosts of a kind are named. */
const namedHosts = 5
/** How many rules that refuse a host are named. */
const namedRules = 3

/** Where it is, and what the others say; hosts with the same complaints in one line. */
function placeLines({ planner, hostName, hosts }: PlaceExplanation, paint: Paint): readonly string[] {
  const others = hosts.filter(host => host.hostName !== hostName)
  const groups = new Map<string, string[]>()
  for (const { hostName: name, refusals } of others) {
    const rules = refusals.slice(0, namedRules).map(ruleText)
    const why = [...rules, ...(refusals.length > namedRules ? [`${refusals.length - namedRules} more`] : [])].join('; ')
    groups.set(why, [...(groups.get(why) ?? []), name])
  }
  const here = hostName === undefined ? [] : [`→ ${hostName}  ${paint.dim('it is here')}`]
  const lines = [...groups].map(([why, names]) => {
    const shown = names.slice(0, namedHosts).join(', ')
    const more = names.length > namedHosts ? ` and ${names.length - namedHosts} more` : ''
    return why === ''
      ? `${signOf('Ready', paint)} ${shown}${more}  ${paint.dim('would take it')}`
      : `${signOf('Stalled', paint)} ${shown}${more}  ${why}`
  })
  return [...here, ...lines, paint.dim(`the planner is ${planner}`)]
}

/** Rules are said of hosts: `with too little memory left`. */
function ruleText(rule: string): string {
  return Object.hasOwn(placementRules, rule) ? placementRules[rule as keyof typeof placementRules] : rule
}

function nowLines({ running, failures, dueInMs, failedPasses }: Explanation, paint: Paint): readonly string[] {
  return [
    ...running.map(({ verb, endpointName }) => `${paint.yellow('running')}  ${verb} at ${endpointName}`),
    ...failures.map(({ verb, endpointName, code, message, inARow, retryInMs }) => {
      const times = inARow === 1 ? '' : `, ${inARow} times in a row`
      const again =
        retryInMs === 0 ? 'may be tried again now' : `is tried again in ${lasting(retryInMs)} at the earliest`
      return `${paint.red('failed')}   ${verb} at ${endpointName}${times}: ${code}: ${message}; it ${again}`
    }),
    ...(failedPasses === 0 ? [] : [`${paint.red('failed')}   ${failedPasses} passes in a row; the log says why`]),
    ...(dueInMs === undefined
      ? []
      : [paint.dim(`judged again in ${lasting(dueInMs)}, or as soon as something it read changes`)]),
  ]
}
