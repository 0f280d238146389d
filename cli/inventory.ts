import {
  type InventoryAnswer,
  type InventoryPlace,
  type InventoryThing,
  mergedInventory,
} from '../controllers/query/inventory.ts'
import type { Environment } from '../crds/environment.ts'
import { formatDuration } from '../crds/invariants/duration.ts'
import { formatQuantity } from '../crds/invariants/quantity.ts'
import { type ApiAccess, type ApiOptions, explained, openApi } from './api-access.ts'
import { columns } from './columns.ts'
import { realEnvironment } from './environment.ts'
import { askControllers } from './query-client.ts'
import { UserError } from './user-error.ts'

/** Options of `skystead inventory`. */
export interface InventoryOptions extends ApiOptions {
  /** Only what is at this host. */
  readonly host?: string
  /** Only what is in this pool or image store. */
  readonly storage?: string
  readonly output: 'text' | 'json'
}

/** Shows what is outside and belongs to no object: leftovers, adoptables, other installations' things. */
export async function inventory(options: InventoryOptions): Promise<void> {
  const environment = realEnvironment()
  await using access = openApi(options, environment)
  try {
    const answer = await askInventory(access, options, environment)
    const lines = options.output === 'json' ? [JSON.stringify(answer, undefined, 2)] : inventoryLines(answer)
    process.stdout.write(`${lines.join('\n')}\n`)
  } catch (error) {
    throw explained(error, access)
  }
}

/** Asks the controllers; of each place what the replica says that has read it last. Throws where nobody answers. */
export async function askInventory(
  access: Pick<ApiAccess, 'client' | 'kubeconfig'>,
  { host, storage }: Pick<InventoryOptions, 'host' | 'storage'>,
  environment: Pick<Environment, 'clock'>,
): Promise<InventoryAnswer> {
  const query = new URLSearchParams({
    ...(host === undefined ? {} : { host }),
    ...(storage === undefined ? {} : { storage }),
  })
  const path = query.size === 0 ? '/inventory' : `/inventory?${query}`
  const answer = mergedInventory(await askControllers<InventoryAnswer>(access, path, environment))
  if (answer === undefined) throw new UserError('Cannot tell what is outside: no controller answered')
  return answer
}

/** What is outside and is no object's, for people. */
export function inventoryLines({ at, places, unread }: InventoryAnswer): readonly string[] {
  const rows = places.flatMap(place => place.things.map(thing => rowOf(place, thing, Date.parse(at))))
  const silent = places.filter(({ answers }) => answers !== 'Yes')
  return [
    ...columns(['what', 'where', 'belongs', 'identity', 'seen for', 'state', 'mark'], rows),
    ...(rows.length === 0 ? [] : ['']),
    summary(places),
    ...silent.map(({ type, name, listedAt }) => `${type} ${name} does not answer: as it was at ${listedAt}.`),
    ...unread.map(({ type, name, message }) => `${type} ${name} was not read, nothing is known of it: ${message}.`),
  ]
}

function rowOf({ name, answers }: InventoryPlace, thing: InventoryThing, now: number): readonly string[] {
  const { what, identity, belongs, seenSince, facts, why } = thing
  const { mark } = facts
  const named = mark === undefined ? '' : `${mark.kind} ${mark.namespace === undefined ? '' : `${mark.namespace}/`}`
  const text = mark === undefined ? '-' : `${named}${mark.name}`
  return [
    what,
    name,
    belongs,
    identity,
    ageOf(now - Date.parse(seenSince)),
    answers === 'Yes' ? stateOf(facts) : 'unknown',
    why ?? text,
  ]
}

function stateOf(facts: InventoryThing['facts']): string {
  if ('powerState' in facts) return facts.powerState
  const size = formatQuantity(facts.sizeBytes, 'Bytes')
  return 'trashedAt' in facts && facts.trashedAt !== undefined ? `${size}, in the trash` : size
}

/** An age in its largest unit. */
function ageOf(milliseconds: number): string {
  const days = Math.floor(milliseconds / 86_400_000)
  if (days > 0) return `${days}d`
  const unit = milliseconds >= 3_600_000 ? 3_600_000 : milliseconds >= 60_000 ? 60_000 : 1_000
  return formatDuration(Math.floor(Math.max(0, milliseconds) / unit) * unit)
}

function summary(places: readonly InventoryPlace[]): string {
  const count = (wanted: InventoryThing['belongs']) =>
    places.reduce((sum, { things }) => sum + things.filter(({ belongs }) => belongs === wanted).length, 0)
  const owned = places.reduce((sum, place) => sum + place.owned, 0)
  const [leftovers, adoptables, others] = [count('Leftover'), count('Adoptable'), count('Others')]
  return `${leftovers} leftovers, ${adoptables} adoptables, ${others} of other installations; ${owned} things are objects'.`
}
