import type { APIObject } from './api-object.ts'
import { withMember } from './api-object.ts'
import type { ResourceDefinition } from './resource-definition.ts'
import { apiVersionOf } from './resource-definition.ts'
import type { Strategy } from './strategy.ts'

/** One version of a resource as it is served, and how it is stored. */
export interface ServedResource {
  readonly definition: ResourceDefinition
  readonly apiVersion: string
  readonly strategy: Strategy
  /** The store's collection: shared by all versions, and by kinds that are views of one another. */
  readonly collection: string
  /** Whether objects are stored in this version. */
  readonly isStored: boolean
  /** Names the encoding that clients get: '' when the stored bytes serve as they are. */
  readonly view: string
  /** What everybody who uses this version is told. */
  readonly warning: string | undefined
  toServed(stored: APIObject): APIObject
  toStored(served: APIObject): APIObject
}

/** How objects read from the store are made to look as a schema has it that came after them. */
export interface Shape {
  /** Differs where the outcome may. */
  readonly name: string
  /** Gives back what it gets where nothing is to be done. */
  apply(object: APIObject): APIObject
}

/** Conversion between what is stored and what one version serves. */
export interface Conversion {
  readonly collection: string
  readonly storedVersion: string
  readonly warning?: string | undefined
  /** Default: objects are as they should be. */
  readonly shape?: Shape
  readonly toServed?: (stored: APIObject) => APIObject
  readonly toStored?: (served: APIObject) => APIObject
}

/** Makes a definition servable. Without a conversion other versions differ in apiVersion only. */
export function serve(definition: ResourceDefinition, strategy: Strategy, conversion: Conversion): ServedResource {
  const apiVersion = apiVersionOf(definition)
  const { collection, storedVersion } = conversion
  const same = apiVersion === storedVersion
  const inVersion = conversion.toServed ?? (object => withMember(object, 'apiVersion', apiVersion))
  const converted = same ? (object: APIObject) => object : inVersion
  const { shape } = conversion
  const toStored = conversion.toStored ?? (object => withMember(object, 'apiVersion', storedVersion))
  return Object.freeze({
    definition,
    apiVersion,
    strategy,
    collection,
    isStored: same,
    view: shape !== undefined ? `${apiVersion} ${shape.name}` : same ? '' : apiVersion,
    warning: conversion.warning,
    toServed: shape === undefined ? converted : (object: APIObject) => shape.apply(converted(object)),
    toStored: same ? (object: APIObject) => object : toStored,
  })
}

/** All resources that are served now. */
export class Registry {
  /** Grows with every change: what is derived from the registry is cached under it. */
  revision = 0
  /** Called after resources were taken back. */
  readonly removals = new Set<() => void>()
  readonly #byPath = new Map<string, ServedResource>()
  readonly #byCollection = new Map<string, ServedResource>()
  readonly #byKind = new Map<string, ServedResource>()

  add(resource: ServedResource): void {
    this.#byPath.set(pathOf(resource.definition), resource)
    this.#byKind.set(`${resource.apiVersion} ${resource.definition.kind}`, resource)
    if (resource.isStored) this.addStored(resource)
    this.revision++
  }

  /** Serves these and nothing else of a group and plural. */
  replace(group: string, plural: string, resources: readonly ServedResource[]): void {
    for (const [path, { definition, apiVersion }] of this.#byPath) {
      if (definition.group !== group || definition.plural !== plural) continue
      this.#byPath.delete(path)
      this.#byKind.delete(`${apiVersion} ${definition.kind}`)
    }
    for (const resource of resources) this.add(resource)
    this.revision++
    for (const tell of this.removals) tell()
  }

  /** The resource under `/apis/group/version/plural`. */
  find(group: string, version: string, plural: string): ServedResource | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`)
  }

  /** The resource of a kind, in exactly that version. */
  ofKind(apiVersion: string, kind: string): ServedResource | undefined {
    return this.#byKind.get(`${apiVersion} ${kind}`)
  }

  /** Says how the objects of a collection are handled, in the version in which they are stored. */
  addStored(resource: ServedResource): void {
    this.#byCollection.set(resource.collection, resource)
  }

  /** How the objects of a collection are handled, whether or not any version of them is served. */
  ofCollection(collection: string): ServedResource | undefined {
    return this.#byCollection.get(collection)
  }

  all(): readonly ServedResource[] {
    return [...this.#byPath.values()]
  }
}

function pathOf({ group, version, plural }: ResourceDefinition): string {
  return `${group}/${version}/${plural}`
}
