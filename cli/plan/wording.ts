import type { ClaimChange } from './consequences.ts'
import type { Disruption } from './disruptions.ts'
import type { Edit, Refusal } from './edits.ts'
import type { FieldChange } from './field-changes.ts'
import { keyOf } from './object-name.ts'
import type { Basis, Expectation, Plan } from './plan.ts'
import { hasChanges } from './plan.ts'

/** The words that the text and the Markdown form of a plan share. */

const longestValue = 60
/** Members of a value that no person reads. */
const unread: ReadonlySet<string> = new Set(['identity'])

/** Why an object goes that no manifest says to delete. */
export const prunedText = '(pruned: it has no manifest any more)'

/** Why nothing is pruned although it was asked for. */
export const pruningHeldText = 'Nothing is pruned as long as anything is refused.'

/** `path: before → after`, with sizes as people read them. */
export function changeText({ path, before, after }: FieldChange): string {
  if (before === undefined) return `${path}: ${valueText(after, path)}`
  if (after === undefined) return `${path}: ${valueText(before, path)} → none`
  return `${path}: ${valueText(before, path)} → ${valueText(after, path)}`
}

/** What happens to how many objects, in one line. */
export function summaryOf(plan: Plan): string {
  const { changes, refused, unchanged } = plan
  const count = (change: Edit['change']) => changes.filter(each => each.change === change).length
  const parts = [
    counted(count('Create'), 'to create'),
    counted(count('Change'), 'to change'),
    counted(count('Delete'), 'to delete'),
    counted(refused.length, 'refused'),
    counted(unchanged, 'unchanged'),
  ].filter(part => part !== undefined)
  const objects = parts.length === 0 ? 'no objects' : parts.join(', ')
  const operations = plan.operations.length === 1 ? '1 operation' : `${plan.operations.length} operations`
  return hasChanges(plan) ? `${objects}; ${operations}` : `Nothing would change (${objects})`
}

/** One claim, as in `a place on host-1 for VirtualMachine shop/web-1`. */
export function claimText(claim: ClaimChange): string {
  return `${claimedText(claim)} for ${keyOf(claim.holder)}`
}

function claimedText({ type, value, place, of, isProvisional }: ClaimChange): string {
  if (place !== undefined) return type === 'Machine' ? `a place on ${place}` : `room in ${place}`
  if (of !== undefined) return `${type} of ${keyOf(of)}`
  return isProvisional ? `${type} (known once it is made)` : `${type} ${value}`
}

/** What users of a machine notice, as in `VirtualMachine shop/web-1 restarts, away for about 2.0 s`. */
export function disruptionText({ object, downtime, forMs }: Disruption): string {
  const told = { BriefPause: 'pauses briefly', Restart: 'restarts', Stop: 'stops' }
  const time = forMs === undefined ? '' : `, away for about ${secondsText(forMs)}`
  return `${keyOf(object)} ${told[downtime]}${time}`
}

/** Why a manifest is refused, field by field where fields are at fault. */
export function refusalTexts({ message, fields }: Refusal): readonly string[] {
  return fields.length === 0 ? [message] : fields.map(each => `${each.field}: ${each.message}`)
}

/** How long it takes, and how that is known. */
export function expectationText({ milliseconds, measured, modelled }: Expectation): string {
  const known = [
    ...(measured.length === 0 ? [] : [`${measured.join(', ')} as measured in this installation`]),
    ...(modelled.length === 0 ? [] : [`${modelled.join(', ')} as the simulator guesses`]),
  ]
  return `About ${secondsText(milliseconds)} until the last operation ends: ${known.join('; ')}.`
}

/** For which present the plan holds. */
export function basisText({ observedAt, oldestListing, resourceVersion, silent }: Basis): string {
  const listing = oldestListing === undefined ? '' : `, oldest listing of ${oldestListing}`
  const held = `Holds for what was observed at ${observedAt}${listing}, and for objects up to version ${resourceVersion}.`
  return silent.length === 0
    ? held
    : `${held} These do not answer, what is there now is not known: ${silent.join(', ')}.`
}

/** A length of time in seconds. */
export function secondsText(milliseconds: number): string {
  return milliseconds < 10_000 ? `${(milliseconds / 1000).toFixed(1)} s` : `${Math.round(milliseconds / 1000)} s`
}

function counted(count: number, what: string): string | undefined {
  return count === 0 ? undefined : `${count} ${what}`
}

function valueText(value: unknown, path: string): string {
  if (typeof value === 'number' && path.endsWith('Bytes')) return bytesText(value)
  if (Array.isArray(value)) return cut(value.map(itemText).join(', ') || 'none')
  if (typeof value !== 'object' || value === null) return cut(String(value))
  const members = Object.entries(value).filter(([name, member]) => typeof member !== 'object' && !unread.has(name))
  return cut(members.map(([name, member]) => `${name} ${valueText(member, name)}`).join(', '))
}

/** Members by which people know an item of a list, the best first. */
const names = ['name', 'hostName', 'address'] as const

function itemText(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item)
  const members: Readonly<Record<string, unknown>> = { ...item }
  const name = names.map(each => members[each]).find(value => typeof value === 'string')
  return typeof name === 'string' ? name : `(${valueText(item, '')})`
}

function bytesText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const
  let [value, unit] = [bytes, 0]
  while (value >= 1024 && unit < units.length - 1 && Number.isInteger((value * 16) / 1024)) {
    value /= 1024
    unit++
  }
  return `${value} ${units[unit]}`
}

function cut(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length <= longestValue ? line : `${line.slice(0, longestValue - 1)}…`
}
