/** What is planned for networks. */
import {
  type AreaPlan,
  accounts,
  autoscale,
  basicZones,
  dedication,
  devices,
  fourth,
  later,
  refuse,
  router,
  second,
  third,
  usage,
} from './planned.ts'

const fabric = fourth('Networks of tenants on a real fabric')
const offeringChange = fourth('Another offering for a network that is in use')
const securityGroups = fourth('Security groups per NIC')
const ipv6 = fourth('IPv6: advertisements, addresses and rules')

/** NET. */
export const networksPlan: Readonly<Record<string, AreaPlan>> = {
  NET: {
    headings: {
      'Models and physical networks': fabric,
      'VLANs and ranges': fabric,
      'Guest networks: kinds and life': fabric,
      'Persistent networks': second('Simulation: networks that come into use and fall idle'),
      'NICs and multiple networks': fabric,
      "Changing a network's offering": offeringChange,
      'IP reservation': later('Reservation of a part of a guest network'),
      'Dedication of public IPs and VLANs': dedication,
      'Secondary IPs of a NIC': fourth('Several addresses of a NIC, as guests use them'),
      'IP ranges and subnets of a shared network': fourth('Several subnets of a shared network'),
      'Portable IP': later('Addresses that move between zones'),
      'Acquiring and releasing public IPs': router,
      'Static NAT': router,
      'Firewall (ingress)': router,
      Egress: router,
      'Port forwarding': router,
      'Conserve mode': router,
      'Load balancing': fourth('Load balancers on the router'),
      AutoScale: autoscale,
      GSLB: later('Load balancing over zones and regions'),
      'DNS and DHCP': router,
      'Private VLAN': fourth('Private VLANs'),
      'Security groups': securityGroups,
      Throttling: fourth('Rates of NICs and disks, applied on real hosts'),
      IPv6: ipv6,
      'Events, tags, API': third('Events and labels as clients of Kubernetes use them'),
    },
    ids: {
      '002, 011-013, 019, 216': basicZones,
      '020': refuse('Models of version 2.2: nothing is imported from it'),
      '022, 023': devices,
      '026, 044-046': accounts,
      '033': third('Roles: what only operators may see'),
      '040': refuse('Segments come from declared ranges, VXLAN included: addresses need not be traded for VLANs'),
      '048': refuse('Public traffic is no network object: PublicIPRange holds its addresses'),
      '059': fourth('Actions: one-shot verbs such as reboot and reset'),
      '085, 086, 088, 091, 149, 164': devices,
      '138': router,
      '139': later('Alerts and events by number'),
      '212, 213': later('Network domains by owner; zone and Settings hold today'),
      '279': usage,
    },
  },
}
