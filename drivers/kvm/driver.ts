import { fileURLToPath } from 'node:url'
import type { Environment } from '../../crds/environment.ts'
import type { Connection, Driver } from '../contract/driver.ts'
import type { Endpoint, HostConfiguration, PrimaryStorageConfiguration } from '../contract/endpoint.ts'
import { endpointIdentity } from '../contract/endpoint.ts'
import { DriverError } from '../contract/errors.ts'
import type { DomainOptions } from './domain.ts'
import { HostConnection } from './host-connection.ts'
import { Hypervisor } from './hypervisor.ts'
import { KeyedLock } from './keyed-lock.ts'
import { PoolConnection } from './pool-connection.ts'
import { PoolRegistry } from './pool-registry.ts'

/** Options of the KVM driver. */
export interface KVMDriverOptions {
  readonly environment: Environment
  /** How QEMU caches disks on the host. Default `none`, which needs a file system with direct access. */
  readonly diskCache?: DomainOptions['diskCache']
  /** Where the logs of serial consoles are kept, one file a machine. Default `/var/log/skystead/console`. */
  readonly consoleDirectory?: string
}

const domainTypes = { KVM: 'kvm', TCG: 'qemu' } as const

interface Shared {
  readonly hypervisor: Hypervisor
  users: number
}

/** The driver of hosts that run libvirt with QEMU, and of directories there as pools of disks. */
export function createKVMDriver(options: KVMDriverOptions): Driver {
  const { environment } = options
  const shared = new Map<string, Shared>()
  const pools = new PoolRegistry()
  const session = environment.random.uuid()

  function take(host: HostConfiguration): { hypervisor: Hypervisor; release: () => void } {
    const place = host.socketPath ?? ''
    let entry = shared.get(place)
    if (entry === undefined) {
      entry = { hypervisor: new Hypervisor(environment, host.socketPath), users: 0 }
      shared.set(place, entry)
    }
    const own = entry
    own.users += 1
    return {
      hypervisor: own.hypervisor,
      release: () => {
        own.users -= 1
        if (own.users > 0) return
        own.hypervisor.close()
        shared.delete(place)
      },
    }
  }

  function connectHost(endpoint: Endpoint, configuration: HostConfiguration): Connection {
    const { hypervisor, release } = take(configuration)
    return new HostConnection({
      key: endpoint.key,
      clock: environment.clock,
      hypervisor,
      release,
      pools,
      domainType: configuration.emulator && domainTypes[configuration.emulator],
      diskCache: options.diskCache ?? 'none',
      consoleDirectory: options.consoleDirectory ?? '/var/log/skystead/console',
    })
  }

  function connectPool(endpoint: Endpoint, configuration: PrimaryStorageConfiguration): Connection {
    const directory = directoryOf(configuration.url)
    if (directory instanceof DriverError) return refusing(directory)
    const hosts = configuration.hosts.map(host => take(host.configuration))
    const lock = hosts[0]?.hypervisor.lock ?? new KeyedLock()
    const known = pools.add(endpoint.key, directory)
    return new PoolConnection({
      key: endpoint.key,
      identity: endpointIdentity(endpoint.key),
      directory,
      capacityBytes: configuration.capacityBytes,
      hypervisors: [...new Set(hosts.map(host => host.hypervisor))],
      lock,
      pools,
      random: environment.random,
      session,
      release: () => {
        known[Symbol.dispose]()
        for (const host of hosts) host.release()
      },
    })
  }

  return {
    name: 'KVM',
    serves: ['Host', 'PrimaryStorage'],
    connect(endpoint) {
      const { configuration } = endpoint
      if (configuration.type === 'Host') return connectHost(endpoint, configuration)
      if (configuration.type === 'PrimaryStorage') return connectPool(endpoint, configuration)
      return refusing(
        new DriverError('Unsupported', `Cannot reach ${endpoint.key}: the KVM driver serves hosts and primary storage`),
      )
    },
  }
}

function directoryOf(url: string): string | DriverError {
  if (!url.startsWith('file://')) {
    return new DriverError('Unsupported', 'Cannot use this url: the KVM driver has pools of file:// only, yet')
  }
  try {
    const directory = fileURLToPath(url)
    return directory.length > 1 && directory.endsWith('/') ? directory.slice(0, -1) : directory
  } catch {
    // The URL itself is not told: it may hold a password.
    return new DriverError('InvalidArgument', 'Cannot use this url: it names no directory of a host')
  }
}

/** Opening a connection never fails: what cannot be reached fails in the calls. */
function refusing(error: DriverError): Connection {
  return {
    inventory: () => Promise.reject(error),
    perform: () => Promise.reject(error),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
