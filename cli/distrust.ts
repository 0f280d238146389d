/** What a store that has gone back in time must not be believed. */
import { createAPIServer } from '../apiserver/server.ts'
import { openSQLiteLog } from '../apiserver/storage/sqlite-log.ts'
import { ApiError } from '../controllers/api/api-error.ts'
import { createClient } from '../controllers/api/client.ts'
import { inProcessTransport } from '../controllers/api/in-process-transport.ts'
import type { ResourceOf } from '../crds/define-kind.ts'
import { type Environment, timestamp } from '../crds/environment.ts'
import { Allocation, type AllocationSpec, type AllocationType } from '../crds/infrastructure/allocation.ts'
import { Host } from '../crds/infrastructure/host.ts'
import { allocation, allocationName } from '../reconcilers/claims.ts'

/**
 * Where something is, who uses it, which host is off, what is left over where: since the backup all of it may have become
 * otherwise. What was once believed is looked at anew, as after a loss of the store (decision 0029).
 */
const outdated: ReadonlySet<AllocationType> = new Set([
  'Machine',
  'Volume',
  'Attachment',
  'Fence',
  'Stray',
  'Inventory',
])

/** What was done to a restored store, and what its operator has to look at. */
export interface Distrust {
  /** Machines and disks that are placed anew, where they are found. */
  readonly given: number
  /** Hosts that the backup calls off for good. */
  readonly lostHosts: readonly string[]
}

/**
 * Takes back in a stopped store what may not hold any more. What had a place keeps its identity as one that was taken
 * over: it gets the place where it is found, starts nowhere before all hosts of its zone were read, and a disk that is not
 * found is not made anew.
 */
export async function distrust(path: string, environment: Environment): Promise<Distrust> {
  const server = await createAPIServer({ log: await openSQLiteLog(path), environment })
  try {
    const client = createClient(inProcessTransport(request => server.handle(request)))
    const allocations = await listed(client.list(Allocation))
    const now = timestamp(environment.clock)
    const known = new Set(allocations.map(({ metadata }) => metadata.name))
    const given = allocations.filter(isPlace).filter(({ spec }) => !known.has(allocationName('Identity', spec.value)))
    // First what holds it back, then what let it go on.
    for (const { spec } of given) {
      await client.create(Allocation, asTakenOver(spec, now), { fieldManager: 'skystead-cli' })
    }
    for (const { metadata, spec } of allocations) if (outdated.has(spec.type)) await client.remove(Allocation, metadata)
    const hosts = await listed(client.list(Host))
    const lostHosts = hosts.filter(({ spec }) => spec.lifecycle === 'Lost').map(({ metadata }) => metadata.name)
    return { given: given.length, lostHosts }
  } finally {
    await server.close()
  }
}

function isPlace({ spec: { type } }: ResourceOf<typeof Allocation>): boolean {
  return type === 'Machine' || type === 'Volume'
}

function asTakenOver({ value, holder }: AllocationSpec, now: string) {
  return allocation({ type: 'Identity', value, holder, notes: { takenOverAt: now } }, now)
}

/** The objects of a kind; none in a store that no controller has ever used. */
async function listed<T>(listing: Promise<{ readonly items: readonly T[] }>): Promise<readonly T[]> {
  try {
    return (await listing).items
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'NotFound') return []
    throw error
  }
}
