/** What places offer, have promised and see used: summed up step by step, so that one machine is cheap in a large zone. */
import type { Capacity, CapacityResource } from '../../crds/common.ts'
import type { CapacityThresholds, Thresholds } from '../../crds/infrastructure/settings.ts'
import { formatQuantity } from '../../crds/invariants/quantity.ts'
import { satisfied, type Verdict, waiting } from '../verdict.ts'
import type { World } from '../world.ts'
import { settingsOf } from './settings.ts'

/** One resource: what may be promised, over-commit included, what is promised, and what is seen used. */
export interface Amount {
  readonly total: number
  readonly allocated: number
  readonly used: number
  /** What is really there to be used, where that is not `total`. */
  readonly real?: number
}

/** Amounts by resource. CPU in MHz, memory and storage in bytes, the others in pieces. */
export type Amounts = Readonly<Partial<Record<CapacityResource, Amount>>>

const order: readonly CapacityResource[] = [
  'CPU',
  'Memory',
  'PrimaryStorage',
  'SecondaryStorage',
  'PublicIP',
  'GuestIP',
  'SystemIP',
  'GuestNetworkSegment',
]

const inBytes: ReadonlySet<CapacityResource> = new Set(['Memory', 'PrimaryStorage', 'SecondaryStorage'])

/** Sums of amounts, resource by resource. */
export function sumAmounts(parts: readonly Amounts[]): Amounts {
  const sums: Partial<Record<CapacityResource, Required<Amount>>> = {}
  for (const part of parts) {
    for (const resource of order) {
      const amount = part[resource]
      if (amount === undefined) continue
      const { total, allocated, used, real } = sums[resource] ?? { total: 0, allocated: 0, used: 0, real: 0 }
      sums[resource] = {
        total: total + amount.total,
        allocated: allocated + amount.allocated,
        used: used + amount.used,
        real: real + (amount.real ?? amount.total),
      }
    }
  }
  return sums
}

/** Amounts as the API shows them. */
export function capacityList(amounts: Amounts): Capacity[] {
  return order.flatMap(resource => {
    const amount = amounts[resource]
    if (amount === undefined) return []
    const text = (value: number) => formatQuantity(Math.max(0, value), inBytes.has(resource) ? 'Bytes' : 'Count')
    return [{ resource, total: text(amount.total), allocated: text(amount.allocated), used: text(amount.used) }]
  })
}

/** Whether every resource is below its thresholds (Settings). It names the resources, not the shares, so that it does not tick. */
export function judgeCapacity(amounts: Amounts, world: World): Verdict {
  const { capacityThresholds } = settingsOf(world)
  const full = above(amounts, capacityThresholds, 'disable')
  if (full.length > 0) {
    return waiting('ThresholdPassed', `No room for new things: ${full.join(', ')}. Add capacity, or free some`)
  }
  const nearly = above(amounts, capacityThresholds, 'notification')
  if (nearly.length > 0) return waiting('NearlyFull', `Room is running out: ${nearly.join(', ')}. Add capacity`)
  return satisfied('BelowThresholds')
}

function above(amounts: Amounts, thresholds: CapacityThresholds, which: keyof Thresholds): readonly string[] {
  return order.flatMap(resource => {
    const amount = amounts[resource]
    if (amount === undefined) return []
    return limitsOf(resource, thresholds).flatMap(([kind, limit]) => {
      const [part, whole] =
        kind === 'used' ? [amount.used, amount.real ?? amount.total] : [amount.allocated, amount.total]
      const share = Number(limit[which])
      return whole > 0 && part >= whole * share
        ? [`${resource} ${kind} has reached ${limit[which]} of what there is`]
        : []
    })
  })
}

function limitsOf(
  resource: CapacityResource,
  thresholds: CapacityThresholds,
): readonly (readonly ['allocated' | 'used', Thresholds])[] {
  const { cpu, memory, publicIP, segments, storageAllocated, storageUsed } = thresholds
  if (resource === 'CPU') return [['allocated', cpu]]
  if (resource === 'Memory') return [['allocated', memory]]
  if (resource === 'GuestNetworkSegment') return [['allocated', segments]]
  if (resource === 'SecondaryStorage') return [['used', storageUsed]]
  if (resource !== 'PrimaryStorage') return [['allocated', publicIP]]
  return [
    ['allocated', storageAllocated],
    ['used', storageUsed],
  ]
}
