/** Discovery: which groups, versions and resources are served. */

import type { JSONObject } from '../api-object.ts'
import type { ServedResource } from '../registry.ts'
import type { ResourceDefinition } from '../resource-definition.ts'

/** A resource that can only be created, and is never stored: reviews. */
export interface ReviewResource {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
}

/** One group with its versions, newest first. */
export interface Group {
  readonly name: string
  readonly versions: readonly GroupVersion[]
}

/** One version of a group. */
export interface GroupVersion {
  readonly group: string
  readonly version: string
  readonly resources: readonly ServedResource[]
  readonly reviews: readonly ReviewResource[]
}

/** All that is served, by group; the core group first, then by name. */
export function groupsOf(resources: readonly ServedResource[], reviews: readonly ReviewResource[]): readonly Group[] {
  const versions = new Map<string, { resources: ServedResource[]; reviews: ReviewResource[] }>()
  const at = (group: string, version: string) => {
    const key = `${group}/${version}`
    const known = versions.get(key) ?? { resources: [], reviews: [] }
    versions.set(key, known)
    return known
  }
  for (const resource of resources) at(resource.definition.group, resource.definition.version).resources.push(resource)
  for (const review of reviews) at(review.group, review.version).reviews.push(review)
  const byGroup = new Map<string, GroupVersion[]>()
  for (const [key, content] of versions) {
    const slash = key.indexOf('/')
    const [group, version] = [key.slice(0, slash), key.slice(slash + 1)]
    const resourcesByName = content.resources.toSorted((left, right) =>
      compare(left.definition.plural, right.definition.plural),
    )
    byGroup.set(group, [...(byGroup.get(group) ?? []), { group, version, ...content, resources: resourcesByName }])
  }
  return [...byGroup]
    .map(([name, list]) => ({
      name,
      versions: list.toSorted((left, right) => compareVersions(left.version, right.version)),
    }))
    .toSorted((left, right) => compare(left.name, right.name))
}

/** `/api`. */
export function coreVersions(address: string): JSONObject {
  const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: address }]
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs }
}

/** `/apis`. */
export function groupList(groups: readonly Group[]): JSONObject {
  const named = groups.filter(group => group.name !== '').map(groupBody)
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: named }
}

/** `/apis/group`. */
export function groupDocument(group: Group): JSONObject {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupBody(group) }
}

/** `/api/v1`, `/apis/group/version`. */
export function resourceList(content: GroupVersion): JSONObject {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: groupVersionOf(content),
    resources: [...content.resources.flatMap(resourceEntries), ...content.reviews.map(reviewEntry)],
  }
}

/** `/api` and `/apis` in the aggregated form. */
export function aggregated(groups: readonly Group[], version: 'v2' | 'v2beta1'): JSONObject {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(group => ({
      metadata: { name: group.name, creationTimestamp: null },
      versions: group.versions.map(content => ({
        version: content.version,
        resources: [...content.resources.map(aggregatedResource), ...content.reviews.map(aggregatedReview)],
        freshness: 'Current',
      })),
    })),
  }
}

function groupBody({ name, versions }: Group): JSONObject {
  const list = versions.map(content => ({ groupVersion: groupVersionOf(content), version: content.version }))
  return { name, versions: list, preferredVersion: list[0] }
}

function groupVersionOf({ group, version }: { group: string; version: string }): string {
  return group === '' ? version : `${group}/${version}`
}

function resourceEntries({ definition }: ServedResource): readonly JSONObject[] {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories } = definition
  const main = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    storageVersionHash: storageHash(definition),
  }
  return [main, ...subresourcesOf(definition).map(each => subresourceEntry(definition, each))]
}

interface Subresource {
  readonly name: string
  readonly responseKind: { readonly group: string; readonly version: string; readonly kind: string }
  readonly verbs: readonly string[]
}

/** What stands below the objects of a resource. Namespaces alone are let go of there, service accounts alone get tokens. */
function subresourcesOf(definition: ResourceDefinition): readonly Subresource[] {
  const { group, version, kind, subresources } = definition
  const own = { group, version, kind }
  return [
    ...(isCore(definition, 'namespaces') ? [{ name: 'finalize', responseKind: own, verbs: ['update'] }] : []),
    ...(subresources.status ? [{ name: 'status', responseKind: own, verbs: subresourceVerbs }] : []),
    ...(subresources.scale ? [{ name: 'scale', responseKind: scaleKind, verbs: subresourceVerbs }] : []),
    ...(isCore(definition, 'serviceaccounts') ? [{ name: 'token', responseKind: tokenKind, verbs: ['create'] }] : []),
  ]
}

function subresourceEntry(
  { plural, namespaced, group }: ResourceDefinition,
  { name, responseKind, verbs }: Subresource,
) {
  const { kind, ...elsewhere } = responseKind
  const foreign = responseKind.group === group ? {} : elsewhere
  return { name: `${plural}/${name}`, singularName: '', namespaced, ...foreign, kind, verbs }
}

function isCore({ group, plural }: ResourceDefinition, wanted: string): boolean {
  return group === '' && plural === wanted
}

const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' }
const tokenKind = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' }

const subresourceVerbs = ['get', 'patch', 'update']

function reviewEntry({ plural, kind, namespaced }: ReviewResource): JSONObject {
  return { name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs: ['create'] }
}

function aggregatedResource({ definition }: ServedResource): JSONObject {
  const { group, version, plural, singular, namespaced, kind, verbs, shortNames, categories } = definition
  const responseKind = { group, version, kind }
  const subresources = subresourcesOf(definition).map(({ name, ...rest }) => ({ subresource: name, ...rest }))
  return {
    resource: plural,
    responseKind,
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(subresources.length > 0 && { subresources }),
  }
}

function aggregatedReview({ group, version, plural, kind, namespaced }: ReviewResource): JSONObject {
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.toLowerCase(),
    verbs: ['create'],
  }
}

function storageHash({ group, kind, plural }: ResourceDefinition): string {
  return Buffer.from(`${group}/${plural}/${kind}`).toString('base64').slice(0, 12)
}

/** Kubernetes' order of versions: v2 before v1 before v1beta1 before v1alpha1, then anything else by name. */
function compareVersions(left: string, right: string): number {
  const [a, b] = [versionRank(left), versionRank(right)]
  for (const [index, rank] of a.entries()) {
    const difference = (b[index] ?? 0) - rank
    if (difference !== 0) return difference
  }
  return compare(left, right)
}

function versionRank(version: string): readonly number[] {
  const match = /^v([0-9]+)(?:(alpha|beta)([0-9]+))?$/.exec(version)
  if (match === null) return [0, 0, 0, 0]
  const [, major = '0', stage, minor = '0'] = match
  const stability = stage === undefined ? 3 : stage === 'beta' ? 2 : 1
  return [1, stability, Number(major), Number(minor)]
}

function compare(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
