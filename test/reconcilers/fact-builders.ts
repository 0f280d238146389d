/** Builders of what drivers report. */
import type { Resource } from '../../crds/meta.ts'
import type { HostFacts, MachineFacts, VolumeFacts } from '../../drivers/contract/facts.ts'

/** What a builder's host reports of itself. */
export function hostFacts(changes: Partial<HostFacts> = {}): HostFacts {
  return {
    hypervisorVersion: 'Simulator 1.0',
    cores: 16,
    clockMHz: 2400,
    memoryBytes: 64 * 2 ** 30,
    capabilities: [
      'MachineDefine',
      'GracefulStop',
      'LiveAttach',
      'VirtualRouter',
      'SystemVM',
      'SegmentVLAN',
      'SegmentVXLAN',
      'UserData',
    ],
    ...changes,
  }
}

/** What a host reports of a builder's machine: running, as its mark says ours. */
export function machineFacts(object: Resource, changes: Partial<MachineFacts> = {}): MachineFacts {
  const { name, namespace, uid } = object.metadata
  return {
    identity: uid,
    mark: {
      installation: 'installation-1',
      kind: object.kind,
      ...(namespace === undefined ? {} : { namespace }),
      name,
    },
    epoch: 1,
    powerState: 'Running',
    definition: {
      role: 'Instance',
      cores: 1,
      clockMHz: 1000,
      memoryBytes: 512 * 2 ** 20,
      guestHostName: name,
      disks: [],
      nics: [],
    },
    ...changes,
  }
}

/** What a pool reports of a builder's volume. */
export function volumeFacts(object: Resource, changes: Partial<VolumeFacts> = {}): VolumeFacts {
  const { name, namespace, uid } = object.metadata
  return {
    identity: uid,
    mark: {
      installation: 'installation-1',
      kind: object.kind,
      ...(namespace === undefined ? {} : { namespace }),
      name,
    },
    epoch: 1,
    sizeBytes: 20 * 2 ** 30,
    format: 'QCOW2',
    ...changes,
  }
}
