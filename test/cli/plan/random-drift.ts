/** Random changes behind the control plane's back, made before a plan: machines, routers, hosts, storage. */
import type { World } from '../../../drivers/simulator/world.ts'
import type { Chance } from '../../simulation/chance.ts'
import { outsideChanges } from '../../simulation/generate/troubles.ts'
import { changeOutside } from '../../simulation/perform.ts'
import { leniently } from '../../simulation/places.ts'
import type { OutsideChange } from '../../simulation/scenario.ts'

/** Makes changes that follow from a seed's chance and from how the world stands. */
export class RandomDrift {
  readonly #chance: Chance
  readonly #world: World

  constructor(chance: Chance, world: World) {
    this.#chance = chance
    this.#world = world
  }

  /** Makes one change, and says which. What is not possible as things stand is not done. */
  next(): string {
    const { change, of } = this.#chance.weighted<Drift>([
      [6, this.#outside(this.#chance.weighted(machineChanges))],
      [1, this.#redefined()],
      [1.5, this.#hostChange()],
      [0.5, this.#storageChange()],
    ])
    leniently(change)
    return of
  }

  /** Whether a host answers nobody. */
  isSilent(name: string): boolean {
    return this.#world.list().hosts.some(host => host.name === name && host.state !== 'Answering')
  }

  #outside(change: OutsideChange['change']): Drift {
    const nth = this.#chance.between(0, 99)
    return { of: `${change} ${nth}`, change: () => void changeOutside({ change, nth }, this.#world) }
  }

  /** Somebody gives a machine more processors with the hypervisor's own tools. */
  #redefined(): Drift {
    const ours = this.#world.list().machines.filter(({ facts }) => facts.mark?.kind === 'VirtualMachine')
    const machine = this.#chance.maybePick(ours)
    const change = () => {
      if (machine !== undefined) this.#world.changeDefinition(machine, { cores: machine.facts.definition.cores + 1 })
    }
    return { of: `Redefine ${machine?.identity}`, change }
  }

  /** At most one host is silent at a time: it comes back before the next goes. */
  #hostChange(): Drift {
    const { hosts } = this.#world.list()
    const silent = hosts.find(({ state }) => state !== 'Answering')
    if (silent !== undefined) return { of: `Revive ${silent.name}`, change: () => this.#world.reviveHost(silent.name) }
    const { name, powerController } = this.#chance.pick(hosts)
    return this.#chance.weighted<Drift>([
      [3, { of: `Kill ${name}`, change: () => this.#world.killHost(name) }],
      [2, { of: `Freeze ${name}`, change: () => this.#world.freezeHost(name) }],
      [1, { of: `Cut connections of ${name}`, change: () => this.#world.cutConnections(name) }],
      powerController === 'Answering'
        ? [1, { of: `Kill controller of ${name}`, change: () => this.#world.killPowerController(name) }]
        : [4, { of: `Revive controller of ${name}`, change: () => this.#world.revivePowerController(name) }],
    ])
  }

  #storageChange(): Drift {
    const { pools, stores } = this.#world.list()
    const silent = [...pools, ...stores].find(({ state }) => state !== 'Answering')
    if (silent !== undefined) return { of: `Revive ${silent.url}`, change: () => this.#world.reviveStorage(silent.url) }
    const { url } = this.#chance.pick([...pools, ...stores])
    return { of: `Kill ${url}`, change: () => this.#world.killStorage(url) }
  }
}

interface Drift {
  /** What it is, for a person. */
  readonly of: string
  readonly change: () => void
}

/** Whether a guest will obey ACPI nobody can observe, so that no plan knows it. */
const machineChanges = outsideChanges.filter(([, change]) => change !== 'IgnoreACPI')
