import type { PublicTemplate, TemplateImage } from '../../crds/compute/public-template.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import type { SecondaryStorage } from '../../crds/infrastructure/secondary-storage.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { type EndpointKey, endpointKey } from '../../drivers/contract/endpoint.ts'
import type { ImageFacts } from '../../drivers/contract/facts.ts'
import { uuidV5 } from '../identity.ts'
import { storeDriver } from '../infrastructure/storage-endpoint.ts'
import { allStores, allZones, clustersOfZone, storesByZone } from '../infrastructure/topology.ts'
import { defineDerived, type Seen, type Wish, type World } from '../world.ts'

/** One image of a template that a store is to hold. */
export interface TemplateCopyPlan {
  readonly zoneName: string
  readonly storeName: string
  readonly endpoint: EndpointKey
  readonly identity: string
  readonly image: TemplateImage
}

/** The hypervisors that a zone's clusters run, by the zone's name. */
const hypervisorsOfZone = defineDerived('hypervisorsOfZone', (zoneName, world): readonly string[] => {
  const clusters = world.derived(clustersOfZone, zoneName)
  const all = clusters.flatMap(name => world.desired.get(HostCluster, name)?.spec.hypervisor ?? [])
  return [...new Set(all)].sort()
})

/** The namespace of the identities of images. */
const imageNamespace = '0d9a3c1e-5b1f-4a36-9d1e-7c2f6b8e4a90'

/**
 * The identity of an image in a store. It follows from names and addresses alone: the same manifests find the same
 * images again, though the API's storage was lost and every uid is another.
 */
export function imageIdentity(templateName: string, storeURL: string, url: string): string {
  return uuidV5(imageNamespace, `${templateName} ${storeURL} ${url}`)
}

/** Every image that some store is to hold: those of the hypervisors that the store's zone runs. */
export function plannedCopies(template: Wish<typeof PublicTemplate>, world: World): readonly TemplateCopyPlan[] {
  const zones = world.desired.list(allZones, 'all')
  return zones.flatMap(({ metadata: { name: zoneName } }) => {
    const hypervisors = world.derived(hypervisorsOfZone, zoneName)
    const images = template.spec.images.filter(({ hypervisor }) => hypervisors.includes(hypervisor))
    return openStores(zoneName, world).flatMap(store => images.map(image => copyPlan(template, store, image, world)))
  })
}

/** Stores of a zone that take images: those that are being deleted give theirs up. */
function openStores(zoneName: string, world: World): readonly Wish<typeof SecondaryStorage>[] {
  const stores = world.desired.list(storesByZone, zoneName)
  return stores.filter(store => store.metadata.deletionTimestamp === undefined && storeDriver(store) !== undefined)
}

function copyPlan(
  template: Wish<typeof PublicTemplate>,
  store: Wish<typeof SecondaryStorage>,
  image: TemplateImage,
  world: World,
): TemplateCopyPlan {
  const endpoint = endpointKey('SecondaryStorage', world.identity(store))
  const identity = imageIdentity(template.metadata.name, store.spec.url, image.url)
  return { zoneName: store.spec.zoneName, storeName: store.metadata.name, endpoint, identity, image }
}

/** The image as its store shows it. */
export function copySeen({ endpoint, identity }: TemplateCopyPlan, world: World): Seen<ImageFacts> | undefined {
  return world.observed.images(identity).find(seen => seen.endpoint === endpoint)
}

/** Images in stores that bear the template's name: its own, and such as were made for it in another way. */
export function imagesNamed(
  template: Wish<typeof PublicTemplate>,
  world: World,
): { readonly own: readonly Seen<ImageFacts>[]; readonly others: readonly Seen<ImageFacts>[] } {
  const { name } = template.metadata
  const stores = storesByEndpoint(world)
  const all = world.observed
    .named(template.kind, undefined, name)
    .flatMap(image => world.observed.images(image))
    .filter(({ endpoint }) => stores.has(endpoint))
  const isOwn = ({ endpoint, facts }: Seen<ImageFacts>) =>
    imageIdentity(name, stores.get(endpoint)?.spec.url ?? '', facts.url) === facts.identity
  return { own: all.filter(isOwn), others: all.filter(seen => !isOwn(seen)) }
}

/**
 * Those of a template's images that nobody wants there any more. While nobody describes the zone of a store, or any
 * cluster in it, it is not known what it runs: as after a loss of the API, until everything is applied again.
 */
export function surplusImages(
  template: Wish<typeof PublicTemplate>,
  { own, copies }: { readonly own: readonly Seen<ImageFacts>[]; readonly copies: readonly TemplateCopyPlan[] },
  world: World,
): readonly Seen<ImageFacts>[] {
  const wanted = new Set(copies.map(({ identity }) => identity))
  const stores = storesByEndpoint(world)
  return own.filter(({ endpoint, facts }) => {
    if (wanted.has(facts.identity)) return false
    const store = stores.get(endpoint)
    if (store === undefined) return false
    if (store.metadata.deletionTimestamp !== undefined) return true
    if (!template.spec.images.some(({ url }) => url === facts.url)) return true
    return isZoneKnown(store.spec.zoneName, world)
  })
}

function isZoneKnown(zoneName: string, world: World): boolean {
  return world.desired.get(Zone, zoneName) !== undefined && world.derived(hypervisorsOfZone, zoneName).length > 0
}

function storesByEndpoint(world: World): ReadonlyMap<EndpointKey, Wish<typeof SecondaryStorage>> {
  const stores = world.desired.list(allStores, 'all')
  return new Map(stores.map(store => [endpointKey('SecondaryStorage', world.identity(store)), store]))
}
