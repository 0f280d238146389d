import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import type { MachineDefinition, MachineFacts } from '../../drivers/contract/facts.ts'
import type { MachineUser } from '../../reconcilers/world.ts'

const nobody: readonly MachineUser[] = Object.freeze([])

interface Users {
  /** By endpoint and machine. */
  readonly byKey: Map<string, MachineUser>
  /** Left out since somebody came or went. */
  list?: readonly MachineUser[] | undefined
}

/** Machines by what is in their definitions: disks, segments. Lists stay the same reference while nobody comes or goes. */
export class MachineUsers {
  readonly #users = new Map<string, Users>()
  readonly #usedBy: (definition: MachineDefinition) => readonly string[]

  /** `usedBy` names what a definition uses. */
  constructor(usedBy: (definition: MachineDefinition) => readonly string[]) {
    this.#usedBy = usedBy
  }

  /** Who has it in its definition, and where; by endpoint, then by machine. */
  of(used: string): readonly MachineUser[] {
    const users = this.#users.get(used)
    if (users === undefined) return nobody
    users.list ??= Object.freeze(
      [...users.byKey].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, user]) => user),
    )
    return users.list
  }

  /** A machine's definition at an endpoint came, changed or went. Answers what has other users now. */
  change(endpoint: EndpointKey, before: MachineFacts | undefined, after: MachineFacts | undefined): readonly string[] {
    const identity = (after ?? before)?.identity
    if (identity === undefined || before?.definition === after?.definition) return []
    const had = new Set(before === undefined ? [] : this.#usedBy(before.definition))
    const has = new Set(after === undefined ? [] : this.#usedBy(after.definition))
    const left = [...had].filter(used => !has.has(used))
    const joined = [...has].filter(used => !had.has(used))
    for (const used of left) this.#remove(used, { endpoint, identity })
    for (const used of joined) this.#add(used, { endpoint, identity })
    return [...left, ...joined]
  }

  #add(used: string, user: MachineUser): void {
    const users: Users = this.#users.get(used) ?? { byKey: new Map() }
    users.byKey.set(keyOf(user), Object.freeze(user))
    users.list = undefined
    this.#users.set(used, users)
  }

  #remove(used: string, user: MachineUser): void {
    const users = this.#users.get(used)
    if (users === undefined) return
    users.byKey.delete(keyOf(user))
    users.list = undefined
    if (users.byKey.size === 0) this.#users.delete(used)
  }
}

function keyOf({ endpoint, identity }: MachineUser): string {
  return `${endpoint} ${identity}`
}
