/** Builders of Allocations. */
import {
  Allocation,
  type AllocationSpec,
  type Holder,
  type MachineClaim,
  type VolumeClaim,
} from '../../crds/infrastructure/allocation.ts'
import type { Resource } from '../../crds/meta.ts'
import { type Changes, resource, uidOf } from './resource-builder.ts'

/** The holder entry of a builder's resource. */
export function holder(object: Resource): Holder {
  const { name, namespace, uid } = object.metadata
  const group = object.apiVersion.slice(0, object.apiVersion.indexOf('/'))
  return { group, kind: object.kind, ...(namespace === undefined ? {} : { namespace }), name, uid }
}

/** An Allocation; its name follows from type, realm and value. */
export function allocation(
  changes: Changes<AllocationSpec> & Pick<AllocationSpec, 'type' | 'value' | 'holder'>,
): Resource<AllocationSpec> {
  const { type, realm, value } = changes
  const name = [type.toLowerCase(), ...(realm === undefined ? [] : [realm]), value].join('-')
  return resource(Allocation, { name, spec: { epoch: 1, type, value, holder: changes.holder } }, changes)
}

/** The claim of a machine on a builder's host: 1 core of 1000 MHz, 512 MiB unless said otherwise. */
export function machineClaim(object: Resource, hostName: string, changes: Partial<MachineClaim> = {}) {
  const claim = {
    hostName,
    hostIdentity: uidOf('Host', hostName),
    cores: 1,
    clockMHz: 1000,
    memoryBytes: 512 * 2 ** 20,
  }
  return allocation({
    type: 'Machine',
    value: object.metadata.uid,
    holder: holder(object),
    machine: { ...claim, ...changes },
  })
}

/** The note that nothing is left over at a host or pool. */
export function inventoryNote(object: Resource) {
  return allocation({ type: 'Inventory', value: object.metadata.uid, holder: holder(object) })
}

/** The claim of a volume on a builder's pool: 20 GiB unless said otherwise. */
export function volumeClaim(object: Resource, poolName: string, changes: Partial<VolumeClaim> = {}) {
  const claim = { poolName, poolIdentity: uidOf('PrimaryStorage', poolName), sizeBytes: 20 * 2 ** 30 }
  return allocation({
    type: 'Volume',
    value: object.metadata.uid,
    holder: holder(object),
    volume: { ...claim, ...changes },
  })
}
