/** Whether a virtual machine may stay on its host, start on another one, or is owed a start at all. */
import { ServiceOffering } from '../../crds/compute/service-offering.ts'
import type { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { machineClaim } from '../claims.ts'
import type { Phase } from '../define-reconciler.ts'
import { managementModeOf } from '../management.ts'
import type { Wish, World } from '../world.ts'
import { planDisks } from './disk-plan.ts'
import { judgeSettled, settledCondition } from './machine-move.ts'
import { machineRequest } from './machine-request.ts'
import { machinePriority } from './restart-turn.ts'
import { closedStorage } from './storage-maintenance.ts'
import { whereSeen } from './whereabouts.ts'

type Machine = Wish<typeof VirtualMachine>

/** The phase that moves a machine that runs and may not stay. `Ready` does not depend on it: the machine runs. */
export const settled: Phase<typeof VirtualMachine> = {
  condition: settledCondition,
  informational: true,
  judge: (self, world) => {
    const identity = world.identity(self)
    const claim = machineClaim(identity, world)
    const stops = whyOff(self, world)
    return judgeSettled(
      {
        identity,
        claim,
        request: machineRequest(self, planDisks(self, world), world),
        movable: isMovable(self, world),
        observes: managementModeOf(self, world) === 'Observe',
        restartPriority: machinePriority(self, world),
        ...(stops === undefined ? {} : { stops }),
      },
      world,
    )
  },
}

/** Why it is to be off; undefined while it is to run. */
function whyOff(machine: Machine, world: World): string | undefined {
  if (machine.spec.runStrategy === 'Halted') return 'It is to be off (spec.runStrategy Halted)'
  const storage = closedStorage(machine, world)
  return storage === undefined ? undefined : `It is to be off: primary storage "${storage}" is in maintenance`
}

/** Whether it may be started on another host once its own is proven off. */
export function isMovable({ spec: { runStrategy, serviceOfferingName } }: Machine, world: World): boolean {
  const restartable = runStrategy === 'Always' || runStrategy === 'OnFailure'
  return restartable && world.desired.get(ServiceOffering, serviceOfferingName)?.spec.highlyAvailable === true
}

/** Whether the machine is off because it has ended by itself, and is not owed another start. */
export function hasEnded({ spec: { runStrategy }, metadata }: Machine, world: World): boolean {
  const identity = world.identity({ metadata })
  const claim = machineClaim(identity, world)
  const { startedGeneration, guestEndedAt, stopRequestedAt, stoppedForStorageAt } = claim?.spec.notes ?? {}
  if (stoppedForStorageAt !== undefined) return false
  const here = whereSeen(identity, claim, world)
  if (runStrategy === 'Once') return here !== undefined && startedGeneration === metadata.generation
  if (runStrategy !== 'OnFailure') return false
  return guestEndedAt !== undefined || (here?.facts.stopCause === 'Guest' && stopRequestedAt === undefined)
}
