/** What goes wrong at places outside, and when it is over. */
import type { World } from '../../drivers/simulator/world.ts'
import type { Manifest, PlaceTrouble, Split } from './scenario.ts'
import type { SimulatedCloud } from './simulated-cloud.ts'

type Act = (world: World, name: string) => void

interface PlaceAction {
  readonly of: 'hosts' | 'pools' | 'stores'
  readonly begin: Act
  readonly end?: Act
}

/** A trouble of one place. */
interface Ongoing {
  readonly name: string
  readonly begin: Act
  readonly end?: Act | undefined
}

const reviveHost = (world: World, name: string) => world.reviveHost(name)
const reviveStorage = (world: World, name: string) => world.reviveStorage(name)

const actions: Readonly<Record<PlaceTrouble['trouble'], PlaceAction>> = {
  KillHost: { of: 'hosts', begin: (world, name) => world.killHost(name), end: reviveHost },
  FreezeHostLosing: { of: 'hosts', begin: (world, name) => world.freezeHost(name, 'Lost'), end: reviveHost },
  FreezeHostQueueing: { of: 'hosts', begin: (world, name) => world.freezeHost(name, 'Queued'), end: reviveHost },
  CutOffHost: { of: 'hosts', begin: (world, name) => world.cutOffHost(name), end: reviveHost },
  CutConnections: { of: 'hosts', begin: (world, name) => world.cutConnections(name) },
  KillPowerController: {
    of: 'hosts',
    begin: (world, name) => world.killPowerController(name),
    end: (world, name) => world.revivePowerController(name),
  },
  KillStorage: { of: 'pools', begin: (world, name) => world.killStorage(name), end: reviveStorage },
  FreezeStorageLosing: { of: 'pools', begin: (world, name) => world.freezeStorage(name, 'Lost'), end: reviveStorage },
  FreezeStorageQueueing: { of: 'pools', begin: (world, name) => world.freezeStorage(name), end: reviveStorage },
  KillImageStore: { of: 'stores', begin: (world, name) => world.killStorage(name), end: reviveStorage },
  FreezeImageStore: { of: 'stores', begin: (world, name) => world.freezeStorage(name), end: reviveStorage },
}

/** The places of a cloud, as the people see to it who stand beside them. */
export class Places {
  readonly #cloud: SimulatedCloud
  /** Hosts that are declared Lost: nobody gives them power, and nothing else happens to them. */
  readonly #lost = new Set<string>()
  /** The host that is declared Lost and lives. */
  #mistaken: string | undefined
  #underWay = 0

  constructor(cloud: SimulatedCloud) {
    this.#cloud = cloud
  }

  /** Whether nothing more may go wrong outside for now: somebody errs about a host. */
  get mustBeCalm(): boolean {
    return this.#mistaken !== undefined
  }

  /** An operator is about to describe something. Who declares a host Lost has switched it off before. */
  described({ kind, metadata: { name }, spec: { lifecycle } }: Manifest): void {
    if (kind !== 'Host') return
    const { world } = this.#cloud.simulator
    if (lifecycle === 'Lost') {
      this.#lost.add(name)
      leniently(() => world.killHost(name))
      return
    }
    this.#lost.delete(name)
    if (name !== this.#mistaken) return
    this.#mistaken = undefined
    leniently(() => world.reviveHost(name))
  }

  /** Gives a lost host its power back. */
  repair(name: string): void {
    leniently(() => this.#world.reviveHost(name))
  }

  /** Somebody errs about a host that lives: only where everybody else can be asked, now and as long as he errs. */
  mistake(name: string, cutOff: boolean): boolean {
    if (this.#underWay > 0 || this.mustBeCalm || this.#world.faults.list().length > 0) return false
    const { hosts } = this.#world.list()
    if (hosts.find(host => host.name === name)?.state !== 'Answering') return false
    if (hosts.some(({ state }) => state !== 'Answering')) return false
    this.#mistaken = name
    if (cutOff) leniently(() => this.#world.cutOffHost(name))
    return true
  }

  /** Lets a place have its trouble. */
  trouble({ trouble, nth, lasts }: PlaceTrouble): void {
    const { of, begin, end } = actions[trouble]
    const listing = this.#world.list()
    const names = of === 'hosts' ? listing.hosts.map(({ name }) => name) : listing[of].map(({ url }) => url)
    const name = names[nth % Math.max(1, names.length)]
    if (name !== undefined) this.#during(lasts, [{ name, begin, end }])
  }

  /** Breaks the way to places that live on. */
  split({ hosts, powerControllers, storages, paths, lasts }: Split): void {
    const parts = [
      ...hosts.map(name => ({ name, ...actions.CutOffHost })),
      ...powerControllers.map(name => ({ name, ...actions.KillPowerController })),
      ...storages.map(name => ({ name, ...actions.FreezeStorageLosing })),
      ...paths.map(({ host, storage }) => ({
        name: host,
        begin: (world: World, name: string) => world.cutOffStorage(name, storage),
        end: (world: World, name: string) => world.reconnectStorages(name),
      })),
    ]
    this.#during(lasts, parts)
  }

  /** The way it is when nothing is wrong anywhere. */
  endAll(): void {
    const world = this.#world
    world.faults.clear()
    this.#lost.clear()
    const { hosts, pools, stores, machines } = world.list()
    for (const { name } of hosts) {
      world.revivePowerController(name)
      world.reviveHost(name)
      world.reconnectStorages(name)
    }
    for (const { url } of [...pools, ...stores]) world.reviveStorage(url)
    for (const { identity, host, ignoresACPI } of machines) if (ignoresACPI) world.ignoreACPI({ identity, host }, false)
  }

  /** Somebody goes round and switches on what is off. */
  powerOnAll(): void {
    for (const { name, power } of this.#world.list().hosts) if (power === 'Off') this.#world.reviveHost(name)
  }

  get #world(): World {
    return this.#cloud.simulator.world
  }

  #during(lasts: number, parts: readonly Ongoing[]): void {
    if (this.mustBeCalm) return
    const begun = parts.filter(({ name }) => !this.#lost.has(name))
    for (const { name, begin } of begun) leniently(() => begin(this.#world, name))
    this.#underWay++
    this.#cloud.environment.clock.after(lasts, () => {
      this.#underWay--
      for (const { name, end } of begun) if (!this.#lost.has(name)) leniently(() => end?.(this.#world, name))
    })
  }
}

/** What is not possible as things stand is not done. */
export function leniently(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof RangeError) && (error as Error).name !== 'DriverError') throw error
  }
}
