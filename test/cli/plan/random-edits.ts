/** Random edits of a cloud of four hosts, each valid by itself; together they may ask for what cannot be had. */
import type { Writable } from '../../../controllers/api/client.ts'
import type { Chance } from '../../simulation/chance.ts'

/** What a person does to one object. */
export interface RandomEdit {
  readonly verb: 'Apply' | 'Delete'
  readonly manifest: Writable
  /** It moves or stops many machines, a few at a time: which goes first is chance, and no plan knows it. */
  readonly movesMachines?: true
}

/** By which label everything in the person's files is known. */
export const filesLabel = { name: 'files', value: 'random' } as const

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly spec: Readonly<Record<string, unknown>>
}

const groups: Readonly<Record<string, string>> = {
  VirtualMachine: 'compute',
  ServiceOffering: 'compute',
  Volume: 'storage',
  PrimaryStorage: 'infrastructure',
  Host: 'infrastructure',
}

function manifest(kind: string, name: string, spec: Manifest['spec']): Manifest {
  const isTenants = !['Host', 'PrimaryStorage', 'ServiceOffering', 'NetworkOffering'].includes(kind)
  const metadata = { name, ...(isTenants ? { namespace: 'shop' } : {}) }
  return { apiVersion: `${groups[kind] ?? 'network'}.skystead.dev/v1alpha1`, kind, metadata, spec }
}

/** What the cloud has beside the quickstart before the first edit. */
export const furniture: readonly Writable[] = [
  manifest('ServiceOffering', 'large', { cores: 4, clockMHz: 2000, memory: '4Gi', highlyAvailable: true }),
  manifest('NetworkOffering', 'plain', { guestType: 'L2', services: [] }),
  ...['host-3', 'host-4'].map(name => host(name, {})),
  pool('primary-2', 'Active'),
  manifest('Network', 'back', { zoneName: 'zone-a', networkOfferingName: 'plain' }),
]

const hostNames = ['host-1', 'host-2', 'host-3', 'host-4'] as const

/** What is wished of a host beside its description. Left out: that it serves. */
interface HostWish {
  readonly allocationState?: 'Enabled' | 'Disabled'
  readonly lifecycle?: 'Active' | 'Maintenance' | 'Lost'
}

function host(name: string, wish: HostWish): Manifest {
  return manifest('Host', name, {
    clusterName: 'cluster-1',
    address: `172.16.10.10${name.at(-1)}`,
    ...wish,
    simulator: { cores: 16, clockMHz: 2400, memory: '64Gi' },
    powerControl: { driver: 'Simulator' },
  })
}

function pool(name: string, lifecycle: 'Active' | 'Maintenance'): Manifest {
  const spec = { scope: 'Cluster', clusterName: 'cluster-1', url: `sim://${name}`, capacity: '2Ti', lifecycle }
  return manifest('PrimaryStorage', name, spec)
}

/** Makes edits that follow from a seed's chance and from the edits before. */
export class RandomEdits {
  readonly #chance: Chance
  readonly #isSilent: (host: string) => boolean
  readonly #hosts = new Map<string, HostWish>()
  readonly #pools = new Set<string>()
  readonly #machines = new Map<string, Manifest>()
  readonly #volumes = new Map<string, Manifest>()
  readonly #addresses = new Map<string, Manifest>()
  readonly #forwardings = new Map<string, Manifest>()
  readonly #rules = new Map<string, Manifest>()
  readonly #networks = new Map<string, Manifest>()
  #number = 0

  /** `isSilent`: whether a host answers nobody, so that a person may declare it lost. */
  constructor(chance: Chance, isSilent: (host: string) => boolean) {
    this.#chance = chance
    this.#isSilent = isSilent
  }

  /** Everything in the person's files, as edited so far: what is not there any more a prune deletes. */
  files(): readonly Writable[] {
    const tables = [
      this.#networks,
      this.#volumes,
      this.#machines,
      this.#addresses,
      this.#forwardings,
      this.#rules,
    ] as const
    return tables.flatMap(table => [...table.values()])
  }

  /** The next edit. */
  next(): RandomEdit {
    for (;;) {
      const make = this.#chance.weighted<() => RandomEdit | undefined>([
        [2, () => this.#addMachine()],
        [4, () => this.#changeMachine()],
        [1, () => this.#remove(this.#machines)],
        [1, () => this.#addVolume()],
        [1, () => this.#remove(this.#volumes)],
        [1, () => this.#addAddress()],
        [1, () => this.#remove(this.#addresses)],
        [1, () => this.#setForwarding()],
        [1, () => this.#remove(this.#forwardings)],
        [1, () => this.#setRule()],
        [1, () => this.#remove(this.#rules)],
        [1, () => this.#addNetwork()],
        [1, () => this.#remove(this.#networks)],
        [1, () => this.#changeHost()],
        [0.3, () => this.#changeLifecycle()],
        [0.1, () => this.#changePool()],
      ])
      const edit = make()
      if (edit !== undefined) return edit
    }
  }

  #addMachine(): RandomEdit | undefined {
    if (this.#machines.size >= 12) return undefined
    return this.#keep(
      this.#machines,
      manifest('VirtualMachine', this.#newName('vm', this.#machines), {
        zoneName: 'zone-a',
        serviceOfferingName: this.#chance.pick(['small', 'small', 'large']),
        runStrategy: this.#chance.pick(['Always', 'Always', 'OnFailure', 'Once', 'Halted']),
        templateRef: { kind: 'PublicTemplate', name: 'tiny-linux' },
        nics: this.#nics(),
        volumes: this.#attachments(),
        ...(this.#chance.happens(0.2) ? { placement: { hostName: this.#chance.pick(hostNames) } } : {}),
      }),
    )
  }

  #changeMachine(): RandomEdit | undefined {
    const machine = this.#any(this.#machines)
    if (machine === undefined) return undefined
    const changes: (() => object)[] = [
      () => ({ runStrategy: this.#chance.pick(['Always', 'OnFailure', 'Once', 'Halted']) }),
      () => ({ serviceOfferingName: this.#chance.pick(['small', 'large']) }),
      () => ({ nics: this.#nics() }),
      () => ({ volumes: this.#attachments() }),
      () => ({ guestHostName: `guest-${this.#chance.between(0, 4)}` }),
    ]
    const change = this.#chance.pick(changes)()
    const tier = this.#chance.happens(0.2) ? { tier: `${this.#chance.between(0, 2)}` } : {}
    const labels = { ...machine.metadata.labels, ...tier }
    const next = { ...machine, metadata: { ...machine.metadata, labels }, spec: { ...machine.spec, ...change } }
    return this.#keep(this.#machines, next)
  }

  #nics(): readonly object[] {
    const networks = ['web', 'back', ...this.#networks.keys()]
    const count = this.#chance.happens(0.7) ? 1 : 2
    const chosen = new Set(Array.from({ length: count }, () => this.#chance.pick(networks)))
    return [...chosen].map(name => ({ name: name.slice(0, 10), networkName: name }))
  }

  /** A volume that nobody else wishes for: of several who do, whoever is first has it, and no plan knows who that is. */
  #attachments(): readonly object[] {
    const wished = JSON.stringify([...this.#machines.values()].map(({ spec }) => spec.volumes))
    const free = [...this.#volumes.values()].filter(({ metadata }) => !wished.includes(`"${metadata.name}"`))
    const volume = this.#chance.happens(0.4) ? this.#chance.maybePick(free) : undefined
    return volume === undefined ? [] : [{ name: 'data', volumeName: volume.metadata.name }]
  }

  #addVolume(): RandomEdit | undefined {
    if (this.#volumes.size >= 6) return undefined
    const name = this.#newName('vol', this.#volumes)
    const spec = { zoneName: 'zone-a', diskOfferingName: 'data-20g' }
    return this.#keep(this.#volumes, manifest('Volume', name, spec))
  }

  #addAddress(): RandomEdit | undefined {
    if (this.#addresses.size >= 4) return undefined
    const name = this.#newName('ip', this.#addresses)
    return this.#keep(this.#addresses, manifest('PublicIP', name, { zoneName: 'zone-a', networkName: 'web' }))
  }

  #setForwarding(): RandomEdit | undefined {
    const machine = this.#any(this.#machines)
    const known = this.#chance.happens(0.5) ? this.#any(this.#forwardings) : undefined
    const address = known?.spec.publicIPName ?? this.#any(this.#addresses)?.metadata.name ?? 'web-ip'
    if (machine === undefined) return undefined
    const port = this.#chance.between(1000, 1019)
    const name = known?.metadata.name ?? this.#newName('pf', this.#forwardings)
    const spec = {
      publicIPName: address,
      protocol: 'TCP',
      publicPort: port,
      privatePort: port,
      virtualMachineName: machine.metadata.name,
      ...(this.#chance.happens(0.5) ? { sourceCIDRs: ['0.0.0.0/0'] } : {}),
    }
    return this.#keep(this.#forwardings, manifest('PortForwardingRule', name, spec))
  }

  #setRule(): RandomEdit | undefined {
    const known = this.#chance.happens(0.5) ? this.#any(this.#rules) : undefined
    const name = known?.metadata.name ?? this.#newName('fw', this.#rules)
    const ports = [this.#chance.between(1000, 1049)]
    const spec = { networkName: 'web', direction: 'Egress', protocol: 'TCP', ports, destinationCIDRs: ['0.0.0.0/0'] }
    return this.#keep(this.#rules, manifest('FirewallRule', name, spec))
  }

  #addNetwork(): RandomEdit | undefined {
    if (this.#networks.size >= 3) return undefined
    // Never one that was there before: while that is still being deleted, its range cannot be changed.
    const name = `net-${++this.#number}`
    const isolated = this.#chance.happens(0.5)
    const cidr = `10.${this.#chance.between(2, 51)}.1.0/24`
    const offering = { networkOfferingName: isolated ? 'isolated-source-nat' : 'plain' }
    return this.#keep(
      this.#networks,
      manifest('Network', name, { zoneName: 'zone-a', ...offering, ...(isolated ? { cidr } : {}) }),
    )
  }

  #changeHost(): RandomEdit {
    const allocationState = this.#chance.pick(['Enabled', 'Disabled'] as const)
    return this.#wishOfHost(this.#chance.pick(['host-3', 'host-4'] as const), { allocationState })
  }

  /** Most hosts serve most of the time: one at a time is emptied or declared lost. */
  #changeLifecycle(): RandomEdit {
    const away = hostNames.find(name => (this.#hosts.get(name)?.lifecycle ?? 'Active') !== 'Active')
    if (away !== undefined) return { ...this.#wishOfHost(away, { lifecycle: 'Active' }), movesMachines: true }
    const silent = hostNames.find(name => this.#isSilent(name))
    const lifecycle = silent === undefined ? 'Maintenance' : 'Lost'
    return { ...this.#wishOfHost(silent ?? this.#chance.pick(hostNames), { lifecycle }), movesMachines: true }
  }

  #wishOfHost(name: string, wish: HostWish): RandomEdit {
    const next = { ...this.#hosts.get(name), ...wish }
    this.#hosts.set(name, next)
    return { verb: 'Apply', manifest: host(name, next) }
  }

  /** Empties a pool, or opens it again. */
  #changePool(): RandomEdit {
    const [closed] = this.#pools
    const name = closed ?? this.#chance.pick(['primary-1', 'primary-2'])
    if (closed === undefined) this.#pools.add(name)
    else this.#pools.delete(name)
    const lifecycle = closed === undefined ? 'Maintenance' : 'Active'
    return { verb: 'Apply', manifest: pool(name, lifecycle), movesMachines: true }
  }

  #remove(table: Map<string, Manifest>): RandomEdit | undefined {
    const gone = this.#any(table)
    if (gone === undefined) return undefined
    table.delete(gone.metadata.name)
    return { verb: 'Delete', manifest: gone }
  }

  #keep(table: Map<string, Manifest>, next: Manifest): RandomEdit {
    const labels = { ...next.metadata.labels, [filesLabel.name]: filesLabel.value }
    const filed = { ...next, metadata: { ...next.metadata, labels } }
    table.set(next.metadata.name, filed)
    return { verb: 'Apply', manifest: filed }
  }

  /** Mostly a new one; sometimes one that was there before. */
  #newName(prefix: string, table: ReadonlyMap<string, Manifest>): string {
    const again = `${prefix}-${this.#chance.between(1, Math.max(1, this.#number))}`
    return this.#chance.happens(0.3) && !table.has(again) ? again : `${prefix}-${++this.#number}`
  }

  #any(table: ReadonlyMap<string, Manifest>): Manifest | undefined {
    return this.#chance.maybePick([...table.values()])
  }
}
