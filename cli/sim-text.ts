import { formatQuantity } from '../crds/invariants/quantity.ts'
import type { Mark } from '../drivers/contract/facts.ts'
import type { ControlActions } from '../drivers/simulator/control-actions.ts'
import type { WorldListing } from '../drivers/simulator/world-listing.ts'
import { columns } from './columns.ts'
import { qualifiedName } from './standing.ts'

/** The simulated world for people: a table for each kind of thing that there is. */
export function worldLines(world: WorldListing): readonly string[] {
  const names = new Map(world.machines.map(({ identity, facts }) => [identity, nameOf(facts.mark, identity)]))
  const hosts = world.hosts.map(host => [
    host.name,
    host.address,
    host.power,
    host.state,
    host.powerController,
    String(host.machines),
  ])
  const machines = world.machines.map(({ identity, host, facts, shuttingDown }) => [
    nameOf(facts.mark, identity),
    facts.definition.role,
    host,
    shuttingDown ? 'Shutting down' : facts.powerState,
    facts.definition.nics.flatMap(({ addresses }) => addresses).join(', '),
    identity,
  ])
  const volumes = world.volumes.map(({ identity, pool, facts, machines: users }) => [
    nameOf(facts.mark, identity),
    pool,
    formatQuantity(facts.sizeBytes, 'Bytes'),
    facts.trashedAt === undefined ? users.map(user => names.get(user) ?? user).join(', ') : '(in the trash)',
    identity,
  ])
  const storages = [
    ...world.pools.map(pool => [
      pool.url,
      'Pool',
      pool.state,
      `${formatQuantity(pool.promisedBytes, 'Bytes')} of ${formatQuantity(pool.totalBytes, 'Bytes')}`,
    ]),
    ...world.stores.map(store => [store.url, 'Image store', store.state, '']),
  ]
  const tables = [
    columns(['host', 'address', 'power', 'state', 'power controller', 'machines'], hosts),
    columns(['machine', 'role', 'host', 'power', 'addresses', 'identity'], machines),
    columns(['volume', 'pool', 'size', 'machine', 'identity'], volumes),
    columns(['storage', 'kind', 'state', 'promised'], storages),
  ].filter(table => table.length > 0)
  if (tables.length === 0) return ['The simulated world is empty.']
  return tables.flatMap((table, place) => (place === 0 ? table : ['', ...table]))
}

/** What was breached, one line each. */
export function invariantLines(violations: ControlActions['invariants']['result']): readonly string[] {
  if (violations.length === 0) return ['No invariant was breached since the start.']
  return columns(
    ['rule', 'what'],
    violations.map(({ rule, message }) => [rule, message]),
  )
}

/** How often the control plane called. */
export function counterLines(counters: ControlActions['counters']['result']): readonly string[] {
  const { calls, operations, changingOperations, events } = counters
  return [
    `${operations} operations, ${changingOperations} of them changed the world; ${events} events`,
    ...columns(
      ['call', 'times'],
      Object.entries(calls).map(([verb, times]) => [verb, String(times)]),
    ),
  ]
}

/** What was done, oldest first. */
export function journalLines(entries: ControlActions['journal']['result']): readonly string[] {
  if (entries.length === 0) return ['Nothing was done since the start.']
  return columns(
    ['time', 'by', 'action', 'place', 'identity', 'outcome'],
    entries.map(({ at, source, action, place, identity, outcome }) => [
      new Date(at).toISOString(),
      source,
      action,
      place,
      identity,
      outcome,
    ]),
  )
}

/** The faults that wait for their calls. */
export function faultLines(faults: ControlActions['faults']['result']): readonly string[] {
  if (faults.length === 0) return ['No fault is scripted.']
  return faults.map(({ fault: { effect, ...parts }, met }) => {
    const texts = Object.entries(parts).map(([name, value]) => `${name} ${value}`)
    return [effect, ...texts, `(met ${met} calls)`].join('  ')
  })
}

function nameOf(mark: Mark | undefined, identity: string): string {
  return mark === undefined ? `(unmarked) ${identity}` : qualifiedName(mark)
}
