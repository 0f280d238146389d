import { type Endpoint, type EndpointKey, endpointKey } from '../../../drivers/contract/endpoint.ts'
import type {
  HostInventory,
  ImageFacts,
  MachineFacts,
  PrimaryStorageInventory,
  VolumeFacts,
} from '../../../drivers/contract/facts.ts'
import { type Operation, operation } from '../../../drivers/contract/operation.ts'

/** The installation of the tests. */
export const installation = 'ours'

/** Endpoints of the tests: two hosts, the power controller of the first, a pool, a store. */
export const hostA = endpointKey('Host', 'a')
export const hostB = endpointKey('Host', 'b')
export const powerA = endpointKey('PowerController', 'a')
export const pool = endpointKey('PrimaryStorage', 'pool')
export const store = endpointKey('SecondaryStorage', 'store')

/** A simulated host's endpoint. */
export function hostEndpoint(key: EndpointKey, address = '192.0.2.1'): Endpoint {
  return { key, driver: 'Simulator', name: key, configuration: { type: 'Host', address } }
}

/** The endpoint of what switches a host. */
export function powerEndpoint(key: EndpointKey, host: EndpointKey): Endpoint {
  return { key, driver: 'Simulator', name: key, configuration: { type: 'PowerController', host } }
}

/** A pool's endpoint, reached by so many hosts. */
export function poolEndpoint(hosts: readonly EndpointKey[] = [], url = 'sim://pool'): Endpoint {
  const configuration = { type: 'Host', address: '192.0.2.1' } as const
  return {
    key: pool,
    driver: 'Simulator',
    name: 'pool',
    configuration: { type: 'PrimaryStorage', url, hosts: hosts.map(endpoint => ({ endpoint, configuration })) },
  }
}

/** An image store's endpoint. */
export const storeEndpoint: Endpoint = {
  key: store,
  driver: 'Simulator',
  name: 'store',
  configuration: { type: 'SecondaryStorage', url: 'sim://store' },
}

/** A machine of ours, named like its identity. */
export function machine(identity: string, changes: Partial<MachineFacts> = {}): MachineFacts {
  return {
    identity,
    mark: { installation, kind: 'VirtualMachine', namespace: 'default', name: identity },
    epoch: 1,
    powerState: 'Running',
    definition: {
      role: 'Instance',
      cores: 1,
      clockMHz: 1000,
      memoryBytes: 2 ** 30,
      guestHostName: identity,
      disks: [{ identity: `${identity}-root`, pool, name: 'root' }],
      nics: [],
    },
    ...changes,
  }
}

/** A machine that nobody of ours made. */
export function foreignMachine(identity: string): MachineFacts {
  const { mark: _ours, ...facts } = machine(identity)
  return facts
}

/** A volume of ours. */
export function volume(identity: string, changes: Partial<VolumeFacts> = {}): VolumeFacts {
  return {
    identity,
    mark: { installation, kind: 'Volume', namespace: 'default', name: identity },
    epoch: 1,
    sizeBytes: 2 ** 30,
    format: 'QCOW2',
    ...changes,
  }
}

/** An image of ours. */
export function image(identity: string): ImageFacts {
  return {
    identity,
    mark: { installation, kind: 'PublicTemplate', name: identity },
    url: 'sim://images/a',
    sizeBytes: 1,
  }
}

/** A listing of a host. */
export function hostListing(machines: readonly MachineFacts[], jobs: HostInventory['jobs'] = []): HostInventory {
  const host = { hypervisorVersion: '1', cores: 8, clockMHz: 2000, memoryBytes: 2 ** 36, capabilities: [] }
  return { type: 'Host', host, machines, jobs }
}

/** A listing of a pool. */
export function poolListing(
  volumes: readonly VolumeFacts[],
  { jobs = [], usedBytes = 0 }: { jobs?: PrimaryStorageInventory['jobs']; usedBytes?: number } = {},
): PrimaryStorageInventory {
  return { type: 'PrimaryStorage', totalBytes: 1_000_000, usedBytes, volumes, jobs }
}

/** An operation that starts a machine. */
export function startMachine(identity: string, endpoint: EndpointKey = hostA): Operation<'StartMachine'> {
  return operation('StartMachine', { endpoint, identity }, { identity, epoch: 1 })
}

/** An operation that removes a machine. */
export function removeMachine(identity: string, endpoint: EndpointKey = hostA): Operation<'RemoveMachine'> {
  return operation('RemoveMachine', { endpoint, identity }, { identity, epoch: 1 })
}

/** An operation that defines a machine, with its root disk locked. */
export function defineMachine(identity: string, userData?: string): Operation<'DefineMachine'> {
  const facts = machine(identity)
  return operation(
    'DefineMachine',
    { endpoint: hostA, identity, alsoLocks: [`${identity}-root`] },
    {
      identity,
      epoch: 1,
      mark: facts.mark ?? { installation, kind: 'VirtualMachine', name: identity },
      definition: facts.definition,
      ...(userData === undefined ? {} : { userData }),
    },
  )
}

/** An operation that resizes a volume. */
export function resizeVolume(identity: string, sizeBytes: number): Operation<'ResizeVolume'> {
  return operation('ResizeVolume', { endpoint: pool, identity }, { identity, epoch: 1, sizeBytes })
}
