import type { HostFailure } from '../../crds/common.ts'
import type { FenceClaim } from '../../crds/infrastructure/allocation.ts'
import type { Host } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { parseDuration } from '../../crds/invariants/duration.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { allocate, type Claim, fenceClaim, fencesUnderWay, holderOf, moveClaim, noteOnClaim } from '../claims.ts'
import type { Phase } from '../define-reconciler.ts'
import { type Effect, operate, remove } from '../effect.ts'
import { heldOfHost } from '../holdings.ts'
import { managementModeOf } from '../management.ts'
import { acting, blocked, satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
import { isStored, type Wish, type World } from '../world.ts'
import { type Fence, fenceOf } from './fencing.ts'
import { hostDriver, hostKey, powerKey } from './host-endpoint.ts'
import { hostLifecycle } from './lifecycle.ts'
import { settingsOf } from './settings.ts'
import { zoneStorm } from './silence.ts'
import { zoneOfCluster } from './topology.ts'

type HostWish = Wish<typeof Host>

/** How long a host that was proven off stays so before it is powered on again: its machines are on their way elsewhere. */
const pauseBeforePowerOn = 60_000
/** How long a host may take to answer after it was powered on, in ms. */
const bootLimit = 600_000
/** How long a host that was silent with many others may take to answer as they do, in ms. */
const pauseAfterStorm = 60_000
/** How long a host may take to be proven off after it was switched off, in ms, before others are not kept waiting. */
const fenceLimit = 300_000

/** What is done about a host that falls silent. */
type FailurePolicy = HostFailure & Required<Pick<HostFailure, 'fencing' | 'powerOnAttempts'>>

/** As the host says itself, else its cluster, its zone, the Settings. One that is only observed is never switched. */
function failurePolicy(self: HostWish, world: World): FailurePolicy {
  const { spec } = self
  const zoneName = zoneOfCluster(spec.clusterName, world)
  return {
    ...settingsOf(world).hostFailure,
    ...(zoneName === undefined ? {} : world.desired.get(Zone, zoneName)?.spec.hostFailure),
    ...world.desired.get(HostCluster, spec.clusterName)?.spec.hostFailure,
    ...spec.hostFailure,
    ...(managementModeOf(self, world) === 'Enforce' ? {} : { fencing: 'Manual' as const }),
  }
}

/** Whether somebody may be working at the host: it is in maintenance, and no machine could be helped by switching it off. */
function isWorkedAt(self: HostWish, world: World): boolean {
  if (world.derived(hostLifecycle, self.metadata.name).lifecycle !== 'Maintenance') return false
  return heldOfHost(world.identity(self), world).claims === 0
}

/** Whether nothing can run on the host unseen, and what brings that about (docs/operating.md, "A host is dead"). */
export const lossContained: Phase<typeof Host> = { condition: 'LossContained', judge: judgeLoss }

function judgeLoss(self: HostWish, world: World): Verdict {
  if (hostDriver(self, world) === undefined) return satisfied('NeverCalled', 'Nothing of ours can run on the host')
  const { answers, silentSince } = world.observed.endpoint(hostKey(self, world))
  const fence = fenceOf(self.metadata.name, world)
  const claim = fenceClaim(world.identity(self), world)
  if (answers === 'Yes') return judgeAnswering(self, claim, fence, world)
  if (answers === 'Unknown') return unknown('NotCalledYet', fence.fenced ? 'The host is being called' : fence.why)
  if (fence.fenced) return judgeFenced(self, claim, fence, world)
  return judgeSilent({ self, claim, why: fence.why, silentSince: silentSince ?? world.now() }, world)
}

function judgeAnswering(self: HostWish, claim: Claim | undefined, fence: Fence, world: World): Verdict {
  if (self.spec.lifecycle === 'Lost') return blocked('LostYetAnswers', fence.fenced ? '' : fence.why)
  if (claim === undefined) return satisfied('Connected')
  if (mayStillSwitch(self, claim, world)) {
    return waiting('Fencing', 'The host answers; an order to its power controller has not ended, or was not answered')
  }
  return acting('Recovered', 'The host answers again', remove(claim))
}

/** It runs nothing: that is noted with the time, and where it is wished the host may come back. */
function judgeFenced(self: HostWish, claim: Claim | undefined, fence: Fence & { fenced: true }, world: World): Verdict {
  const message = `The host runs nothing: proven by ${fence.by}`
  const now = world.now()
  if (claim === undefined) {
    return acting('Fenced', message, claimFence(self, { silentSince: now, decidedAt: now, powerOns: 0 }, world, now))
  }
  const { fence: noted, notes } = claim.spec
  if (noted === undefined)
    return blocked('ClaimUnusable', `Allocation "${claim.metadata.name}" says nothing of a fence`)
  if (!isStored(claim)) return satisfied('Fenced', message)
  if (notes?.fencedAt === undefined) return acting('Fenced', message, noteOnClaim(claim, { fencedAt: now }))
  return judgePowerOn({ self, claim, noted, fencedAt: notes.fencedAt, message, isOff: fence.by === 'PowerOff' }, world)
}

interface Fenced {
  readonly self: HostWish
  readonly claim: Claim
  readonly noted: FenceClaim
  readonly fencedAt: string
  readonly message: string
  readonly isOff: boolean
}

function judgePowerOn({ self, claim, noted, fencedAt, message, isOff }: Fenced, world: World): Verdict {
  const { fencing, powerOnAttempts } = failurePolicy(self, world)
  const isActive = world.derived(hostLifecycle, self.metadata.name).lifecycle === 'Active'
  const isWished = fencing === 'Automatic' && powerOnAttempts > 0 && isActive
  if (!isOff || !isWished) return satisfied('Fenced', message)
  if (noted.power === 'On' && !world.elapsed(noted.decidedAt, bootLimit)) {
    return switchPower(claim, 'On', `${message}. It is being powered on`)
  }
  if (noted.powerOns >= powerOnAttempts) {
    return satisfied('Fenced', `${message}. It was powered on ${noted.powerOns} times and did not come back`)
  }
  if (!world.elapsed(fencedAt, pauseBeforePowerOn)) return satisfied('Fenced', message)
  const next: FenceClaim = { ...noted, power: 'On', decidedAt: world.now(), powerOns: noted.powerOns + 1 }
  return acting('PoweringOn', `${message}. It is about to be powered on`, moveClaim(claim, { fence: next }))
}

interface Silent {
  readonly self: HostWish
  readonly claim: Claim | undefined
  readonly why: string
  readonly silentSince: string
}

/** It does not answer and may run machines. */
function judgeSilent(silent: Silent, world: World): Verdict {
  const { self, claim, why } = silent
  const noted = claim?.spec.fence
  if (noted?.power === 'On' && !world.elapsed(noted.decidedAt, bootLimit)) {
    return waiting('PoweringOn', `The host was powered on at ${noted.decidedAt} and does not answer yet`)
  }
  const objection = objectionTo(silent, world)
  if (objection !== undefined) return isDropped(silent, objection, world) ?? objection
  if (isStorm(self, world)) return judgeHeld(silent, world)
  if (!mayHavePower(self, world)) return judgeUnreadable(silent, world)
  if (claim === undefined || noted === undefined) return beginFence(silent, world)
  if (claim.spec.notes?.fencedAt !== undefined && noted.power !== 'On' && noted.pausedFor !== 'Boot')
    return letBoot(claim, noted, world)
  if (noted.power === 'Off') return judgeSwitchingOff(claim, noted, world)
  return judgePaused(claim, noted, why, world) ?? beginFence(silent, world)
}

/** It was proven off and has power again: somebody repairs it. It runs nothing of ours before it answers. */
function letBoot(claim: Claim, { power: _, ...others }: FenceClaim, world: World): Verdict {
  const fence: FenceClaim = { ...others, decidedAt: world.now(), pausedFor: 'Boot' }
  return acting('PoweringOn', 'The host was off and has power again: it is given time', moveClaim(claim, { fence }))
}

/** Whether it was switched off cannot be read: after a while it gives its place in the line up to others. */
function judgeUnreadable({ claim, why }: Silent, world: World): Verdict {
  const noted = claim?.spec.fence
  if (claim === undefined || noted?.power !== 'Off' || !world.elapsed(noted.decidedAt, fenceLimit)) {
    return waiting('NotFenced', why)
  }
  return acting('FencingFailed', why, giveUpPlace(claim, noted, world))
}

/** What was decided is taken back where it must not be any more: the host's situation, or the wish, is another one. */
function isDropped({ self, claim }: Silent, { reason, message }: Verdict, world: World): Verdict | undefined {
  if (reason === 'Suspected' || claim === undefined || !isStored(claim)) return undefined
  const { fence, notes } = claim.spec
  if (fence?.power === 'On' || notes?.fencedAt !== undefined || mayStillSwitch(self, claim, world)) return undefined
  return acting(reason, message, remove(claim))
}

/** Too many hosts of the zone are silent at once. That is noted, because they come back one after the other. */
function judgeHeld({ self, claim, why, silentSince }: Silent, world: World): Verdict {
  const { silentShareLimit } = settingsOf(world).hostFailure
  const zoneName = zoneOfCluster(self.spec.clusterName, world) ?? ''
  const message = `${why}. More than the share ${silentShareLimit} of the hosts of zone "${zoneName}" is silent at once: more likely the network or this control plane fails, so none is switched off. Mend that, or raise hostFailure.silentShareLimit of the Settings`
  const held = { decidedAt: world.now(), pausedFor: 'Storm' } as const
  const noted = claim?.spec.fence
  if (noted?.pausedFor === 'Storm') return waiting('FencingHeld', message)
  if (claim === undefined || noted === undefined) {
    return acting('FencingHeld', message, claimFence(self, { silentSince, powerOns: 0, ...held }, world))
  }
  const { power: _, ...others } = noted
  return acting('FencingHeld', message, moveClaim(claim, { fence: { ...others, ...held } }))
}

/** Why nothing is switched for the time being, though nothing speaks against it any more. */
function judgePaused(claim: Claim, noted: FenceClaim, why: string, world: World): Verdict | undefined {
  const { decidedAt, pausedFor } = noted
  if (pausedFor === 'PowerController') {
    return world.elapsed(decidedAt, fenceLimit) ? undefined : waiting('FencingFailed', failed(noted))
  }
  if (pausedFor === 'Boot') {
    const since = `The host was off, and has had power again since ${decidedAt}. It does not answer yet`
    return world.elapsed(decidedAt, bootLimit) ? undefined : waiting('PoweringOn', since)
  }
  const message = `${why}. Until a moment ago many hosts were silent at once: it is given time to answer as well`
  if (pausedFor === 'Storm') {
    const next: FenceClaim = { ...noted, decidedAt: world.now(), pausedFor: 'AfterStorm' }
    return acting('Suspected', message, moveClaim(claim, { fence: next }))
  }
  const isWaiting = pausedFor === 'AfterStorm' && !world.elapsed(decidedAt, pauseAfterStorm)
  return isWaiting ? waiting('Suspected', message) : undefined
}

/** Why a silent host must not be switched off, or not yet. Undefined: nothing speaks against it. */
function objectionTo({ self, why, silentSince }: Silent, world: World): Verdict | undefined {
  const { fencing, unreachableLimit } = failurePolicy(self, world)
  const { hostLossDelay } = settingsOf(world)
  if (!world.elapsed(silentSince, parseDuration(hostLossDelay))) return waiting('Suspected', why)
  const life = world.observed.life(hostKey(self, world))
  if (life === undefined) return waiting('Suspected', `${why}. Others are being asked for signs of life of it`)
  if (life.signs === 'Seen' && (unreachableLimit === undefined || fencing === 'Manual')) {
    return waiting(
      'Unreachable',
      `${why}. It gives signs of life on its storage or to its neighbours: its machines work, and it cannot be managed. Mend the way to it`,
    )
  }
  if (life.signs === 'Seen' && !world.elapsed(silentSince, parseDuration(unreachableLimit ?? '0s'))) {
    return waiting(
      'Unreachable',
      `${why}. It gives signs of life; it is switched off after ${unreachableLimit} of silence`,
    )
  }
  if (isWorkedAt(self, world)) {
    return waiting(
      'NotFenced',
      `${why}. It is in maintenance and has no machine: its power is left to whoever works at it`,
    )
  }
  if (fencing === 'Manual') {
    const mend = mayHavePower(self, world)
      ? '. Or let it be switched off: hostFailure.fencing Automatic, on the Host, its cluster, its zone or the Settings'
      : ''
    return waiting('NotFenced', `${why}${mend}`)
  }
  return undefined
}

function isStorm(self: HostWish, world: World): boolean {
  return world.derived(zoneStorm, zoneOfCluster(self.spec.clusterName, world) ?? '')
}

/** Also one that hangs while it is going off: only the controller's Off ends that. */
function mayHavePower(self: HostWish, world: World): boolean {
  const key = powerKey(self, world)
  const isControlled = self.spec.powerControl !== undefined && world.observed.endpoint(key).answers === 'Yes'
  const power = world.observed.power(key)
  return isControlled && power !== undefined && power.power !== 'Off'
}

/** That it is switched off is written down before it is; others of the zone may come first. */
function beginFence({ self, claim, why, silentSince }: Silent, world: World): Verdict {
  const inLine = waitInLine(self, world)
  if (inLine !== undefined) return inLine
  const decidedAt = world.now()
  const noted = claim?.spec.fence
  if (claim === undefined || noted === undefined) {
    const plan: FencePlan = { silentSince, power: 'Off', decidedAt, powerOns: 0 }
    return acting('Fencing', `${why}. It is about to be switched off`, claimFence(self, plan, world))
  }
  const { fencedAt: _, ...notes } = claim.spec.notes ?? {}
  const { pausedFor: __, ...others } = noted
  const next = moveClaim(claim, { fence: { ...others, power: 'Off', decidedAt }, notes })
  return acting('Fencing', `${why}. It is about to be switched off again`, next)
}

/** One whose power controller does not make it true gives its place in the line up, and tries again later. */
function judgeSwitchingOff(claim: Claim, noted: FenceClaim, world: World): Verdict {
  const message = `Decided at ${noted.decidedAt}: the host is being switched off`
  if (!world.elapsed(noted.decidedAt, fenceLimit)) return switchPower(claim, 'Off', message)
  return acting('FencingFailed', failed(noted), giveUpPlace(claim, noted, world))
}

function giveUpPlace(claim: Claim, { power: _, ...others }: FenceClaim, world: World): Effect {
  return moveClaim(claim, { fence: { ...others, decidedAt: world.now(), pausedFor: 'PowerController' } })
}

function failed({ decidedAt }: FenceClaim): string {
  return `The host was to be switched off, and at ${decidedAt} its power controller still did not say Off. It is tried again. Look at the power controller; bring the host back, or switch it off and set its spec.lifecycle to Lost`
}

/** So many hosts of a zone are switched off at once; the others wait in the order in which they came. */
function waitInLine(self: HostWish, world: World): Verdict | undefined {
  const zoneName = zoneOfCluster(self.spec.clusterName, world) ?? ''
  const queue = `fencing/${zoneName}`
  const { hosts = 0 } = world.queued(queue).desired.total(fencesUnderWay, zoneName)
  if (hosts < settingsOf(world).hostFailure.fencesAtOnce) return undefined
  return waiting(
    'FencingQueued',
    `${hosts} other hosts of zone "${zoneName}" are being switched off: this one comes after them`,
    {
      queue,
    },
  )
}

type FencePlan = Omit<FenceClaim, 'hostName' | 'zoneName'>

function claimFence(self: HostWish, plan: FencePlan, world: World, fencedAt?: string) {
  const zoneName = zoneOfCluster(self.spec.clusterName, world) ?? self.spec.clusterName
  const fence: FenceClaim = { hostName: self.metadata.name, zoneName, ...plan }
  const notes = fencedAt === undefined ? {} : { notes: { fencedAt } }
  return allocate({ type: 'Fence', value: world.identity(self), holder: holderOf(self), fence, ...notes }, world)
}

function switchPower(claim: Claim, power: 'On' | 'Off', message: string): Verdict {
  const target = { endpoint: `PowerController/${claim.spec.value}` as const, identity: claim.spec.value }
  const reason = power === 'Off' ? 'Fencing' : 'PoweringOn'
  return acting(reason, message, operate(operation('SetPower', target, { power }), [claim.metadata.name]))
}

/** Whether an order to its power controller may still have its effect: a lost one is not waited for for ever. */
function mayStillSwitch(self: HostWish, { spec: { fence } }: Claim, world: World): boolean {
  const identity = world.identity(self)
  if (world.operations(identity).some(({ verb, state }) => verb === 'SetPower' && state === 'Running')) return true
  const isInDoubt = world.observed.inDoubt(identity).includes(powerKey(self, world))
  return isInDoubt && fence !== undefined && !world.elapsed(fence.decidedAt, fenceLimit)
}

/** A host that is deleted takes what was noted of its loss with it. */
export const fenceForgotten: Phase<typeof Host> = {
  condition: 'LossContained',
  needs: ['Unclaimed'],
  judge: (self, world) => {
    const claim = fenceClaim(world.identity(self), world)
    if (claim === undefined || !isStored(claim)) return satisfied('Forgotten')
    return acting('Forgetting', 'What was noted of its loss is removed', remove(claim))
  },
}
