import test from 'ava'
import fc from 'fast-check'
import { DesiredCache } from '../../../controllers/engine/desired-cache.ts'
import { HoldingSums, heldTopic } from '../../../controllers/engine/holdings.ts'
import { createObservedCache } from '../../../controllers/observation/observed-cache.ts'
import { Allocation } from '../../../crds/infrastructure/allocation.ts'
import type { Resource } from '../../../crds/meta.ts'
import { endpointKey } from '../../../drivers/contract/endpoint.ts'
import type { PowerState } from '../../../drivers/contract/facts.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { machineClaimName } from '../../../reconcilers/claims.ts'
import { type Amounts, defineHoldings, type Wish } from '../../../reconcilers/world.ts'
import { heldOf } from '../../reconcilers/held.ts'
import {
  foreignMachine,
  hostA,
  hostB,
  hostEndpoint,
  hostListing,
  installation,
  machine,
} from '../observation/samples.ts'

const places = [hostA, hostB]
const now = '2026-01-01T00:00:00Z'

/** Memory that is claimed or seen, claims, and what runs though nobody claims it. */
const holdings = defineHoldings(Allocation, 'memory', {
  claimName: machineClaimName,
  claimed: ({ spec: { machine: claimed, value: identity } }) => {
    if (claimed === undefined) return []
    const hosts = new Set([claimed.hostIdentity, claimed.targetHostIdentity ?? claimed.hostIdentity])
    const amounts = { bytes: claimed.memoryBytes, claims: 1 }
    return [...hosts].map(host => ({ place: endpointKey('Host', host), identity, amounts }))
  },
  ofMachine: ({ facts, current }, isOurs) => ({
    ...(current ? { bytes: facts.definition.memoryBytes } : {}),
    ...(isOurs ? { ours: 1 } : {}),
  }),
})

function rig() {
  const told: string[] = []
  const notify = (topic: string) => told.push(topic)
  const desired = new DesiredCache({
    kinds: [Allocation],
    notify: () => undefined,
    changed: change => sums.claimChanged(change),
  })
  const observed = createObservedCache({
    installation,
    environment: virtualEnvironment(),
    notify: () => undefined,
    sighted: sighting => sums.sightingChanged(sighting),
  })
  const sums = new HoldingSums({ installation, desired, observed, notify })
  for (const place of places) observed.declare(hostEndpoint(place))
  return {
    desired,
    observed,
    sums,
    heard: () => told.splice(0).sort(),
    /** Counted anew. */
    counted: (): readonly Amounts[] => {
      const claims = [...desired.all(Allocation)] as unknown as readonly Wish<typeof Allocation>[]
      const machines = [...observed.allMachines()]
      return places.map(place => heldOf(holdings, place, { installation, claims, machines, volumes: [] }))
    },
  }
}

type Rig = ReturnType<typeof rig>

function claimOf(identity: string, memoryBytes: number, target?: string): Resource {
  const machineClaim = {
    hostName: 'a',
    hostIdentity: 'a',
    cores: 1,
    clockMHz: 1000,
    memoryBytes,
    ...(target === undefined ? {} : { targetHostName: target, targetHostIdentity: target }),
  }
  const holder = { group: 'test', kind: 'VirtualMachine', name: identity, uid: identity }
  return {
    apiVersion: Allocation.apiVersion,
    kind: Allocation.kind,
    metadata: {
      name: machineClaimName(identity),
      uid: `claim-${identity}`,
      resourceVersion: '',
      generation: 1,
      creationTimestamp: now,
    },
    spec: { type: 'Machine', value: identity, epoch: 1, holder, machine: machineClaim },
  }
}

function list({ observed }: Rig, place: typeof hostA, ...machines: readonly ReturnType<typeof machine>[]): void {
  observed.takeListing(place, { moment: observed.moment(), monotonic: 0 }, hostListing(machines))
}

function sized(identity: string, memoryBytes: number, powerState: PowerState = 'Running') {
  const facts = machine(identity, { powerState })
  return { ...facts, definition: { ...facts.definition, memoryBytes } }
}

test('what is claimed and seen counts once, with the larger of both, and tells only of new sums', t => {
  const cloud = rig()
  const held = (place = hostA) => cloud.sums.of(holdings, place)
  t.deepEqual(held(), {})
  const assumed = cloud.desired.assumeCreated(Allocation, claimOf('m', 100), now)
  t.deepEqual(held(), { bytes: 100, claims: 1 })
  t.deepEqual(cloud.heard(), [heldTopic(holdings, hostA)])
  list(cloud, hostA, sized('m', 80))
  t.deepEqual(held(), { bytes: 100, claims: 1, ours: 1 })
  cloud.heard()
  list(cloud, hostA, sized('m', 90, 'Off'))
  t.deepEqual(cloud.heard(), [], 'the claim is the larger still')
  list(cloud, hostA, sized('m', 120))
  t.is(held().bytes, 120)
  assumed?.withdraw()
  t.deepEqual(held(), { bytes: 120, ours: 1, claims: 0 })
  list(cloud, hostB, sized('m', 70))
  t.is(held(hostB).bytes, 70)
  cloud.observed.fallSilent(hostA, 'refused')
  t.is(held().bytes, 0, 'what was there is not what is there')
  cloud.observed.forget(hostA)
  t.deepEqual(held(), {})
})

test('sums that are asked for late count all that there is', t => {
  const cloud = rig()
  cloud.desired.assumeCreated(Allocation, claimOf('m', 100, 'b'), now)
  list(cloud, hostA, sized('m', 120), { ...foreignMachine('f') })
  t.deepEqual(cloud.sums.of(holdings, hostA), { bytes: 120 + 2 ** 30, claims: 1, ours: 1 })
  t.deepEqual(cloud.sums.of(holdings, hostB), { bytes: 100, claims: 1 })
})

const identity = fc.constantFrom('m', 'n', 'o')
const size = fc.integer({ min: 1, max: 4 })
const place = fc.constantFrom(...places)
const change = fc.oneof(
  fc.record({ do: fc.constant('Claim' as const), identity, size, target: fc.constantFrom(undefined, 'b') }),
  fc.record({ do: fc.constant('Drop' as const), identity }),
  fc.record({ do: fc.constant('See' as const), identity, size, place, ours: fc.boolean() }),
  fc.record({ do: fc.constant('Gone' as const), identity, place }),
  fc.record({ do: fc.constant('List' as const), place, identities: fc.uniqueArray(identity), size }),
  fc.record({ do: fc.constant('Silent' as const), place }),
  fc.record({ do: fc.constant('Forget' as const), place }),
)

function perform(
  cloud: Rig,
  step: typeof change extends fc.Arbitrary<infer Step> ? Step : never,
  version: number,
): void {
  const { desired, observed } = cloud
  if (step.do === 'Claim') {
    const claim = claimOf(step.identity, step.size, step.target)
    desired.upsert(Allocation, {
      ...claim,
      metadata: { ...claim.metadata, uid: `${version}`, resourceVersion: `${version}` },
    })
  }
  if (step.do === 'Drop') {
    const known = desired.get(Allocation, `/${machineClaimName(step.identity)}`)
    if (known !== undefined) desired.remove(Allocation, known.metadata)
  }
  if (step.do === 'See') {
    const { mark, ...facts } = sized(step.identity, step.size)
    const seen = step.ours && mark !== undefined ? { ...facts, mark } : facts
    observed.takeEvent(step.place, { event: 'Machine', facts: seen })
  }
  if (step.do === 'Gone') observed.takeEvent(step.place, { event: 'MachineGone', identity: step.identity })
  if (step.do === 'List') list(cloud, step.place, ...step.identities.map(each => sized(each, step.size)))
  if (step.do === 'Silent') observed.fallSilent(step.place, 'refused')
  if (step.do === 'Forget') {
    observed.forget(step.place)
    observed.declare(hostEndpoint(step.place))
  }
}

test('whatever comes in whatever order, the sums are those that counting anew gives, and each change is told', t => {
  t.notThrows(() => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 25 }), steps => {
        const cloud = rig()
        const sums = () => places.map(each => withoutZeros(cloud.sums.of(holdings, each)))
        let before = sums()
        for (const [index, step] of steps.entries()) {
          perform(cloud, step, index + 1)
          const after = sums()
          const counted = cloud.counted().map(withoutZeros)
          if (JSON.stringify(after) !== JSON.stringify(counted))
            throw new Error(`${JSON.stringify(after)} instead of ${JSON.stringify(counted)}`)
          const moved = places.filter((_, at) => JSON.stringify(before[at]) !== JSON.stringify(after[at]))
          const heard = cloud.heard()
          for (const each of moved)
            if (!heard.includes(heldTopic(holdings, each))) throw new Error(`${each} was not told`)
          before = after
        }
      }),
    )
  })
})

function withoutZeros(amounts: Amounts): readonly (readonly [string, number])[] {
  return Object.entries(amounts)
    .filter(([, amount]) => amount !== 0)
    .sort(([left], [right]) => (left < right ? -1 : 1))
}
