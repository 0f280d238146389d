/** What is planned for storage and system machines. */
import {
  type AreaPlan,
  accounts,
  actions,
  consoles,
  dedication,
  fourth,
  hostHA,
  hypervisors,
  later,
  limits,
  maintenance,
  noAgents,
  refuse,
  router,
  second,
  snapshots,
  third,
  usage,
} from './planned.ts'

const pools = fourth('Pools on real storage')
const stores = fourth('Image stores on real storage')
const arrays = later('Storage arrays with a volume of their own for each disk')
const volumeMoves = fourth('Volumes that move between pools')
const transfers = fourth('Upload, copy and download of disks')
const systemMachines = fourth('System machines that carry images and consoles')
const pairs = fourth('Routers in pairs')
const upgrades = fourth('Upgrade of routers, by place and in batches')

/** STO and SYS. */
export const storagePlan: Readonly<Record<string, AreaPlan>> = {
  STO: {
    headings: {
      General: pools,
      'Primary storage': pools,
      'Over-provisioning and capacity': pools,
      'Local storage': pools,
      'Maintenance of pools': maintenance,
      'Secondary storage': stores,
      'Volumes: creating': second('Simulation: any edit and any fault in the life of a volume'),
      'Volumes: upload': transfers,
      'Volumes: attach and detach': second('Simulation: any edit and any fault in the life of a volume'),
      'Volumes: migration': volumeMoves,
      'Volumes: resize': fourth('Disks that grow under a running guest'),
      'Volumes: root disk renewal, deletion, download': transfers,
      'Snapshots: taking': snapshots,
      'Snapshots: where the job runs': snapshots,
      'Snapshots: schedule and retention': snapshots,
      'Snapshots: using': snapshots,
      Metering: usage,
    },
    ids: {
      '011': second('Adoption: what is there before us is listed, and never destroyed'),
      '013-015': arrays,
      '026': later('Further planners and allocators'),
      '046-048': refuse(
        'Nothing appears by itself: a local pool is a PrimaryStorage of scope Host that its operator declares',
      ),
      '052-054': hostHA,
      '060': hostHA,
      '074': fourth('Object stores, and what is staged for them'),
      '081': snapshots,
      '083, 090, 092, 104, 128': limits,
      '094': hypervisors,
      '099, 127': accounts,
      '102': fourth('Snapshots of whole machines'),
      '106, 082': usage,
      '130': actions,
      '131, 132': snapshots,
    },
  },
  SYS: {
    headings: {
      Template: fourth('Images of system machines, built by the project'),
      'Sizing and placement': fourth('Sizes of system machines and routers'),
      'Connections of system VMs': fourth('How system machines are reached, and what they reach'),
      'Life cycle common to all': systemMachines,
      'Console proxy': consoles,
      'Virtual router: role and access': router,
      'Virtual router: destroy and recreate': router,
      'Redundant routers': pairs,
      'Service monitoring inside the router': router,
      'Router upgrade': upgrades,
      'Secondary storage VM': systemMachines,
    },
    ids: {
      '011': later('Upgrade of the control plane'),
      '013': third('Roles: what only operators may see'),
      '021, 022': dedication,
      '031, 032, 038': noAgents,
      '035': fourth('How system machines are reached, and what they reach'),
      '050': hostHA,
      '051, 052': later('Alerts and events by number'),
      '055': accounts,
      '056': upgrades,
      '088': usage,
      '102-105': pairs,
    },
  },
}
