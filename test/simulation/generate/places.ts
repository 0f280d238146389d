/** Describes a cloud's places: zones, pods, clusters, hosts, pools, networks, offerings. */
import { template } from './administration.ts'
import { type Model, manifest } from './model.ts'

/** How large a cloud is made. */
export interface PlaceOptions {
  readonly hosts: number
}

/** Describes everything that tenants need. */
export function describePlaces(model: Model, { hosts }: PlaceOptions): void {
  const { chance } = model
  model.apply(
    manifest('Settings', 'default', {
      expungeDelay: chance.pick(['0s', '60s', '10m']),
      hostLossDelay: chance.pick(['30s', '60s']),
      networkIdleDelay: chance.pick(['60s', '10m']),
      hostFailure: { fencing: chance.pick(['Manual', 'Automatic']) },
    }),
  )
  offerings(model)
  const zones = chance.happens(0.25) ? 2 : 1
  for (let zone = 1; zone <= zones; zone++) describeZone(model, zone, Math.ceil(hosts / zones))
  model.apply(template('linux'))
}

function describeZone(model: Model, number: number, hosts: number): void {
  const { chance } = model
  const zoneName = `zone-${number}`
  const isolation = chance.pick(['VLAN', 'VXLAN'])
  model.apply(
    manifest('Zone', zoneName, {
      networkType: 'Advanced',
      publicDNS: ['192.0.2.53'],
      internalDNS: ['172.16.0.53'],
      guestCIDR: `10.${number}.1.0/24`,
      networkDomain: `${zoneName}.cloud.internal`,
    }),
  )
  model.apply(
    manifest('PhysicalNetwork', `${zoneName}-fabric`, {
      zoneName,
      isolation,
      segments: isolation === 'VLAN' ? ['100-140', '200-220'] : ['5000-5050'],
      traffic: [
        { type: 'Management', label: 'mgmt0' },
        { type: 'Public', label: 'public0' },
        { type: 'Guest', label: 'guest0' },
        { type: 'Storage', label: 'storage0' },
      ],
    }),
  )
  model.apply(
    manifest('PublicIPRange', `${zoneName}-public`, {
      zoneName,
      cidr: `198.51.${number}.0/24`,
      gateway: `198.51.${number}.1`,
      addresses: [`198.51.${number}.100-198.51.${number}.140`],
    }),
  )
  model.apply(manifest('SecondaryStorage', `${zoneName}-images`, { zoneName, url: `sim://${zoneName}-images` }))
  const pods = chance.between(1, 2)
  const clusters = chance.between(pods, 3)
  for (let pod = 1; pod <= pods; pod++) {
    const subnet = `172.${16 + number}.${pod}`
    model.apply(
      manifest('HostPod', `${zoneName}-pod-${pod}`, {
        zoneName,
        cidr: `${subnet}.0/24`,
        gateway: `${subnet}.1`,
        systemIPRanges: [{ addresses: `${subnet}.10-${subnet}.60` }],
      }),
    )
  }
  for (let cluster = 1; cluster <= clusters; cluster++) {
    const pod = ((cluster - 1) % pods) + 1
    const size = Math.floor(hosts / clusters) + (cluster <= hosts % clusters ? 1 : 0)
    describeCluster(model, { zoneName, zone: number, pod, cluster, size })
  }
  if (chance.happens(0.5))
    model.apply(manifest('PrimaryStorage', `${zoneName}-wide`, pool({ scope: 'Zone', zoneName }, `${zoneName}-wide`)))
  if (chance.happens(0.6)) {
    model.apply(
      manifest('SharedNetwork', `${zoneName}-shared`, {
        zoneName,
        physicalNetworkName: `${zoneName}-fabric`,
        networkOfferingName: 'shared',
        cidr: `10.${number}.200.0/24`,
        gateway: `10.${number}.200.1`,
        addresses: [`10.${number}.200.20-10.${number}.200.80`],
        vlan: 300 + number,
      }),
    )
  }
}

interface ClusterDescription {
  readonly zoneName: string
  readonly zone: number
  readonly pod: number
  readonly cluster: number
  readonly size: number
}

function describeCluster(model: Model, { zoneName, zone, pod, cluster, size }: ClusterDescription): void {
  const { chance } = model
  const clusterName = `${zoneName}-c${cluster}`
  model.apply(
    manifest('HostCluster', clusterName, {
      podName: `${zoneName}-pod-${pod}`,
      hypervisor: 'Simulator',
      cpuOvercommitRatio: chance.pick(['1', '2']),
      memoryOvercommitRatio: chance.pick(['1', '1', '1.5']),
    }),
  )
  const memory = chance.pick(['4Gi', '8Gi'])
  for (let index = 1; index <= size; index++) {
    const name = `${clusterName}-h${index}`
    model.apply(
      manifest('Host', name, {
        clusterName,
        address: `172.${16 + zone}.${pod}.${100 + cluster * 40 + index - 40}`,
        tags: chance.some(['fast', 'quiet'], 0.3),
        simulator: { cores: 8, clockMHz: 2000, memory },
        ...(chance.happens(0.8) ? { powerControl: { driver: 'Simulator' } } : {}),
      }),
    )
    if (chance.happens(0.2))
      model.apply(manifest('PrimaryStorage', `${name}-local`, pool({ scope: 'Host', hostName: name }, `${name}-local`)))
  }
  model.apply(
    manifest('PrimaryStorage', `${clusterName}-a`, pool({ scope: 'Cluster', clusterName }, `${clusterName}-a`)),
  )
  if (chance.happens(0.4))
    model.apply(
      manifest('PrimaryStorage', `${clusterName}-b`, pool({ scope: 'Cluster', clusterName }, `${clusterName}-b`)),
    )
}

function pool(scope: Readonly<Record<string, string>>, name: string) {
  return { ...scope, url: `sim://${name}`, capacity: '500Gi', tags: [] }
}

function offerings(model: Model): void {
  const small = { cores: 1, clockMHz: 500, memory: '512Mi' }
  const offering = (name: string, spec: object) => model.apply(manifest('ServiceOffering', name, { ...small, ...spec }))
  offering('small', { highlyAvailable: true })
  offering('large', { cores: 2, memory: '1Gi', highlyAvailable: true })
  offering('simple', { highlyAvailable: false })
  offering('local', { highlyAvailable: true, storageType: 'Local' })
  offering('spread', { highlyAvailable: true, planner: 'Dispersing' })
  model.apply(manifest('DiskOffering', 'disk', { size: '5Gi' }))
  model.apply(manifest('DiskOffering', 'custom', { customSize: true }))
  model.apply(manifest('DiskOffering', 'local-disk', { size: '5Gi', storageType: 'Local' }))
  const names = ['DHCP', 'DNS', 'UserData', 'SourceNAT', 'StaticNAT', 'PortForwarding', 'Firewall']
  const services = names.map(name => ({ name, provider: 'VirtualRouter' }))
  model.apply(
    manifest('NetworkOffering', 'isolated', {
      guestType: 'Isolated',
      services,
      egressDefault: model.chance.pick(['Allow', 'Deny']),
    }),
  )
  model.apply(manifest('NetworkOffering', 'switched', { guestType: 'L2', services: [] }))
  model.apply(manifest('NetworkOffering', 'wired', { guestType: 'L2', specifyVLAN: true, services: [] }))
  model.apply(
    manifest('NetworkOffering', 'shared', {
      guestType: 'Shared',
      services: services.filter(({ name }) => ['DHCP', 'DNS', 'UserData'].includes(name)),
    }),
  )
}
