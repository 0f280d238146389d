/** What the generator knows of the cloud that it describes: always valid, whole or being taken apart. */
import type { Chance } from '../chance.ts'
import { type Foreigner, keyOf, type Manifest, type ObjectReference, type Step } from '../scenario.ts'

const groups = {
  Namespace: 'v1',
  Settings: 'infrastructure',
  Zone: 'infrastructure',
  PhysicalNetwork: 'infrastructure',
  HostPod: 'infrastructure',
  HostCluster: 'infrastructure',
  Host: 'infrastructure',
  PrimaryStorage: 'infrastructure',
  SecondaryStorage: 'infrastructure',
  PublicIPRange: 'infrastructure',
  Allocation: 'infrastructure',
  ServiceOffering: 'compute',
  PublicTemplate: 'compute',
  VirtualMachine: 'compute',
  DiskOffering: 'storage',
  Volume: 'storage',
  NetworkOffering: 'network',
  SharedNetwork: 'network',
  Network: 'network',
  PublicIP: 'network',
  PortForwardingRule: 'network',
  FirewallRule: 'network',
} as const

/** The kinds that are described. */
export type DescribedKind = keyof typeof groups

/** A manifest. */
export function manifest(kind: DescribedKind, name: string, spec: Manifest['spec'], namespace?: string): Manifest {
  const group = groups[kind]
  const apiVersion = group === 'v1' ? 'v1' : `${group}.skystead.dev/v1alpha1`
  return { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) }, spec }
}

/** The cloud as it is described at some moment, and the steps that led there. */
export class Model {
  readonly chance: Chance
  readonly steps: Step[] = []
  /** Names of things that were deleted, and may be made again. */
  readonly removed: Manifest[] = []
  /** Machines that somebody runs beside the cloud, and that nobody has taken over yet. */
  readonly foreigners: Foreigner[] = []
  readonly #objects = new Map<string, Manifest>()
  #names = 0
  at = 0

  constructor(chance: Chance) {
    this.chance = chance
  }

  /** Describes an object, new or changed. */
  apply(object: Manifest): Manifest {
    this.#objects.set(keyOf(object), object)
    this.steps.push({ at: this.at, do: 'Apply', object })
    return object
  }

  /** Describes it with some fields of the spec changed; undefined takes a field away. */
  edit(object: Manifest, change: Readonly<Record<string, unknown>>): void {
    const spec = Object.fromEntries(
      Object.entries({ ...object.spec, ...change }).filter(([, value]) => value !== undefined),
    )
    this.apply({ ...object, spec })
  }

  /** Describes it no more: it is deleted. */
  remove(object: Manifest): void {
    this.#objects.delete(keyOf(object))
    // What was taken over is made again by nobody: its identity goes with it.
    if (object.metadata.annotations === undefined) this.removed.push(object)
    this.steps.push({ at: this.at, do: 'Delete', object: referenceTo(object) })
  }

  /** Describes it no more, and leaves it to the control plane to give it back. */
  forget(object: Manifest): void {
    this.#objects.delete(keyOf(object))
    this.steps.push({ at: this.at, do: 'Forget', object: referenceTo(object) })
  }

  /** All of a kind, of one namespace where one is named. */
  all(kind: DescribedKind, namespace?: string): readonly Manifest[] {
    return [...this.#objects.values()].filter(
      object => object.kind === kind && (namespace === undefined || object.metadata.namespace === namespace),
    )
  }

  /** Whether an object of that name is described. */
  has(object: Manifest): boolean {
    return this.#objects.has(keyOf(object))
  }

  /** A name that was never used. */
  newName(prefix: string): string {
    this.#names++
    return `${prefix}-${this.#names}`
  }
}

function referenceTo({ apiVersion, kind, metadata: { name, namespace } }: Manifest): ObjectReference {
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }
}

/** A field of a spec that holds a name. */
export function nameIn(object: Manifest, field: string): string {
  const value = object.spec[field]
  return typeof value === 'string' ? value : ''
}

/** A field of a spec that holds a list of objects. */
export function listIn(object: Manifest, field: string): readonly Readonly<Record<string, unknown>>[] {
  const value = object.spec[field]
  return Array.isArray(value) ? value : []
}
