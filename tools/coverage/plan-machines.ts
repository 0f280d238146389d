/** What is planned for offerings, machines and templates. */
import {
  type AreaPlan,
  accounts,
  actions,
  autoscale,
  basicZones,
  consoles,
  dedication,
  devices,
  fourth,
  hostHA,
  hypervisors,
  later,
  limits,
  machineSnapshots,
  migration,
  refuse,
  router,
  second,
  snapshots,
  templates,
  third,
  usage,
  vpc,
} from './planned.ts'

const throttling = fourth('Rates of NICs and disks, applied on real hosts')
const systemOfferings = fourth('Sizes of system machines and routers')
const securityGroups = fourth('Security groups per NIC')
const gpu = later('GPUs and what of them machines may have')
const arrays = later('Storage arrays with a volume of their own for each disk')
const affinity = later('Affinity groups')
const customOfferings = later('Offerings whose size the tenant chooses')
const scaling = fourth('Processors and memory added to a running machine')
const isos = fourth('ISO images, attached and booted')
const guestServices = fourth('Keys, passwords and user data as the guest gets them')
const names = refuse('A machine has one name, that of its object, and spec.guestHostName for the guest: no third one')

/** OFF, VM and TPL. */
export const machinesPlan: Readonly<Record<string, AreaPlan>> = {
  OFF: {
    headings: {
      'What offerings are for': usage,
      'Compute offerings': fourth('What offerings promise, kept on real hosts'),
      'Disk offerings': fourth('What offerings promise, kept on real storage'),
      'System offerings': systemOfferings,
      'Network throttling': throttling,
      'Isolated and shared networks (as far as offerings decide)': fourth('Networks of tenants on a real fabric'),
      'Providers and services': devices,
      'Network offering options': fourth('Routers in pairs, tags and system sizes of network offerings'),
      AutoScale: autoscale,
    },
    ids: {
      '003, 014-017': customOfferings,
      '012, 013, 083': accounts,
      '009': refuse('An offering that is being deleted takes no new machine; it is one more that waits for its users'),
      '021, 023-026': arrays,
      '033': actions,
      '036': later('Planners by account'),
      '037, 039': dedication,
      '040, 041': gpu,
      '048': fourth('Volumes that move between pools'),
      '085': securityGroups,
      '086': refuse('Public traffic is no network object: PublicIPRange holds its addresses'),
      '087': router,
      '108': vpc,
      '114': devices,
      '121': router,
      '125': refuse('Offerings of older releases are not imported; the shipped ones block egress'),
      '127': systemOfferings,
      '128, 129': devices,
    },
  },
  VM: {
    headings: {
      Creation: fourth('Machines as their tenants start them on real hosts'),
      'Names, groups, OS type': names,
      'Start, stop, reboot, destroy': second('Simulation: any edit and any fault in the life of a machine'),
      'Failure and high availability': hostHA,
      Access: consoles,
      Placement: later('Further planners and allocators'),
      'Affinity groups': affinity,
      'Guest tools': scaling,
      'VM snapshots': machineSnapshots,
      'Changing the offering, dynamic scaling': scaling,
      'Manual live migration': migration,
      ISO: isos,
      'Changing the base image (restore)': actions,
      'SSH keys, password': guestServices,
      'User data and metadata': guestServices,
      'GPU and vGPU': gpu,
      'Ownership, storage and NIC interplay': second('Simulation: any edit and any fault in the life of a machine'),
    },
    ids: {
      '001': isos,
      '008, 030': accounts,
      '011': devices,
      '013': securityGroups,
      '014, 016': basicZones,
      '028': hypervisors,
      '029': refuse('Labels of Kubernetes serve as groups: kubectl lists by any'),
      '033, 035, 036': actions,
      '042': machineSnapshots,
      '060': usage,
      '066': later('Hosts preferred for an operating system'),
      '071': later('Further planners and allocators'),
      '077': later('Capacity kept for a machine that is off'),
      '154-168': guestServices,
      '196': accounts,
      '200, 201': third('Lists of tens of thousands of objects'),
    },
  },
  TPL: {
    headings: {
      'Sources of templates': templates,
      'Registration by URL': templates,
      'Copying, deleting, exporting': templates,
      Visibility: accounts,
      'OS type': templates,
      ISOs: isos,
      'Default template': refuse(
        'No image of somebody else is shipped or fetched unasked; the quickstart’s is simulated',
      ),
      'Preparing images': guestServices,
      'Password feature': guestServices,
      'Limits and accounting': limits,
      'System VM template': fourth('Images of system machines, built by the project'),
    },
    ids: {
      '004-006': snapshots,
      '010': refuse('Names are unique within a namespace as Kubernetes has it; displayText may be the same'),
      '026': hypervisors,
      '030': refuse(
        'Hosts may fetch an image from its source whatever their hypervisor, where no image store is declared',
      ),
      '033': usage,
      '035': refuse('No template is an exception: deleting the object removes every copy'),
      '059': hypervisors,
      '082': hypervisors,
    },
  },
}
