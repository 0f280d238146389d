/** Random edits of a cloud of four hosts, each valid by itself; together they may ask for what cannot be had. */
import type { Writable } from '../../../controllers/api/client.ts'
import type { Random } from '../../../crds/environment.ts'

/** What a person does to one object. */
export interface RandomEdit {
  readonly verb: 'Apply' | 'Delete'
  readonly manifest: Writable
}

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
  Host: 'infrastructure',
}

function manifest(kind: string, name: string, spec: Manifest['spec']): Manifest {
  const isTenants = !['Host', 'ServiceOffering', 'NetworkOffering'].includes(kind)
  const metadata = { name, ...(isTenants ? { namespace: 'shop' } : {}) }
  return { apiVersion: `${groups[kind] ?? 'network'}.skystead.dev/v1alpha1`, kind, metadata, spec }
}

/** What the cloud has beside the quickstart before the first edit. */
export const furniture: readonly Writable[] = [
  manifest('ServiceOffering', 'large', { cores: 4, clockMHz: 2000, memory: '4Gi', highlyAvailable: true }),
  manifest('NetworkOffering', 'plain', { guestType: 'L2', services: [] }),
  ...[3, 4].map(number => host(number, 'Enabled')),
  manifest('Network', 'back', { zoneName: 'zone-a', networkOfferingName: 'plain' }),
]

function host(number: number, allocationState: string): Manifest {
  return manifest('Host', `host-${number}`, {
    clusterName: 'cluster-1',
    address: `172.16.10.10${number}`,
    allocationState,
    simulator: { cores: 16, clockMHz: 2400, memory: '64Gi' },
    powerControl: { driver: 'Simulator' },
  })
}

/** Makes edits that follow from a seed's chance and from the edits before. */
export class RandomEdits {
  readonly #random: Random
  readonly #machines = new Map<string, Manifest>()
  readonly #volumes = new Map<string, Manifest>()
  readonly #addresses = new Map<string, Manifest>()
  readonly #forwardings = new Map<string, Manifest>()
  readonly #rules = new Map<string, Manifest>()
  readonly #networks = new Map<string, Manifest>()
  #number = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** The next edit. */
  next(): RandomEdit {
    for (;;) {
      const make = this.#pick([
        () => this.#addMachine(),
        () => this.#addMachine(),
        () => this.#changeMachine(),
        () => this.#changeMachine(),
        () => this.#changeMachine(),
        () => this.#changeMachine(),
        () => this.#remove(this.#machines),
        () => this.#addVolume(),
        () => this.#remove(this.#volumes),
        () => this.#addAddress(),
        () => this.#remove(this.#addresses),
        () => this.#setForwarding(),
        () => this.#remove(this.#forwardings),
        () => this.#setRule(),
        () => this.#remove(this.#rules),
        () => this.#addNetwork(),
        () => this.#remove(this.#networks),
        () => this.#changeHost(),
      ])
      const edit = make?.()
      if (edit !== undefined) return edit
    }
  }

  #addMachine(): RandomEdit | undefined {
    if (this.#machines.size >= 12) return undefined
    return this.#keep(
      this.#machines,
      manifest('VirtualMachine', this.#newName('vm', this.#machines), {
        zoneName: 'zone-a',
        serviceOfferingName: this.#pick(['small', 'small', 'large']),
        runStrategy: this.#pick(['Always', 'Always', 'OnFailure', 'Once', 'Halted']),
        templateRef: { kind: 'PublicTemplate', name: 'tiny-linux' },
        nics: this.#nics(),
        volumes: this.#attachments(),
        ...(this.#chance(0.2) ? { placement: { hostName: this.#pick(['host-1', 'host-2', 'host-3', 'host-4']) } } : {}),
      }),
    )
  }

  #changeMachine(): RandomEdit | undefined {
    const machine = this.#any(this.#machines)
    if (machine === undefined) return undefined
    const changes: (() => object)[] = [
      () => ({ runStrategy: this.#pick(['Always', 'OnFailure', 'Once', 'Halted']) }),
      () => ({ serviceOfferingName: this.#pick(['small', 'large']) }),
      () => ({ nics: this.#nics() }),
      () => ({ volumes: this.#attachments() }),
      () => ({ guestHostName: `guest-${Math.floor(this.#random.next() * 5)}` }),
    ]
    const change = this.#pick(changes)?.() ?? {}
    const labels = this.#chance(0.2) ? { labels: { tier: `${Math.floor(this.#random.next() * 3)}` } } : {}
    const next = { ...machine, metadata: { ...machine.metadata, ...labels }, spec: { ...machine.spec, ...change } }
    return this.#keep(this.#machines, next)
  }

  #nics(): readonly object[] {
    const networks = ['web', 'back', ...this.#networks.keys()]
    const count = this.#chance(0.7) ? 1 : 2
    const chosen = new Set(Array.from({ length: count }, () => this.#pick(networks) ?? 'web'))
    return [...chosen].map(name => ({ name: name.slice(0, 10), networkName: name }))
  }

  /** A volume that nobody else wishes for: of several who do, whoever is first has it, and no plan knows who that is. */
  #attachments(): readonly object[] {
    const wished = JSON.stringify([...this.#machines.values()].map(({ spec }) => spec.volumes))
    const free = [...this.#volumes.values()].filter(({ metadata }) => !wished.includes(`"${metadata.name}"`))
    const volume = this.#chance(0.4) ? this.#pick(free) : undefined
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
    const known = this.#chance(0.5) ? this.#any(this.#forwardings) : undefined
    const address = known?.spec.publicIPName ?? this.#any(this.#addresses)?.metadata.name ?? 'web-ip'
    if (machine === undefined) return undefined
    const port = 1000 + Math.floor(this.#random.next() * 20)
    const name = known?.metadata.name ?? this.#newName('pf', this.#forwardings)
    const spec = {
      publicIPName: address,
      protocol: 'TCP',
      publicPort: port,
      privatePort: port,
      virtualMachineName: machine.metadata.name,
      ...(this.#chance(0.5) ? { sourceCIDRs: ['0.0.0.0/0'] } : {}),
    }
    return this.#keep(this.#forwardings, manifest('PortForwardingRule', name, spec))
  }

  #setRule(): RandomEdit | undefined {
    const known = this.#chance(0.5) ? this.#any(this.#rules) : undefined
    const name = known?.metadata.name ?? this.#newName('fw', this.#rules)
    const ports = [1000 + Math.floor(this.#random.next() * 50)]
    const spec = { networkName: 'web', direction: 'Egress', protocol: 'TCP', ports, destinationCIDRs: ['0.0.0.0/0'] }
    return this.#keep(this.#rules, manifest('FirewallRule', name, spec))
  }

  #addNetwork(): RandomEdit | undefined {
    if (this.#networks.size >= 3) return undefined
    // Never one that was there before: while that is still being deleted, its range cannot be changed.
    const name = `net-${++this.#number}`
    const isolated = this.#chance(0.5)
    const cidr = `10.${2 + Math.floor(this.#random.next() * 50)}.1.0/24`
    const offering = { networkOfferingName: isolated ? 'isolated-source-nat' : 'plain' }
    return this.#keep(
      this.#networks,
      manifest('Network', name, { zoneName: 'zone-a', ...offering, ...(isolated ? { cidr } : {}) }),
    )
  }

  #changeHost(): RandomEdit {
    return { verb: 'Apply', manifest: host(this.#pick([3, 4]) ?? 3, this.#pick(['Enabled', 'Disabled']) ?? 'Enabled') }
  }

  #remove(table: Map<string, Manifest>): RandomEdit | undefined {
    const gone = this.#any(table)
    if (gone === undefined) return undefined
    table.delete(gone.metadata.name)
    return { verb: 'Delete', manifest: gone }
  }

  #keep(table: Map<string, Manifest>, next: Manifest): RandomEdit {
    table.set(next.metadata.name, next)
    return { verb: 'Apply', manifest: next }
  }

  /** Mostly a new one; sometimes one that was there before. */
  #newName(prefix: string, table: ReadonlyMap<string, Manifest>): string {
    const again = `${prefix}-${1 + Math.floor(this.#random.next() * Math.max(1, this.#number))}`
    return this.#chance(0.3) && !table.has(again) ? again : `${prefix}-${++this.#number}`
  }

  #any(table: ReadonlyMap<string, Manifest>): Manifest | undefined {
    return this.#pick([...table.values()])
  }

  #chance(share: number): boolean {
    return this.#random.next() < share
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.#random.next() * items.length)]
  }
}
