import { realEnvironment } from '../../../cli/environment.ts'
import type { Endpoint } from '../../../drivers/contract/endpoint.ts'
import { createSimulator, type Simulator, type SimulatorOptions } from '../../../drivers/simulator/simulator.ts'
import type { ConformanceFixture } from '../conformance-rig.ts'

/** Times of a few ms, in which calls given up after a moment are cut at every stage. */
export const quickTiming = {
  DefineMachine: 8,
  StartMachine: 8,
  StopMachine: 4,
  RemoveMachine: 4,
  ConfigureRouter: 4,
  CreateVolume: 10,
  ResizeVolume: 4,
  TrashVolume: 2,
  RestoreVolume: 2,
  DeleteVolume: 4,
  StoreImage: 10,
  DeleteImage: 2,
  SetPower: 4,
  Inventory: 1,
  SignOfLife: 1,
  GuestShutdown: 10,
  HostBoot: 10,
  KeepAlive: 10,
  MigrateMachine: 4,
  CancelMigration: 4,
  Migration: 200,
  MigrationPause: 2,
  Watchdog: 10,
}

/** A host of 16 cores and 64 GiB. */
export function hostEndpoint(name: string): Endpoint {
  const simulated = { cores: 16, clockMHz: 2400, memoryBytes: 64 * 2 ** 30 }
  return {
    key: `Host/${name}-uid`,
    driver: 'Simulator',
    name,
    configuration: { type: 'Host', address: `${name}.test`, simulated },
  }
}

/** A pool of that name. */
export function poolEndpoint(name: string, capacityBytes?: number): Endpoint {
  const capacity = capacityBytes === undefined ? {} : { capacityBytes }
  return {
    key: `PrimaryStorage/${name}-uid`,
    driver: 'Simulator',
    name,
    configuration: { type: 'PrimaryStorage', url: `sim://${name}`, hosts: [], ...capacity },
  }
}

/** An image store of that name. */
export function storeEndpoint(name: string): Endpoint {
  return {
    key: `SecondaryStorage/${name}-uid`,
    driver: 'Simulator',
    name,
    configuration: { type: 'SecondaryStorage', url: `sim://${name}` },
  }
}

/** The power controller of a host. */
export function powerEndpoint(host: Endpoint): Endpoint {
  return {
    key: `PowerController/${host.name}-uid`,
    driver: 'Simulator',
    name: host.name,
    configuration: { type: 'PowerController', host: host.key },
  }
}

/** A simulator as the conformance suite wants it. */
export function simulatorFixture(options: Omit<SimulatorOptions, 'environment'>): ConformanceFixture {
  const simulator: Simulator = createSimulator({ environment: realEnvironment(), ...options })
  const { driver, world } = simulator
  const [host, pool] = [hostEndpoint('host-1'), poolEndpoint('primary-1')]
  return {
    driver,
    host,
    pool,
    store: storeEndpoint('secondary-1'),
    power: powerEndpoint(host),
    otherHost: hostEndpoint('host-2'),
    segment: { network: 'web', isolation: 'VXLAN', id: 5001, label: 'guest0' },
    guestImage: { url: 'sim://images/tiny-linux', format: 'QCOW2' },
    images: { present: 'sim://images/tiny-linux', missing: 'sim://images/missing-linux', format: 'QCOW2' },
    deadline: 5000,
    addForeignMachine: async mark =>
      world.addForeignMachine('host-1', { power: 'Off', ...(mark === undefined ? {} : { mark }) }),
    addForeignVolume: async mark => world.addForeignVolume('primary-1', mark === undefined ? {} : { mark }),
    destroyMachine: async identity => world.destroyMachine(identity),
    removeVolume: async identity => world.removeVolume(identity),
    machines: async () => world.list().machines.map(machine => machine.identity),
    volumes: async () => world.list().volumes.map(volume => volume.identity),
    breakConnections: async () => world.cutConnections('host-1'),
    silence: async () => {
      world.freezeHost('host-1')
      return { [Symbol.dispose]: () => world.reviveHost('host-1') }
    },
    logs: () => [JSON.stringify(world.journal.latest(1000)), JSON.stringify(world.list())],
    [Symbol.asyncDispose]: () => simulator[Symbol.asyncDispose](),
  }
}
