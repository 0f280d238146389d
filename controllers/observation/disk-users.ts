import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import type { MachineFacts } from '../../drivers/contract/facts.ts'
import type { DiskUser } from '../../reconcilers/world.ts'

const nobody: readonly DiskUser[] = Object.freeze([])

/** Machines by the identities of the disks in their definitions. Lists stay the same reference while nobody comes or goes. */
export class DiskUsers {
  readonly #users = new Map<string, readonly DiskUser[]>()

  /** Who has the disk in its definition, and where; by endpoint, then by machine. */
  of(volumeIdentity: string): readonly DiskUser[] {
    return this.#users.get(volumeIdentity) ?? nobody
  }

  /** A machine's definition at an endpoint came, changed or went. Answers which disks have other users now. */
  change(endpoint: EndpointKey, before: MachineFacts | undefined, after: MachineFacts | undefined): readonly string[] {
    const identity = (after ?? before)?.identity
    if (identity === undefined || before?.definition === after?.definition) return []
    const had = new Set(before?.definition.disks.map(disk => disk.identity))
    const has = new Set(after?.definition.disks.map(disk => disk.identity))
    const left = [...had].filter(disk => !has.has(disk))
    const joined = [...has].filter(disk => !had.has(disk))
    for (const disk of left) this.#remove(disk, { endpoint, identity })
    for (const disk of joined) this.#add(disk, { endpoint, identity })
    return [...left, ...joined]
  }

  #add(disk: string, user: DiskUser): void {
    const users = [...this.of(disk), Object.freeze(user)].sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1))
    this.#users.set(disk, Object.freeze(users))
  }

  #remove(disk: string, user: DiskUser): void {
    const users = this.of(disk).filter(each => keyOf(each) !== keyOf(user))
    if (users.length === 0) this.#users.delete(disk)
    else this.#users.set(disk, Object.freeze(users))
  }
}

function keyOf({ endpoint, identity }: DiskUser): string {
  return `${endpoint} ${identity}`
}
