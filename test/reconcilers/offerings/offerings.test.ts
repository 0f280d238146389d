import test from 'ava'
import {
  diskOfferingReconciler,
  networkOfferingReconciler,
  serviceOfferingReconciler,
} from '../../../reconcilers/offerings/offerings.ts'
import { publicTemplateReconciler } from '../../../reconcilers/offerings/public-template.ts'
import { users } from '../judge.ts'
import {
  diskOffering,
  machine,
  network,
  networkOffering,
  offering,
  sharedNetwork,
  template,
  volume,
} from '../tenant-builders.ts'
import { worldOf } from '../world-builder.ts'

test('OFF-010 an offering that nothing refers to is removed at once', t => {
  const world = worldOf()
  t.deepEqual(users(serviceOfferingReconciler, offering(), world), [])
  t.deepEqual(users(diskOfferingReconciler, diskOffering(), world), [])
  t.deepEqual(users(networkOfferingReconciler, networkOffering(), world), [])
})

test('OFF-011 OFF-050 an offering stays until the last thing made from it is gone', t => {
  const onGold = machine({ name: 'web-2', rootVolume: { diskOfferingName: 'data-20g' } })
  const world = worldOf({ objects: [machine(), onGold, volume(), network(), sharedNetwork()] })
  t.deepEqual(users(serviceOfferingReconciler, offering(), world), ['VirtualMachine web-1', 'VirtualMachine web-2'])
  t.deepEqual(users(diskOfferingReconciler, diskOffering(), world), ['Volume data-1', 'VirtualMachine web-2'])
  t.deepEqual(users(networkOfferingReconciler, networkOffering(), world), ['Network web'])
  t.deepEqual(users(networkOfferingReconciler, networkOffering({ name: 'shared' }), world), ['SharedNetwork shared-1'])
})

test('TPL-037 a template stays while machines or volumes are made from it', t => {
  const root = volume({ name: 'web-1-root', templateRef: { kind: 'PublicTemplate', name: 'tiny-linux' } })
  const world = worldOf({ objects: [machine(), root, volume()] })
  t.deepEqual(users(publicTemplateReconciler, template(), world), ['VirtualMachine web-1', 'Volume web-1-root'])
  t.deepEqual(users(publicTemplateReconciler, template({ name: 'other' }), world), [])
})
