import { PublicTemplate } from '../../crds/compute/public-template.ts'
import { SecondaryStorage } from '../../crds/infrastructure/secondary-storage.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import type { ImageFacts } from '../../drivers/contract/facts.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { defineReconciler } from '../define-reconciler.ts'
import { operate } from '../effect.ts'
import { namesOf } from '../names.ts'
import { isOurs } from '../ownership.ts'
import { acting, blocked, satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
import type { Wish, World } from '../world.ts'
import { capacityList, judgeCapacity } from './capacity.ts'
import { storeCapacity } from './roll-ups.ts'
import { schemeOf, storeDriver, storeEndpoints } from './storage-endpoint.ts'

type Store = Wish<typeof SecondaryStorage>

function judgeConnection(self: Store, world: World): Verdict {
  if (storeDriver(self) === undefined) {
    return blocked('NotSupportedYet', `spec.url: no driver serves ${schemeOf(self.spec.url)}:// image stores yet`)
  }
  const { answers, listed, message = 'no reason given', silentSince } = world.observed.endpoint(keyOf(self, world))
  if (answers === 'No') {
    const since = silentSince === undefined ? '' : ` since ${silentSince}`
    return waiting('StorageSilent', `The store has not answered${since}: ${message}`)
  }
  if (answers === 'Unknown') return unknown('NotCalledYet', 'The store is being called')
  if (!listed) return unknown('InventoryNotRead', 'The store answers; its inventory is being read')
  return satisfied('Connected')
}

/**
 * Templates take their images away from a store that is being deleted: it stays until they have. Those of templates that
 * there are not (one was deleted in the moment after a loss of the API) it removes itself: they are copies, and go with it.
 */
function judgeEmptied(self: Store, world: World): Verdict {
  if (storeDriver(self) === undefined || self.spec.management.deletionPolicy === 'Orphan') return satisfied('Left')
  const key = keyOf(self, world)
  const { answers, listed } = world.observed.endpoint(key)
  if (answers !== 'Yes' || !listed) {
    return waiting(
      'StorageSilent',
      'Cannot be deleted: the store does not answer, so its images cannot be removed. Bring it back, or set spec.management.deletionPolicy to Orphan',
    )
  }
  const { things } = world.observed.counts(key)
  if (things === 0) return satisfied('Emptied')
  const ownerless = world.observed
    .imagesAt(key)
    .filter(({ facts }) => isOurs(facts, world) && !hasTemplate(facts, world))
  if (ownerless.length === 0) {
    return waiting('ImagesLeft', `${things} images are left in the store; their templates remove them`)
  }
  const names = namesOf(ownerless.map(({ facts }) => facts.mark?.name ?? facts.identity))
  const removals = ownerless.map(({ facts: { identity } }) =>
    operate(operation('DeleteImage', { endpoint: key, identity }, { identity }), []),
  )
  return acting('Removing', `Images of templates that do not exist: ${names}`, ...removals)
}

function hasTemplate({ mark }: ImageFacts, world: World): boolean {
  return mark?.kind !== PublicTemplate.kind || world.desired.get(PublicTemplate, mark.name) !== undefined
}

function keyOf(self: Store, world: World) {
  return endpointKey('SecondaryStorage', world.identity(self))
}

/** Image stores are called and count their space. They go when they hold no image of ours. */
export const secondaryStorageReconciler = defineReconciler(SecondaryStorage, {
  references: ({ spec }) => [{ kind: Zone, name: spec.zoneName, field: 'spec.zoneName' }],
  endpoints: storeEndpoints,
  // Templates are in no zone, and their images are here.
  endpointsOfAll: true,
  phases: [
    { condition: 'Connected', judge: judgeConnection },
    {
      condition: 'CapacityAvailable',
      informational: true,
      judge: (self, world) => judgeCapacity(world.derived(storeCapacity, self.metadata.name), world),
    },
  ],
  teardown: [{ condition: 'Emptied', judge: judgeEmptied }],
  report: (status, self, world) => {
    status.capacity = capacityList(world.derived(storeCapacity, self.metadata.name))
  },
})
