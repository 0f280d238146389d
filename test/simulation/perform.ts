/** Carries out the steps of a scenario. */
import { findTrash, takeBack } from '../../cli/trash.ts'
import { UserError } from '../../cli/user-error.ts'
import { ApiError } from '../../controllers/api/api-error.ts'
import type { World } from '../../drivers/simulator/world.ts'
import type { Watchman } from './invariants.ts'
import { leniently, type Places } from './places.ts'
import type { Foreigner, Manifest, OutsideChange, Step } from './scenario.ts'
import type { SimulatedCloud } from './simulated-cloud.ts'

/** What steps are carried out on. */
export interface Stage {
  readonly cloud: SimulatedCloud
  readonly watchman: Watchman
  readonly places: Places
}

/** Carries out one step. What it names and is not there is left alone. */
export async function perform(step: Step, { cloud, watchman, places }: Stage): Promise<void> {
  const { simulator, wire, replicas } = cloud
  switch (step.do) {
    case 'Apply':
      places.described(step.object)
      watchman.described(step.object)
      return cloud.apply(step.object)
    case 'Delete':
      watchman.deleted(step.object)
      return cloud.delete(step.object)
    case 'Forget':
      return cloud.forget(step.object)
    case 'TakeBack':
      return takeBackDisk(step, cloud)
    case 'AddForeigner':
      leniently(() => addForeigner(step, cloud, watchman))
      return
    case 'Fault':
      if (!places.mustBeCalm) simulator.world.faults.add(step.fault)
      return
    case 'Wire':
      wire.add(step)
      return
    case 'Place':
      places.trouble(step)
      return
    case 'Split':
      places.split(step)
      return
    case 'Repair':
      places.repair(step.host)
      return
    case 'MistakeForLost':
      return mistakeForLost(step, cloud, places)
    case 'Outside':
      leniently(() => {
        const foreign = changeOutside(step, simulator.world)
        if (foreign !== undefined) watchman.foreign.add(foreign)
      })
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

/** Makes one change behind the control plane's back. Answers with the identity of what it added, which is not ours. */
export function changeOutside({ change, nth }: OutsideChange, world: World): string | undefined {
  const { hosts, machines, pools } = world.list()
  if (change === 'AddForeignMachine') {
    const host = hosts[nth % Math.max(1, hosts.length)]
    return host && world.addForeignMachine(host.name, { power: nth % 2 === 0 ? 'Running' : 'Off' })
  }
  if (change === 'AddForeignVolume') {
    const pool = pools[nth % Math.max(1, pools.length)]
    return pool && world.addForeignVolume(pool.url)
  }
  const ours = machines.filter(({ facts }) => facts.mark !== undefined)
  const target = ours[nth % Math.max(1, ours.length)]
  if (target !== undefined) machineChanges[change](world, { identity: target.identity, host: target.host })
  return undefined
}

/** Somebody who starts a machine by hand starts no second one, and none whose disks another uses: that breach were his. */
function startWhereItMayRun(world: World, address: MachineAddress): void {
  const { machines, volumes } = world.list()
  if (machines.some(({ identity, host }) => identity === address.identity && host !== address.host)) return
  const own = volumes.filter(volume => volume.machines.includes(address.identity))
  if (own.every(volume => volume.machines.length === 1)) world.startMachine(address)
}

/** An operator errs about a host. What may not be promised then (decision 15) is kept away: everybody else can be asked. */
async function mistakeForLost(
  { host, cutOff }: { readonly host: string; readonly cutOff: boolean },
  cloud: SimulatedCloud,
  places: Places,
): Promise<void> {
  const described = cloud.wished.get(`Host//${host}`)
  if (described === undefined || described.spec.lifecycle === 'Lost' || !places.mistake(host, cutOff)) return
  await cloud.apply({ ...described, spec: { ...described.spec, lifecycle: 'Lost' } })
}

function addForeigner(foreigner: Foreigner, { simulator, stored }: SimulatedCloud, watchman: Watchman): void {
  const { identity, host, pool, power, memoryBytes, guestHostName, nics } = foreigner
  const uid = stored.get('primarystorages.infrastructure', pool)?.metadata.uid
  if (uid === undefined) return
  const { world } = simulator
  const disks = foreigner.disks.map((disk, index) => {
    watchman.foreign.add(world.addForeignVolume(pool, disk))
    return { identity: disk.identity, pool: `PrimaryStorage/${uid}` as const, name: `vd${'ab'[index]}` }
  })
  watchman.foreign.add(
    world.addForeignMachine(host, { identity, power, definition: { memoryBytes, guestHostName, disks, nics } }),
  )
}

async function takeBackDisk(
  { nth, name }: { readonly nth: number; readonly name: string },
  cloud: SimulatedCloud,
): Promise<void> {
  try {
    const trash = await cloud.complete(findTrash(cloud.client))
    const disk = trash[nth % Math.max(1, trash.length)]
    if (disk === undefined) return
    const { apiVersion, kind, metadata, spec } = await cloud.complete(
      takeBack(cloud.client, disk.identity, name, cloud.environment),
    )
    const { namespace = '' } = metadata
    cloud.note(`${disk.identity} is taken back`)
    cloud.wished.set(`${kind}/${namespace}/${name}`, {
      apiVersion,
      kind,
      metadata: { name, namespace },
      spec: spec as Manifest['spec'],
    })
  } catch (error) {
    if (!(error instanceof UserError) && !(error instanceof ApiError)) throw error
  }
}
