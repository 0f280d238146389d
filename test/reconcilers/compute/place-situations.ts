/** Situations of one machine's place on one of two hosts. */
import type { ClaimNotes } from '../../../crds/infrastructure/allocation.ts'
import type { Resource } from '../../../crds/meta.ts'
import type { EndpointKey } from '../../../drivers/contract/endpoint.ts'
import type { MachineFacts } from '../../../drivers/contract/facts.ts'
import { judgePlace, type PlaceWish } from '../../../reconcilers/compute/machine-place.ts'
import type { Verdict } from '../../../reconcilers/verdict.ts'
import type { EndpointState, OperationState, PowerState } from '../../../reconcilers/world.ts'
import { holder, machineClaim } from '../claim-builders.ts'
import { hostFacts, machineFacts } from '../fact-builders.ts'
import { cluster, host, pod, pool, zone } from '../infrastructure-builders.ts'
import { answering, noSignOfLife, type Sighting, silent } from '../observed-tables.ts'
import { deepFreeze, keyOf, uidOf } from '../resource-builder.ts'
import { volume } from '../tenant-builders.ts'
import { passOf, type TestWorld, worldOf } from '../world-builder.ts'
import { guest, host1, host2, identity } from './power-situations.ts'

/** It has been silent for an hour. */
export const longSilent = silent('2026-11-02T11:00:00Z')
/** Its power controller said Off twice. */
export const offTwice: PowerState = { power: 'Off', confirmed: true }

/** What a situation changes of: a claim on host-1, nothing seen, all hosts answering. */
export interface Situation {
  readonly claimed?: boolean
  readonly held?: Parameters<typeof machineClaim>[2]
  readonly notes?: ClaimNotes
  readonly seen?: readonly (readonly [typeof host1, Partial<MachineFacts>])[]
  readonly hostState?: EndpointState
  readonly power?: PowerState
  readonly lifecycle?: 'Active' | 'Lost'
  readonly otherHost?: boolean
  readonly running?: boolean
  readonly wish?: Partial<PlaceWish>
  readonly local?: boolean
  readonly absent?: ReadonlySet<string>
  readonly unlisted?: ReadonlySet<EndpointKey>
  readonly namesake?: boolean
  /** What is seen besides. */
  readonly machines?: readonly Sighting<MachineFacts>[]
  /** What is stored besides. */
  readonly objects?: readonly Resource[]
}

const running: OperationState = { verb: 'StartMachine', endpoint: host1, state: 'Running' }

/** The world of a situation. */
export function worldWith(parts: Situation): TestWorld {
  const claim = machineClaim(guest, 'host-1', parts.held)
  const notes = parts.notes === undefined ? {} : { notes: parts.notes }
  const second = host({ name: 'host-2', address: '172.16.10.102' })
  const sightings = (parts.seen ?? []).map(([endpoint, facts]) => ({ endpoint, facts: machineFacts(guest, facts) }))
  const other = machineFacts(guest, { identity: uidOf('VirtualMachine', 'before', 'shop') })
  return worldOf({
    objects: [
      zone(),
      pod(),
      cluster(),
      host(parts.lifecycle === undefined ? {} : { lifecycle: parts.lifecycle }),
      ...(parts.otherHost === false ? [] : [second]),
      pool(),
      guest,
      ...(parts.claimed === false ? [] : [deepFreeze({ ...claim, spec: { ...claim.spec, ...notes } })]),
      ...(parts.objects ?? []),
    ],
    endpoints: {
      [host1]: parts.hostState ?? answering,
      [host2]: answering,
      [keyOf('PowerController', 'host-1')]: answering,
      [keyOf('PrimaryStorage', 'primary-1')]: answering,
    },
    hosts: { [host1]: hostFacts(), [host2]: hostFacts() },
    lives: { [host1]: noSignOfLife },
    spaces: { [keyOf('PrimaryStorage', 'primary-1')]: { totalBytes: 2 ** 41, usedBytes: 0 } },
    ...(parts.power === undefined ? {} : { powers: { [keyOf('PowerController', 'host-1')]: parts.power } }),
    ...(parts.absent === undefined ? {} : { absent: parts.absent }),
    ...(parts.unlisted === undefined ? {} : { unlisted: parts.unlisted }),
    operations: { [identity]: parts.running === true ? [running] : [] },
    machines: [
      ...sightings,
      ...(parts.namesake === true ? [{ endpoint: host2, facts: other }] : []),
      ...(parts.machines ?? []),
    ],
  })
}

/** What the machine of a situation wishes. */
export function wishOf({ wish = {}, local = false }: Situation): PlaceWish {
  const scope = local ? 'Local' : 'Shared'
  return {
    identity,
    holder: holder(guest),
    request: {
      zoneName: 'zone-a',
      cores: 1,
      clockMHz: 1000,
      memoryBytes: 512 * 2 ** 20,
      hostTags: [],
      planner: 'FirstFit',
      volumes: local ? [{ identity: volume().metadata.uid, sizeBytes: 1, tags: [], scope }] : [],
    },
    wanted: true,
    movable: true,
    restartPriority: 'Normal',
    volumeHolders: {},
    ...wish,
  }
}

/** The verdict once it is noted that the machine may leave something behind, where that comes first. */
export function placeIn(parts: Situation): Verdict {
  const world = worldWith(parts)
  return afterNote(world, () => judgePlace(wishOf(parts), passOf(world)))
}

/** What is judged once it is noted that the machine may leave something behind, where that comes first. */
export function afterNote(world: TestWorld, judge: () => Verdict): Verdict {
  const verdict = judge()
  if (verdict.is !== 'acting' || verdict.reason !== 'NotingStray') return verdict
  world.apply(verdict.effects)
  return judge()
}
