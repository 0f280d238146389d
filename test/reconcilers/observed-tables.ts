/** What drivers have seen in a test world. */
import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import type {
  HostFacts,
  ImageFacts,
  JobFacts,
  MachineFacts,
  Mark,
  NetworkSegment,
  VolumeFacts,
} from '../../drivers/contract/facts.ts'
import type {
  EndpointState,
  Life,
  MachineUser,
  Observed,
  OperationState,
  PowerState,
  Seen,
} from '../../reconcilers/world.ts'
import type { Reads } from './remembered.ts'
import { deepFreeze } from './resource-builder.ts'

/** What drivers are to have seen. Each part adds to, or replaces, what the world has. */
export interface ObservedParts {
  readonly endpoints?: Readonly<Record<EndpointKey, EndpointState>>
  readonly hosts?: Readonly<Record<EndpointKey, HostFacts>>
  readonly spaces?: Readonly<Record<EndpointKey, { readonly totalBytes: number; readonly usedBytes: number }>>
  readonly powers?: Readonly<Record<EndpointKey, PowerState>>
  readonly lives?: Readonly<Record<EndpointKey, Life>>
  readonly counts?: Readonly<Record<EndpointKey, { readonly things: number; readonly foreign: number }>>
  /** Replaces all machines seen. */
  readonly machines?: readonly Sighting<MachineFacts>[]
  /** Replaces all volumes seen. */
  readonly volumes?: readonly Sighting<VolumeFacts>[]
  /** Replaces all images seen. */
  readonly images?: readonly Sighting<ImageFacts>[]
  /** Replaces all jobs seen. */
  readonly jobs?: readonly Sighting<JobFacts>[]
  /** Endpoints where an operation on the identity may still have taken effect. */
  readonly inDoubt?: Readonly<Record<string, readonly EndpointKey[]>>
  /** Endpoints that were not listed since anything was asked. Default: none. */
  readonly unlisted?: ReadonlySet<EndpointKey>
  /** `<identity> <endpoint>` of what is proven absent. Default: absent where the endpoint is listed and nothing is seen. */
  readonly absent?: ReadonlySet<string>
  /** Operations running or failed, by identity. */
  readonly operations?: Readonly<Record<string, readonly OperationState[]>>
}

/** A fact and where it is seen; current unless said otherwise. */
export interface Sighting<Facts> {
  readonly endpoint: EndpointKey
  readonly facts: Facts
  readonly current?: boolean
}

/** Answers, and has been listed. */
export const answering: EndpointState = Object.freeze({ answers: 'Yes', listed: true })

/** Has been listed, and no longer answers since then. */
export function silent(silentSince: string, message = 'connection refused'): EndpointState {
  return { answers: 'No', listed: true, silentSince, message }
}

/** Of a silent host nobody who could tell has seen a sign of life. */
export const noSignOfLife: Life = Object.freeze({ signs: 'None', since: '2026-11-02T11:00:00Z', leaseExpired: false })

/** Not called yet by this process. */
export const notCalledYet: EndpointState = Object.freeze({ answers: 'Unknown', listed: false })

const none: readonly never[] = Object.freeze([])
const noCounts = Object.freeze({ things: 0, foreign: 0 })

/** What is observed, as plain tables. */
export class ObservedTables implements Observed {
  readonly operations = new Map<string, readonly OperationState[]>()
  readonly #endpoints = new Map<string, EndpointState>()
  readonly #hosts = new Map<string, HostFacts>()
  readonly #spaces = new Map<string, { readonly totalBytes: number; readonly usedBytes: number }>()
  readonly #powers = new Map<string, PowerState>()
  readonly #lives = new Map<string, Life>()
  readonly #counts = new Map<string, { readonly things: number; readonly foreign: number }>()
  readonly #inDoubt = new Map<string, readonly EndpointKey[]>()
  readonly #reads: Reads
  #absent: ReadonlySet<string> | undefined
  #unlisted: ReadonlySet<EndpointKey> = new Set()
  #machines: readonly Sighting<MachineFacts>[] = none
  #volumes: readonly Sighting<VolumeFacts>[] = none
  #images: readonly Sighting<ImageFacts>[] = none
  #jobs: readonly Sighting<JobFacts>[] = none

  readonly #installation: string

  constructor(reads: Reads, installation: string) {
    this.#reads = reads
    this.#installation = installation
  }

  see(parts: ObservedParts): void {
    merge(this.#endpoints, parts.endpoints)
    merge(this.#hosts, parts.hosts)
    merge(this.#spaces, parts.spaces)
    merge(this.#powers, parts.powers)
    merge(this.#lives, parts.lives)
    merge(this.#counts, parts.counts)
    merge(this.#inDoubt, parts.inDoubt)
    merge(this.operations, parts.operations)
    this.#absent = parts.absent ?? this.#absent
    this.#unlisted = parts.unlisted ?? this.#unlisted
    this.#machines = deepFreeze(parts.machines ?? this.#machines)
    this.#volumes = deepFreeze(parts.volumes ?? this.#volumes)
    this.#images = deepFreeze(parts.images ?? this.#images)
    this.#jobs = deepFreeze(parts.jobs ?? this.#jobs)
  }

  endpoint(key: EndpointKey): EndpointState {
    this.#reads.read('observed')
    return this.#endpoints.get(key) ?? notCalledYet
  }

  host(key: EndpointKey): HostFacts | undefined {
    this.#reads.read('observed')
    return this.#hosts.get(key)
  }

  space(key: EndpointKey): { readonly totalBytes: number; readonly usedBytes: number } | undefined {
    this.#reads.read('observed')
    return this.#spaces.get(key)
  }

  power(key: EndpointKey): PowerState | undefined {
    this.#reads.read('observed')
    return this.#powers.get(key)
  }

  life(key: EndpointKey): Life | undefined {
    this.#reads.read('observed')
    return this.#lives.get(key)
  }

  machines(identity: string): readonly Seen<MachineFacts>[] {
    this.#reads.read('observed')
    return this.#machines.filter(({ facts }) => facts.identity === identity).map(seen)
  }

  /** All machines, everywhere they are seen. */
  allMachines(): readonly Seen<MachineFacts>[] {
    this.#reads.read('observed')
    return this.#machines.map(seen)
  }

  /** All volumes, everywhere they are seen. */
  allVolumes(): readonly Seen<VolumeFacts>[] {
    this.#reads.read('observed')
    return this.#volumes.map(seen)
  }

  volumes(identity: string): readonly Seen<VolumeFacts>[] {
    this.#reads.read('observed')
    return this.#volumes.filter(({ facts }) => facts.identity === identity).map(seen)
  }

  images(identity: string): readonly Seen<ImageFacts>[] {
    this.#reads.read('observed')
    return this.#images.filter(({ facts }) => facts.identity === identity).map(seen)
  }

  imagesAt(key: EndpointKey): readonly Seen<ImageFacts>[] {
    this.#reads.read('observed')
    return this.#images.filter(({ endpoint }) => endpoint === key).map(seen)
  }

  jobs(identity: string): readonly Seen<JobFacts>[] {
    this.#reads.read('observed')
    return this.#jobs.filter(({ facts }) => facts.targets.includes(identity)).map(seen)
  }

  diskUsers(volumeIdentity: string): readonly MachineUser[] {
    this.#reads.read('observed')
    const users = this.#machines.filter(({ facts }) =>
      facts.definition.disks.some(({ identity }) => identity === volumeIdentity),
    )
    return users.map(({ endpoint, facts: { identity } }) => ({ endpoint, identity }))
  }

  segmentUsers({ isolation, id }: Pick<NetworkSegment, 'isolation' | 'id'>): readonly MachineUser[] {
    this.#reads.read('observed')
    const users = this.#machines.filter(({ facts }) =>
      facts.definition.nics.some(({ segment }) => segment.isolation === isolation && segment.id === id),
    )
    return users.map(({ endpoint, facts: { identity } }) => ({ endpoint, identity }))
  }

  named(kind: string, namespace: string | undefined, name: string): readonly string[] {
    this.#reads.read('observed')
    const marked = [...this.#machines, ...this.#volumes, ...this.#images].filter(
      ({ facts: { mark, trashedAt } }: Sighting<{ readonly mark?: Mark; readonly trashedAt?: string }>) =>
        trashedAt === undefined &&
        mark?.installation === this.#installation &&
        mark.kind === kind &&
        mark.namespace === namespace &&
        mark.name === name,
    )
    return [...new Set(marked.map(({ facts }) => facts.identity))]
  }

  inDoubt(identity: string): readonly EndpointKey[] {
    this.#reads.read('observed')
    return this.#inDoubt.get(identity) ?? none
  }

  unlisted(_identity: string, endpoints: readonly EndpointKey[]): readonly EndpointKey[] {
    this.#reads.read('observed')
    return endpoints.filter(key => this.#unlisted.has(key))
  }

  provenAbsent(identity: string, endpoint: EndpointKey, _after?: EndpointKey): boolean {
    this.#reads.read('observed')
    if (this.#absent !== undefined) return this.#absent.has(`${identity} ${endpoint}`)
    const state = this.endpoint(endpoint)
    if (state.answers !== 'Yes' || !state.listed || this.inDoubt(identity).includes(endpoint)) return false
    const all = [...this.#machines, ...this.#volumes, ...this.#images]
    return !all.some(sighting => sighting.endpoint === endpoint && sighting.facts.identity === identity)
  }

  counts(key: EndpointKey): { readonly things: number; readonly foreign: number } {
    this.#reads.read('observed')
    return this.#counts.get(key) ?? noCounts
  }
}

function seen<Facts>({ endpoint, facts, current = true }: Sighting<Facts>): Seen<Facts> {
  return { endpoint, facts, current }
}

function merge<Value>(map: Map<string, Value>, changes: Readonly<Record<string, Value>> = {}): void {
  for (const [name, value] of Object.entries(changes)) map.set(name, deepFreeze(value))
}
