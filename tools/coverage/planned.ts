/** Where a requirement stands that no test names, with what each verdict says. */
export const verdicts = {
  '2 of 4': 'the second issue: simulation, host HA, maintenance, drift, plan, adoption, records',
  '3 of 4': 'the third issue: the API to the letter, access and roles, durability',
  '4 of 4': 'the fourth issue: real guests, storage, routers and consoles, with packets as proof',
  Later: 'an issue after these four; the reason names the part of the product',
  Refused: 'Skystead does otherwise on purpose, for the reason named',
} as const

/** Where a requirement stands that no test names. */
export type Verdict = keyof typeof verdicts

/** A verdict and its reason, in our own words. */
export interface Planned {
  readonly verdict: Verdict
  readonly why: string
}

/** What is planned for an area: for single requirements (`012`, `012-015`), otherwise for all under a heading. */
export interface AreaPlan {
  readonly headings: Readonly<Record<string, Planned>>
  readonly ids: Readonly<Record<string, Planned>>
}

/** Comes with the second issue. */
export const second = (why: string): Planned => ({ verdict: '2 of 4', why })
/** Comes with the third issue. */
export const third = (why: string): Planned => ({ verdict: '3 of 4', why })
/** Comes with the fourth issue. */
export const fourth = (why: string): Planned => ({ verdict: '4 of 4', why })
/** Comes after the four issues. */
export const later = (why: string): Planned => ({ verdict: 'Later', why })
/** Is done otherwise on purpose. */
export const refuse = (why: string): Planned => ({ verdict: 'Refused', why })

/** Reasons that many requirements share. */
export const accounts = later('Accounts and domains: who owns, sees and may use what')
export const limits = later('Accounts and domains: limits and quotas')
export const basicZones = later('Basic zones: addresses by pod, isolation by security groups')
export const devices = later('External network devices')
export const hypervisors = later('Drivers of other hypervisors')
export const usage = later('Usage records')
export const vpc = later('VPC and VPN')
export const autoscale = later('Scaling by load')
export const dedication = later('Dedication of places to accounts')
export const maintenance = second('Maintenance: places are emptied by live migration, and taken back into service')
export const migration = second('Live migration, asked for or by maintenance')
export const hostHA = second('Host HA: evidence, fencing, restarts elsewhere in order')
export const templates = fourth('Templates of tenants: upload, copy, extract, share')
export const snapshots = fourth('Snapshots of volumes and their schedules')
export const machineSnapshots = fourth('Snapshots of whole machines')
export const router = fourth('The virtual router as an appliance, proven with packets')
export const consoles = fourth('Consoles in the browser through a proxy')
export const actions = fourth('Actions: one-shot verbs such as reboot and reset')
export const noAgents = refuse('No agent dials in: drivers call the hypervisors, so there is no port for them to reach')
