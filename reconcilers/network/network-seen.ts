import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import type { Network } from '../../crds/network/network.ts'
import type { MachineNIC } from '../../drivers/contract/facts.ts'
import type { Wish, World } from '../world.ts'
import { networkOf } from './machine-nics.ts'
import { machinesByNetwork, type NetworkPlan } from './network-plan.ts'
import { routerName } from './network-router.ts'
import { keyOf } from './network-use.ts'

/**
 * Segments that a network's router and machines are plugged into on their hosts, by their names: where the API's storage
 * was lost, they run on in the segment that the network had.
 */
export function segmentsSeen(self: Wish<typeof Network>, plan: NetworkPlan, world: World): readonly number[] {
  const key = keyOf(self)
  const inner = nicsNamed(VirtualRouter.kind, undefined, routerName(self), world).filter(({ name }) => name === 'guest')
  const guests = world.desired.list(machinesByNetwork, key).flatMap(machine => {
    const { name, namespace } = machine.metadata
    const mine = new Set(machine.spec.nics.filter(nic => networkOf(machine, nic) === key).map(nic => nic.name))
    return nicsNamed(VirtualMachine.kind, namespace, name, world).filter(nic => mine.has(nic.name))
  })
  return [...inner, ...guests].flatMap(({ segment: { isolation, id } }) =>
    isolation === plan.isolation && id !== undefined ? [id] : [],
  )
}

/** NICs of machines that bear this installation's mark for the name, whatever their identity. */
function nicsNamed(kind: string, namespace: string | undefined, name: string, world: World): readonly MachineNIC[] {
  return world.observed
    .named(kind, namespace, name)
    .flatMap(identity => world.observed.machines(identity))
    .flatMap(({ facts }) => facts.definition.nics)
}
