/** Machine web-1 with its root disk and the data disk `data`, in the quickstart's cloud. */
import type { Resource } from '../../../crds/meta.ts'
import type { MachineFacts, VolumeFacts } from '../../../drivers/contract/facts.ts'
import { definitionOf } from '../../../reconcilers/compute/machine-definition.ts'
import { virtualMachineReconciler } from '../../../reconcilers/compute/virtual-machine.ts'
import { allocation, holder, machineClaim, volumeClaim } from '../claim-builders.ts'
import { machineFacts, volumeFacts } from '../fact-builders.ts'
import { pool } from '../infrastructure-builders.ts'
import { addressClaim, configureRouter, host1, networkWorld, served, verdictsOf } from '../network/network-world.ts'
import { answering } from '../observed-tables.ts'
import { deepFreeze, keyOf, uidOf } from '../resource-builder.ts'
import { diskOffering, machine, volume } from '../tenant-builders.ts'
import { passOf, type TestWorld } from '../world-builder.ts'

/** The pool of all disks. */
export const pool1 = keyOf('PrimaryStorage', 'primary-1')

const byMachine = {
  ownerReferences: [
    {
      apiVersion: 'compute.skystead.dev/v1alpha1',
      kind: 'VirtualMachine',
      name: 'web-1',
      uid: uidOf('VirtualMachine', 'web-1', 'shop'),
      controller: true,
    },
  ],
}

/** The root volume of web-1, as the machine made it. */
export const root = volume({
  name: 'web-1-root',
  diskOfferingName: undefined,
  templateRef: { kind: 'PublicTemplate', name: 'tiny-linux' },
  metadata: byMachine,
})

/** web-1 with a data disk. */
export const withData = machine({ volumes: [{ name: 'data', volumeName: 'data-1' }] })

/** The claim of a volume's place, made already. */
export function placedVolume(object: Resource, sizeBytes = 20 * 2 ** 30) {
  const claim = volumeClaim(object, 'primary-1', { sizeBytes })
  return deepFreeze({ ...claim, spec: { ...claim.spec, notes: { madeAt: '2026-11-01T00:00:00Z' } } })
}

/** The claim to write to a volume. */
export function attachment(object: Resource, to: Resource) {
  const volumeIdentity = object.metadata.uid
  const claim = { machineIdentity: to.metadata.uid, volumeIdentity }
  return allocation({ type: 'Attachment', value: volumeIdentity, holder: holder(to), attachment: claim })
}

/** A cloud with the machine and these objects; the router serves, the pool answers. */
export function machineWorld(objects: readonly Resource[], volumes: readonly VolumeFacts[] = []): TestWorld {
  const world = networkWorld([...served(), pool(), diskOffering(), ...objects])
  configureRouter(world)
  const sightings = volumes.map(facts => ({ endpoint: pool1, facts }))
  const spaces = { [pool1]: { totalBytes: 2 ** 41, usedBytes: 0 } }
  world.see({ endpoints: { [pool1]: answering }, spaces, volumes: sightings })
  return world
}

/** The machine with both disks placed, attached and provisioned. */
export function whole(...changes: readonly Resource[]): TestWorld {
  const claims = [root, volume()].flatMap(disk => [placedVolume(disk), attachment(disk, withData)])
  return machineWorld([withData, root, volume(), ...claims, ...changes], [volumeFacts(root), volumeFacts(volume())])
}

/** What each phase says of web-1. */
export function judgeMachine(world: TestWorld, list: 'phases' | 'teardown' = 'phases') {
  return verdictsOf(virtualMachineReconciler, machine(), world, list)
}

/** Shows web-1 on its host as it is described now, with these differences, beside the router. */
export function show(world: TestWorld, changes: Partial<MachineFacts> = {}): MachineFacts {
  const self = world.desired.get(virtualMachineReconciler.kind, 'web-1', 'shop')
  const definition = self && definitionOf(self, passOf(world))
  if (definition === undefined) throw new Error('Cannot show the machine: it cannot be defined yet')
  const facts = machineFacts(machine(), { definition, ...changes })
  const [router] = world.observed.machines(uidOf('VirtualRouter', 'router-1'))
  const others = router === undefined ? [] : [{ endpoint: host1, facts: router.facts }]
  world.see({ machines: [...others, { endpoint: host1, facts }] })
  return facts
}

/** The claim of web-1's address. */
export const address = addressClaim(machine(), '10.1.1.20')
/** The claim of web-1's place. */
export const place = machineClaim(machine(), 'host-1')
