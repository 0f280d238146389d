import type { ObservedEndpoint, ObservedWorld } from '../../controllers/query/observed.ts'
import type { EndpointKey, HostConfiguration } from '../../drivers/contract/endpoint.ts'
import type {
  HostRecord,
  ImageRecord,
  MachineRecord,
  PlaceRecord,
  PoolRecord,
  VolumeRecord,
} from '../../drivers/simulator/records.ts'
import type { WorldRecord, WorldStore } from '../../drivers/simulator/world-store.ts'

/** A store from which a simulated world begins as what was observed, whoever's drivers saw it. It keeps nothing. */
export function seededWorld(observed: ObservedWorld): WorldStore {
  return {
    load: () => observed.endpoints.flatMap(told => recordsOf(told, observed)),
    put: () => undefined,
    remove: () => undefined,
    commit: async () => undefined,
    close: async () => undefined,
  }
}

function recordsOf(told: ObservedEndpoint, observed: ObservedWorld): readonly WorldRecord[] {
  const { configuration, key, name } = told.endpoint
  if (configuration.type === 'PowerController') return []
  const place = configuration.type === 'Host' ? `${name}@${configuration.address}` : configuration.url
  const alias: WorldRecord = { kind: 'Alias', key, value: { name, place } }
  const things =
    configuration.type === 'Host' ? hostRecords(told, place, configuration, observed) : storageRecords(told, place)
  return [alias, ...things]
}

/** What does not answer now does not answer in the fork either: what is there is not known to anybody. */
function placeRecord(key: string, told: ObservedEndpoint | undefined): PlaceRecord {
  const silent = told !== undefined && told.state.answers !== 'Yes'
  return { key, state: silent ? 'Down' : 'Answering', frozenRequests: 'Lost' }
}

function hostRecords(
  told: ObservedEndpoint,
  place: string,
  { address, simulated }: HostConfiguration,
  observed: ObservedWorld,
): readonly WorldRecord[] {
  const { inventory, endpoint } = told
  const listed = inventory?.type === 'Host' ? inventory : undefined
  const size = listed?.host ?? simulated
  // Neither seen nor described: a host that never answered has no size, and needs none.
  const { cores, clockMHz, memoryBytes } = size ?? { cores: 1, clockMHz: 1, memoryBytes: 1 }
  const controller = controllerOf(endpoint.key, observed)
  const said = controller?.inventory?.type === 'PowerController' ? controller.inventory.power : 'On'
  const power = said === 'Unknown' ? 'On' : said
  const host: HostRecord = {
    ...placeRecord(place, told),
    name: endpoint.name,
    address,
    size: { cores, clockMHz, memoryBytes },
    power,
    booting: false,
    capabilities: listed?.host.capabilities ?? [],
    controller: placeRecord(place, controller),
  }
  const machines = (listed?.machines ?? []).map((facts): WorldRecord => {
    const value: MachineRecord = { host: place, facts, ignoresACPI: false }
    return { kind: 'Machine', key: `${facts.identity} ${place}`, value }
  })
  return [{ kind: 'Host', key: place, value: host }, ...machines]
}

function controllerOf(host: EndpointKey, { endpoints }: ObservedWorld): ObservedEndpoint | undefined {
  return endpoints.find(
    ({ endpoint: { configuration } }) => configuration.type === 'PowerController' && configuration.host === host,
  )
}

function storageRecords(told: ObservedEndpoint, place: string): readonly WorldRecord[] {
  const { inventory, endpoint } = told
  if (endpoint.configuration.type === 'SecondaryStorage') {
    const store: WorldRecord = { kind: 'Store', key: place, value: placeRecord(place, told) }
    const images = inventory?.type === 'SecondaryStorage' ? inventory.images : []
    return [
      store,
      ...images.map((facts): WorldRecord => {
        const value: ImageRecord = { store: place, facts }
        return { kind: 'Image', key: `${place} ${facts.identity}`, value }
      }),
    ]
  }
  const listed = inventory?.type === 'PrimaryStorage' ? inventory : undefined
  const value: PoolRecord = { ...placeRecord(place, told), totalBytes: listed?.totalBytes ?? 0 }
  const volumes = (listed?.volumes ?? []).map((facts): WorldRecord => {
    const volume: VolumeRecord = { pool: place, facts }
    return { kind: 'Volume', key: `${place} ${facts.identity}`, value: volume }
  })
  return [{ kind: 'Pool', key: place, value }, ...volumes]
}
