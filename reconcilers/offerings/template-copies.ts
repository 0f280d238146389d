import type { PublicTemplate, TemplateImage } from '../../crds/compute/public-template.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import type { SecondaryStorage } from '../../crds/infrastructure/secondary-storage.ts'
import { type EndpointKey, endpointKey } from '../../drivers/contract/endpoint.ts'
import type { ImageFacts } from '../../drivers/contract/facts.ts'
import { uuidV5 } from '../identity.ts'
import { storeDriver } from '../infrastructure/storage-endpoint.ts'
import { allZones, clustersOfZone, storesByZone } from '../infrastructure/topology.ts'
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

/** The identity of an image in a store: it follows from the template's, the store's and the URL. */
export function imageIdentity(templateIdentity: string, store: EndpointKey, url: string): string {
  return uuidV5(templateIdentity, `${store} ${url}`)
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
  const identity = imageIdentity(world.identity(template), endpoint, image.url)
  return { zoneName: store.spec.zoneName, storeName: store.metadata.name, endpoint, identity, image }
}

/** The image as its store shows it. */
export function copySeen({ endpoint, identity }: TemplateCopyPlan, world: World): Seen<ImageFacts> | undefined {
  return world.observed.images(identity).find(seen => seen.endpoint === endpoint)
}

/** Images in stores that bear the template's name: its own, and such as another object of the name has left. */
export function imagesNamed(
  template: Wish<typeof PublicTemplate>,
  world: World,
): { readonly own: readonly Seen<ImageFacts>[]; readonly others: readonly Seen<ImageFacts>[] } {
  const identity = world.identity(template)
  const all = world.observed
    .named(template.kind, undefined, template.metadata.name)
    .flatMap(image => world.observed.images(image))
    .filter(({ endpoint }) => endpoint.startsWith('SecondaryStorage/'))
  const isOwn = ({ endpoint, facts }: Seen<ImageFacts>) =>
    imageIdentity(identity, endpoint, facts.url) === facts.identity
  return { own: all.filter(isOwn), others: all.filter(seen => !isOwn(seen)) }
}
