import type { Hypervisor } from '../../crds/common.ts'
import type { Host, PowerControl } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { parseBytes } from '../../crds/invariants/quantity.ts'
import type {
  DriverName,
  Endpoint,
  EndpointKey,
  HostConfiguration,
  PowerControllerConfiguration,
} from '../../drivers/contract/endpoint.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import type { Wish, World } from '../world.ts'
import { hostsByAddress, hostsByPowerAddress } from './topology.ts'
import { witnessesOf } from './witnesses.ts'

/** The hypervisors that have a driver. */
export const hypervisorDrivers: Readonly<Partial<Record<Hypervisor, DriverName>>> = {
  Simulator: 'Simulator',
  KVM: 'KVM',
}

/** The endpoint key of a host. */
export function hostKey(host: Wish<typeof Host>, world: World): EndpointKey {
  return endpointKey('Host', world.identity(host))
}

/** The endpoint key of a host's power controller. */
export function powerKey(host: Wish<typeof Host>, world: World): EndpointKey {
  return endpointKey('PowerController', world.identity(host))
}

/** How to reach a host. */
export function hostConfiguration({ spec }: Wish<typeof Host>): HostConfiguration {
  const { address, kvm, simulator } = spec
  const socketPath = kvm?.socketPath
  const emulator = kvm?.emulator
  return {
    type: 'Host',
    address,
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(emulator === undefined ? {} : { emulator }),
    ...(simulator === undefined
      ? {}
      : {
          simulated: {
            cores: simulator.cores,
            clockMHz: simulator.clockMHz,
            memoryBytes: parseBytes(simulator.memory),
          },
        }),
  }
}

/** The driver of a host: by its cluster's hypervisor, and while the cluster is missing by what the host itself says. */
export function hostDriver(host: Wish<typeof Host>, world: World): DriverName | undefined {
  const cluster = world.desired.get(HostCluster, host.spec.clusterName)
  if (cluster !== undefined) return hypervisorDrivers[cluster.spec.hypervisor]
  if (host.spec.simulator !== undefined) return 'Simulator'
  return host.spec.kvm === undefined ? undefined : 'KVM'
}

/** The older host of the same address, which alone is reached by it: two endpoints would show each machine twice. */
export function olderNamesake(host: Wish<typeof Host>, world: World): Wish<typeof Host> | undefined {
  const [oldest] = world.desired.list(hostsByAddress, host.spec.address.toLowerCase())
  return oldest === undefined || oldest.metadata.uid === host.metadata.uid ? undefined : oldest
}

/** The oldest host with the same power controller, which tells the power of that one: never taken for the word on another. */
export function olderAtPowerController(host: Wish<typeof Host>, world: World): Wish<typeof Host> | undefined {
  const [address] = hostsByPowerAddress.values(host)
  const sharing = address === undefined ? [] : world.desired.list(hostsByPowerAddress, address)
  const oldest = sharing.find(other => maySharePower(host, other))
  return oldest === undefined || oldest.metadata.uid === host.metadata.uid ? undefined : oldest
}

/** Behind one Redfish controller there may be several systems; who names none has its only one. */
function maySharePower(host: Wish<typeof Host>, other: Wish<typeof Host>): boolean {
  const [system, others] = [host, other].map(({ spec }) => spec.powerControl?.redfish?.systemID)
  return system === undefined || others === undefined || system === others
}

/** The endpoints of a host: its hypervisor, where there is a driver for it, and its power controller, where it has one. */
export function hostEndpoints(host: Wish<typeof Host>, world: World): readonly Endpoint[] {
  const driver = hostDriver(host, world)
  if (driver === undefined || olderNamesake(host, world) !== undefined) return []
  const key = hostKey(host, world)
  const name = host.metadata.name
  const witnesses = witnessesOf(host, world)
  const hypervisorEndpoint: Endpoint = {
    key,
    driver,
    name,
    configuration: hostConfiguration(host),
    ...(witnesses === undefined ? {} : { witnesses }),
  }
  const control = host.spec.powerControl
  if (control === undefined || olderAtPowerController(host, world) !== undefined) return [hypervisorEndpoint]
  const power: Endpoint = {
    key: powerKey(host, world),
    driver: control.driver,
    name,
    configuration: { type: 'PowerController', host: key, ...powerConfiguration(control) },
  }
  return [hypervisorEndpoint, power]
}

function powerConfiguration(control: PowerControl): Omit<PowerControllerConfiguration, 'type' | 'host'> {
  const { address, credentialsSecretName: secretName, redfish } = control
  return {
    ...(address === undefined ? {} : { address }),
    ...(secretName === undefined ? {} : { credentials: { secretName } }),
    ...redfish,
  }
}

/** Whether there is anything to read, were it on: a driver, and an address of its own. */
export function isReadable(host: Wish<typeof Host>, world: World): boolean {
  return hostDriver(host, world) !== undefined && olderNamesake(host, world) === undefined
}
