/** Carries out the steps of a scenario. */
import type { World } from '../../drivers/simulator/world.ts'
import type { Watchman } from './invariants.ts'
import type { OutsideChange, PlaceTrouble, Step } from './scenario.ts'
import type { SimulatedCloud } from './simulated-cloud.ts'

/** Carries out one step. What it names and is not there is left alone. */
export async function perform(step: Step, cloud: SimulatedCloud, watchman: Watchman): Promise<void> {
  switch (step.do) {
    case 'Apply':
      return cloud.apply(step.object)
    case 'Delete':
      return cloud.delete(step.object)
    case 'Fault':
      cloud.simulator.world.faults.add(step.fault)
      return
    case 'Wire':
      return cloud.wire.add(step)
    case 'Place':
      return trouble(step, cloud)
    case 'Outside':
      return leniently(() => change(step, cloud.simulator.world, watchman))
    case 'Kill':
      return cloud.kill(step)
    case 'Suspend':
      for (const replica of cloud.replicas.slice(0, 1)) replica.sleep(step.lasts)
      return
    case 'WipeStatuses':
      return cloud.wipeStatuses()
    case 'LoseStore':
      watchman.storeWasLost = true
      return cloud.loseStore()
  }
}

function trouble({ trouble, nth, lasts }: PlaceTrouble, { simulator: { world }, environment: { clock } }: SimulatedCloud): void {
  const { hosts, pools, stores } = world.list()
  const host = hosts[nth % Math.max(1, hosts.length)]?.name
  const pool = pools[nth % Math.max(1, pools.length)]?.url
  const store = stores[nth % Math.max(1, stores.length)]?.url
  const during = (subject: string | undefined, begin: (name: string) => void, end: (name: string) => void) => {
    if (subject === undefined) return
    leniently(() => begin(subject))
    clock.after(lasts, () => leniently(() => end(subject)))
  }
  switch (trouble) {
    case 'KillHost':
      return during(host, name => world.killHost(name), name => world.reviveHost(name))
    case 'FreezeHostLosing':
      return during(host, name => world.freezeHost(name, 'Lost'), name => world.reviveHost(name))
    case 'FreezeHostQueueing':
      return during(host, name => world.freezeHost(name, 'Queued'), name => world.reviveHost(name))
    case 'CutConnections':
      return during(host, name => world.cutConnections(name), () => undefined)
    case 'KillPowerController':
      return during(host, name => world.killPowerController(name), name => world.revivePowerController(name))
    case 'KillStorage':
      return during(pool, name => world.killStorage(name), name => world.reviveStorage(name))
    case 'KillImageStore':
      return during(store, name => world.killStorage(name), name => world.reviveStorage(name))
  }
}

function change({ change, nth }: OutsideChange, world: World, watchman: Watchman): void {
  const { hosts, machines, pools } = world.list()
  const ours = machines.filter(({ facts }) => facts.mark !== undefined)
  const target = ours[nth % Math.max(1, ours.length)]
  const host = hosts[nth % Math.max(1, hosts.length)]
  const pool = pools[nth % Math.max(1, pools.length)]
  if (change === 'AddForeignMachine') {
    if (host !== undefined) watchman.foreign.add(world.addForeignMachine(host.name, { power: nth % 2 === 0 ? 'Running' : 'Off' }))
    return
  }
  if (change === 'AddForeignVolume') {
    if (pool !== undefined) watchman.foreign.add(world.addForeignVolume(pool.url))
    return
  }
  if (target === undefined) return
  const address = { identity: target.identity, host: target.host }
  switch (change) {
    case 'ShutDownGuest':
      return world.shutdownGuest(address)
    case 'CrashGuest':
      return world.crashGuest(address)
    case 'CrashGuestLeft':
      return world.crashGuest(address, 'Crashed')
    case 'IgnoreACPI':
      return world.ignoreACPI(address)
    case 'DestroyMachine':
      return world.destroyMachine(address)
    case 'PauseMachine':
      return world.pauseMachine(address)
    case 'StartMachine':
      return startWhereItMayRun(world, address)
    case 'RemoveMachine':
      return world.removeMachine(address)
    case 'ClearRouter':
      return world.setRouterDocument(address, undefined)
  }
}

/** Somebody who starts a machine by hand starts no second one: that breach would be his. */
function startWhereItMayRun(world: World, address: { readonly identity: string; readonly host: string }): void {
  const elsewhere = world.list().machines.filter(({ identity, host }) => identity === address.identity && host !== address.host)
  if (elsewhere.length === 0) world.startMachine(address)
}

/** What is not possible as things stand is not done. */
function leniently(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof RangeError) && (error as Error).name !== 'DriverError') throw error
  }
}
