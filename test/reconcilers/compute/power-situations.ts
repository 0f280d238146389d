/** Situations of one machine on host-1, for tests of its power and place. */

import type { RunStrategy } from '../../../crds/compute/virtual-machine.ts'
import type { ClaimNotes } from '../../../crds/infrastructure/allocation.ts'
import { Allocation } from '../../../crds/infrastructure/allocation.ts'
import type { EndpointKey } from '../../../drivers/contract/endpoint.ts'
import type { MachineFacts } from '../../../drivers/contract/facts.ts'
import { judgePower, type MachineWish } from '../../../reconcilers/compute/machine-power.ts'
import type { Verdict } from '../../../reconcilers/verdict.ts'
import type { EndpointState, PowerState } from '../../../reconcilers/world.ts'
import { machineClaim } from '../claim-builders.ts'
import { machineFacts } from '../fact-builders.ts'
import { host } from '../infrastructure-builders.ts'
import { answering } from '../observed-tables.ts'
import { deepFreeze, keyOf } from '../resource-builder.ts'
import { machine } from '../tenant-builders.ts'
import { type TestWorld, worldOf } from '../world-builder.ts'

/** The machine that the situations are about. */
export const guest = machine()
/** Its identity. */
export const identity = guest.metadata.uid
/** The host of its claim. */
export const host1 = keyOf('Host', 'host-1')
/** Another host. */
export const host2 = keyOf('Host', 'host-2')
/** The moment at which situations begin. */
export const now = '2026-11-02T12:00:00Z'

/** What a situation changes of: Always, a claim on host-1 of epoch 1 without notes, nothing seen, all hosts answering. */
export interface Situation {
  readonly runStrategy?: RunStrategy
  readonly notes?: ClaimNotes
  readonly epoch?: number
  readonly here?: Partial<MachineFacts>
  readonly elsewhere?: Partial<MachineFacts>
  /** False: the other host's sighting is an old one. */
  readonly elsewhereCurrent?: boolean
  readonly hostState?: EndpointState
  readonly power?: PowerState
  readonly inDoubt?: readonly EndpointKey[]
  readonly wish?: Partial<MachineWish>
}

/** The world of a situation. */
export function situation(parts: Situation): TestWorld {
  const { here, elsewhere, notes, epoch = 1, power, inDoubt = [] } = parts
  const claim = machineClaim(guest, 'host-1')
  const spec = { ...claim.spec, epoch, ...(notes === undefined ? {} : { notes }) }
  return worldOf({
    now,
    objects: [guest, host(), host({ name: 'host-2', address: '172.16.10.102' }), deepFreeze({ ...claim, spec })],
    endpoints: {
      [host1]: parts.hostState ?? answering,
      [host2]: answering,
      [keyOf('PowerController', 'host-1')]: answering,
    },
    ...(power === undefined ? {} : { powers: { [keyOf('PowerController', 'host-1')]: power } }),
    inDoubt: { [identity]: inDoubt },
    machines: [
      ...(here === undefined ? [] : [{ endpoint: host1, facts: machineFacts(guest, here) }]),
      ...(elsewhere === undefined
        ? []
        : [
            {
              endpoint: host2,
              facts: machineFacts(guest, elsewhere),
              current: parts.elsewhereCurrent ?? true,
            },
          ]),
    ],
  })
}

/** What the power phase says in a world, as its claim is there. */
export function judgeIn(world: TestWorld, { runStrategy = 'Always', wish = {} }: Situation): Verdict {
  const claim = world.desired.get(Allocation, `machine-${identity}`)
  if (claim === undefined) throw new Error('Cannot judge: the machine has no claim')
  const { definition, mark } = machineFacts(guest)
  if (mark === undefined) throw new Error('Cannot judge: the machine has no mark')
  const defaults = { identity, claim, mark, definition, runStrategy, shutdownTimeout: 120_000, generation: 1 }
  return judgePower({ ...defaults, ...wish }, world)
}

/** What the power phase says in a situation. */
export function powerIn(parts: Situation): Verdict {
  return judgeIn(situation(parts), parts)
}

/** Verdict, reason, and what it does: `Operate <verb> <mode>`, `Update`, `Create` … */
export function brief(verdict: Verdict): string {
  const effects = verdict.is === 'acting' ? verdict.effects : []
  const done = effects.map(effect => {
    if (effect.effect !== 'Operate') return effect.effect
    const { verb, arguments: args } = effect.operation
    return [verb, ...('mode' in args ? [args.mode] : []), ...('power' in args && args.power ? [args.power] : [])].join(
      ' ',
    )
  })
  return [verdict.is, verdict.reason, ...done].join(' ')
}
