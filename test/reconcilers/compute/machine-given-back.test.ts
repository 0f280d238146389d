import test from 'ava'
import { VirtualMachine } from '../../../crds/compute/virtual-machine.ts'
import { machineClaim } from '../../../reconcilers/claims.ts'
import { judgeGivenBack } from '../../../reconcilers/compute/machine-adoption.ts'
import { machineFacts } from '../fact-builders.ts'
import type { TestWorld } from '../world-builder.ts'
import { type Situation, worldWith } from './place-situations.ts'
import { brief, guest, host1, host2, identity } from './power-situations.ts'

/** What is said of a machine with a claim on host-1 that is given back. */
function said(world: TestWorld): string {
  const { name, namespace } = guest.metadata
  const self = world.desired.get(VirtualMachine, name, namespace)
  if (self === undefined) throw new Error('Cannot judge the machine: the world has none')
  return brief(judgeGivenBack(self, machineClaim(identity, world), world))
}

function judged(seen: Exclude<Situation['seen'], undefined>): string {
  return said(worldWith({ seen }))
}

test('a machine is given back where it is', t => {
  t.is(judged([[host1, { powerState: 'Running' }]]), 'acting GivingBack ReleaseMachine')
  t.is(judged([[host1, { powerState: 'Off' }]]), 'acting GivingBack ReleaseMachine')
  t.is(judged([[host2, { powerState: 'Running' }]]), 'acting GivingBack ReleaseMachine')
})

test('what it left on another host is no second machine to be given back: it is removed there', t => {
  const { mark: _, ...released } = machineFacts(guest)
  const world = worldWith({ machines: [{ endpoint: host1, facts: released }], seen: [[host2, { powerState: 'Off' }]] })
  t.is(said(world), 'acting RemovingStray RemoveMachine')
})

test('where its own host has nothing of it, what another host has is given back', t => {
  t.is(judged([[host2, { powerState: 'Off' }]]), 'acting GivingBack ReleaseMachine')
})
