/** Carries out the steps of a scenario. */
import type { World } from '../../drivers/simulator/world.ts'
import type { Watchman } from './invariants.ts'
import type { OutsideChange, PlaceTrouble, Step } from './scenario.ts'
import type { SimulatedCloud } from './simulated-cloud.ts'

/** Carries out one step. What it names and is not there is left alone. */
export async function perform(step: Step, cloud: SimulatedCloud, watchman: Watchman): Promise<void> {
  const { simulator, wire, replicas } = cloud
  switch (step.do) {
    case 'Apply':
      return cloud.apply(step.object)
    case 'Delete':
      return cloud.delete(step.object)
    case 'Fault':
      simulator.world.faults.add(step.fault)
      return
    case 'Wire':
      wire.add(step)
      return
    case 'Place':
      trouble(step, cloud)
      return
    case 'Outside':
      leniently(() => change(step, simulator.world, watchman))
      return
    case 'Kill':
      for (const replica of replicas) replica.dieAt(step)
      return
    case 'Suspend':
      replicas[0]?.sleep(step.lasts)
      return
    case 'WipeStatuses':
      return cloud.wipeStatuses()
    case 'LoseStore':
      watchman.storeWasLost = true
      return cloud.loseStore()
  }
}

interface PlaceAction {
  readonly of: 'hosts' | 'pools' | 'stores'
  readonly begin: (world: World, name: string) => void
  readonly end?: (world: World, name: string) => void
}

const reviveHost = (world: World, name: string) => world.reviveHost(name)
const reviveStorage = (world: World, name: string) => world.reviveStorage(name)

const places: Readonly<Record<PlaceTrouble['trouble'], PlaceAction>> = {
  KillHost: { of: 'hosts', begin: (world, name) => world.killHost(name), end: reviveHost },
  FreezeHostLosing: { of: 'hosts', begin: (world, name) => world.freezeHost(name, 'Lost'), end: reviveHost },
  FreezeHostQueueing: { of: 'hosts', begin: (world, name) => world.freezeHost(name, 'Queued'), end: reviveHost },
  CutConnections: { of: 'hosts', begin: (world, name) => world.cutConnections(name) },
  KillPowerController: {
    of: 'hosts',
    begin: (world, name) => world.killPowerController(name),
    end: (world, name) => world.revivePowerController(name),
  },
  KillStorage: { of: 'pools', begin: (world, name) => world.killStorage(name), end: reviveStorage },
  KillImageStore: { of: 'stores', begin: (world, name) => world.killStorage(name), end: reviveStorage },
}

function trouble(step: PlaceTrouble, { simulator: { world }, environment: { clock } }: SimulatedCloud): void {
  const { of, begin, end } = places[step.trouble]
  const listing = world.list()
  const names = of === 'hosts' ? listing.hosts.map(({ name }) => name) : listing[of].map(({ url }) => url)
  const name = names[step.nth % Math.max(1, names.length)]
  if (name === undefined) return
  leniently(() => begin(world, name))
  if (end !== undefined) clock.after(step.lasts, () => leniently(() => end(world, name)))
}

type MachineAddress = { readonly identity: string; readonly host: string }
type MachineChange = Exclude<OutsideChange['change'], 'AddForeignMachine' | 'AddForeignVolume'>

const machineChanges: Readonly<Record<MachineChange, (world: World, address: MachineAddress) => void>> = {
  ShutDownGuest: (world, address) => world.shutdownGuest(address),
  CrashGuest: (world, address) => world.crashGuest(address),
  CrashGuestLeft: (world, address) => world.crashGuest(address, 'Crashed'),
  IgnoreACPI: (world, address) => world.ignoreACPI(address),
  DestroyMachine: (world, address) => world.destroyMachine(address),
  PauseMachine: (world, address) => world.pauseMachine(address),
  StartMachine: startWhereItMayRun,
  RemoveMachine: (world, address) => world.removeMachine(address),
  ClearRouter: (world, address) => world.setRouterDocument(address, undefined),
}

function change({ change, nth }: OutsideChange, world: World, watchman: Watchman): void {
  const { hosts, machines, pools } = world.list()
  if (change === 'AddForeignMachine') {
    const host = hosts[nth % Math.max(1, hosts.length)]
    const power = nth % 2 === 0 ? 'Running' : 'Off'
    if (host !== undefined) watchman.foreign.add(world.addForeignMachine(host.name, { power }))
    return
  }
  if (change === 'AddForeignVolume') {
    const pool = pools[nth % Math.max(1, pools.length)]
    if (pool !== undefined) watchman.foreign.add(world.addForeignVolume(pool.url))
    return
  }
  const ours = machines.filter(({ facts }) => facts.mark !== undefined)
  const target = ours[nth % Math.max(1, ours.length)]
  if (target !== undefined) machineChanges[change](world, { identity: target.identity, host: target.host })
}

/** Somebody who starts a machine by hand starts no second one, and none whose disks another uses: that breach were his. */
function startWhereItMayRun(world: World, address: MachineAddress): void {
  const { machines, volumes } = world.list()
  if (machines.some(({ identity, host }) => identity === address.identity && host !== address.host)) return
  const own = volumes.filter(volume => volume.machines.includes(address.identity))
  if (own.every(volume => volume.machines.length === 1)) world.startMachine(address)
}

/** What is not possible as things stand is not done. */
function leniently(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof RangeError) && (error as Error).name !== 'DriverError') throw error
  }
}
