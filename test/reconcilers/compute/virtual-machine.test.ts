import test from 'ava'
import { VirtualMachine } from '../../../crds/compute/virtual-machine.ts'
import type { Resource } from '../../../crds/meta.ts'
import { Volume } from '../../../crds/storage/volume.ts'
import { virtualMachineReconciler } from '../../../reconcilers/compute/virtual-machine.ts'
import { volumeFacts } from '../fact-builders.ts'
import { physicalNetwork, zone } from '../infrastructure-builders.ts'
import { created, host1, networkWorld, served } from '../network/network-world.ts'
import { silent } from '../observed-tables.ts'
import { machine, network, offering, template, volume } from '../tenant-builders.ts'
import {
  address,
  attachment,
  judgeMachine,
  machineWorld,
  place,
  placedVolume,
  root,
  show,
  whole,
  withData,
} from './machine-world.ts'
import { brief } from './power-situations.ts'

const webNIC = { name: 'web', networkName: 'web', secondaryIPs: [], securityGroupNames: [] } as const
const leaving = { deletionTimestamp: '2026-11-02T11:00:00Z', finalizers: ['x'] }
const other = machine({ name: 'other', volumes: [{ name: 'data', volumeName: 'data-1' }] })

interface Case {
  readonly title: string
  readonly world: () => ReturnType<typeof whole>
  readonly condition: string
  readonly expected: string
  readonly message?: RegExp
}

/** A machine without a place, in a cloud with these objects. */
function unplaced(...objects: readonly Resource[]) {
  const world = machineWorld([root, ...objects])
  world.drop(place, address)
  return world
}

const elsewhere = network({ name: 'far', zoneName: 'zone-b', cidr: '10.9.0.0/24' })

test('INF-039 a network of another zone is refused, with the field and the mend', t => {
  const self = machine({ nics: [{ ...webNIC, networkName: 'far' }] })
  const world = machineWorld([self, root, elsewhere, zone({ name: 'zone-b' })])
  const { AddressesAllocated, NetworkReady } = judgeMachine(world)
  t.is(brief(AddressesAllocated ?? fail()), 'blocked ZoneDiffers')
  t.is(
    AddressesAllocated?.message,
    'spec.nics[web].networkName: "far" is in zone "zone-b", the machine in "zone-a": choose a network of its zone',
  )
  t.is(brief(NetworkReady ?? fail()), 'blocked ZoneDiffers')
})

test('an offering with a rate that no driver keeps is refused by name', t => {
  const verdict = judgeMachine(unplaced(offering({ networkRateMbps: 100 }))).Scheduled ?? fail()
  t.is(brief(verdict), 'blocked NotSupportedYet')
  t.regex(verdict.message, /has networkRateMbps/)
})

const refusedSpecs: readonly (readonly [string, Resource, RegExp])[] = [
  ['userDataSecretName', machine({ userDataSecretName: 'data' }), /^spec\.userDataSecretName/],
  ['sshKeyNames', machine({ sshKeyNames: ['mine'] }), /^spec\.sshKeyNames/],
  [
    'securityGroupNames',
    machine({ nics: [{ ...webNIC, securityGroupNames: ['default'] }] }),
    /^spec\.nics\[web\]\.securityGroupNames/,
  ],
]

for (const [what, object, message] of refusedSpecs) {
  test(`${what} is refused by name, before a place is taken and after`, t => {
    const before = judgeMachine(unplaced(object)).Scheduled
    t.is(brief(before ?? fail()), 'blocked NotSupportedYet')
    t.regex(before?.message ?? '', message)
    const after = judgeMachine(machineWorld([root, object]))
    t.is(brief(after.Configured ?? fail()), 'blocked NotSupportedYet')
  })
}

function fail(): never {
  throw new Error('Cannot find the condition')
}

const refusedOfferings: readonly (readonly [string, Resource, RegExp])[] = [
  ['OFF-030 cpuCap', offering({ cpuCap: true }), /has cpuCap/],
  ['OFF-020 diskLimits', offering({ diskLimits: { readIOPS: 100 } }), /has diskLimits/],
  ['provisioningType Fat', offering({ provisioningType: 'Fat' }), /provisioningType Fat/],
]

for (const [what, object, message] of refusedOfferings) {
  test(`${what}, which no driver keeps yet, is refused by name`, t => {
    const verdict = judgeMachine(unplaced(object)).Scheduled
    t.is(brief(verdict ?? fail()), 'blocked NotSupportedYet')
    t.regex(verdict?.message ?? '', message)
  })
}

const cases: readonly Case[] = [
  {
    title: 'VM-001 VM-065 VM-078 a machine takes a place before anything is done outside',
    world: () => unplaced(),
    condition: 'Scheduled',
    expected: 'acting Placing Create Create',
  },
  {
    title: 'VM-005 a machine that is Halted and never ran has no host',
    world: () => unplaced(machine({ runStrategy: 'Halted' })),
    condition: 'Scheduled',
    expected: 'satisfied NotNeeded',
  },
  {
    title: 'VM-004 and is off',
    world: () => unplaced(machine({ runStrategy: 'Halted' })),
    condition: 'PowerApplied',
    expected: 'satisfied Halted',
  },
  {
    title: 'VM-006 VM-044 without room it waits with the counts',
    world: () => unplaced(offering({ memory: '1Ti' })),
    condition: 'Scheduled',
    expected: 'waiting NoHostFits',
    message: /^None of 1 hosts fits/,
  },
  {
    title: 'OFF-029 VM-069 host tags of the offering restrict hosts',
    world: () => unplaced(offering({ hostTags: ['gpu'] })),
    condition: 'Scheduled',
    expected: 'waiting NoHostFits',
    message: /without a host tag/,
  },
  {
    title: "TPL-002 a host of another hypervisor than the template's is no place",
    world: () => unplaced(template({ images: [{ hypervisor: 'KVM', format: 'QCOW2', url: 'file:///x' }] })),
    condition: 'Scheduled',
    expected: 'waiting NoHostFits',
    message: /hypervisor/,
  },
  {
    title: 'a template that needs more memory than the offering gives is refused',
    world: () => unplaced(template({ minimumMemory: '1Gi' })),
    condition: 'Scheduled',
    expected: 'blocked OfferingTooSmall',
    message: /1Gi of memory: change spec\.serviceOfferingName/,
  },
  {
    title: 'a machine that has less from before its template wanted more keeps its place',
    world: () => whole(template({ minimumMemory: '1Gi' })),
    condition: 'Scheduled',
    expected: 'satisfied Placed',
  },
  {
    title: 'an offering that is disabled makes no new machine',
    world: () => unplaced(offering({ allocationState: 'Disabled' })),
    condition: 'Scheduled',
    expected: 'blocked OfferingDisabled',
  },
  {
    title: 'machines that exist keep it',
    world: () => whole(offering({ allocationState: 'Disabled' })),
    condition: 'Scheduled',
    expected: 'satisfied Placed',
  },
  {
    title: 'a template that is disabled makes no new machine',
    world: () => unplaced(template({ allocationState: 'Disabled' })),
    condition: 'Scheduled',
    expected: 'blocked TemplateDisabled',
  },
  {
    title: 'machines that exist run on',
    world: () => whole(template({ allocationState: 'Disabled' })),
    condition: 'Scheduled',
    expected: 'satisfied Placed',
  },
  {
    title: 'a missing offering is waited for',
    world: () => unplaced(machine({ serviceOfferingName: 'none' })),
    condition: 'Scheduled',
    expected: 'waiting OfferingNotFound',
  },
  {
    title: 'a missing data volume is waited for by name',
    world: () => unplaced(withData),
    condition: 'Scheduled',
    expected: 'waiting VolumeNotFound',
    message: /"data-1" \(disk "data"\)/,
  },
  {
    title: 'STO-076 the root volume is made with the machine',
    world: () => machineWorld([]),
    condition: 'VolumesAttached',
    expected: 'acting CreatingRootVolume Create',
  },
  {
    title: "a volume of that name that is somebody else's is never taken over",
    world: () => machineWorld([volume({ name: 'web-1-root' })]),
    condition: 'VolumesAttached',
    expected: 'blocked NameTaken',
    message: /spec\.rootVolume\.volumeName/,
  },
  {
    title: 'the root volume of an earlier machine is waited for',
    world: () => machineWorld([volume({ name: 'web-1-root', metadata: leaving })]),
    condition: 'VolumesAttached',
    expected: 'waiting RootVolumeDeleting',
  },
  {
    title: 'a template that is missing gives no root volume',
    world: () => machineWorld([machine({ templateRef: { kind: 'PublicTemplate', name: 'none' } })]),
    condition: 'VolumesAttached',
    expected: 'waiting OfferingNotFound',
  },
  {
    title: 'disks get their pools first',
    world: () => machineWorld([withData, root, volume()]),
    condition: 'VolumesAttached',
    expected: 'acting Attaching Create Create',
  },
  {
    title: 'STO-098 a volume attaches to one machine at a time; the other says whose it is',
    world: () => {
      const world = whole(other)
      world.drop(attachment(volume(), withData))
      world.put(attachment(volume(), other))
      return world
    },
    condition: 'VolumesAttached',
    expected: 'waiting VolumeInUse',
    message: /attached to machine "other"/,
  },
  {
    title: 'a disk that is not made yet is waited for',
    world: () => {
      const world = whole()
      world.see({ volumes: [] })
      return world
    },
    condition: 'VolumesAttached',
    expected: 'waiting VolumeNotProvisioned',
  },
  {
    title: 'a disk that is being deleted is waited for',
    world: () => whole(volume({ metadata: leaving })),
    condition: 'VolumesAttached',
    expected: 'waiting VolumeDeleting',
  },
  { title: 'all disks attached', world: () => whole(), condition: 'VolumesAttached', expected: 'satisfied Attached' },
  {
    title: 'all addresses taken',
    world: () => whole(),
    condition: 'AddressesAllocated',
    expected: 'satisfied Allocated',
  },
  {
    title: 'addresses that are missing are taken',
    world: () => unplaced(),
    condition: 'AddressesAllocated',
    expected: 'acting Allocating Create',
  },
  { title: 'a router that serves', world: () => whole(), condition: 'NetworkReady', expected: 'satisfied Ready' },
  {
    title: 'a router that does not serve the NIC yet is waited for',
    world: () => {
      const world = whole()
      world.see({ machines: [] })
      return world
    },
    condition: 'NetworkReady',
    expected: 'waiting RouterNotConfigured',
  },
  {
    title: 'VM-003 VM-046 a machine with all its parts starts',
    world: () => whole(),
    condition: 'PowerApplied',
    expected: 'acting Starting DefineMachine Running',
  },
  {
    title: 'without a place it does not',
    world: () => unplaced(),
    condition: 'PowerApplied',
    expected: 'waiting NotScheduled',
  },
  {
    title: 'VM-046 without a disk it does not',
    world: () => {
      const world = whole()
      world.see({ volumes: [] })
      return world
    },
    condition: 'PowerApplied',
    expected: 'waiting VolumeNotProvisioned',
  },
  {
    title: 'a machine that is nowhere is not configured',
    world: () => whole(),
    condition: 'Configured',
    expected: 'satisfied NotDefined',
  },
]

for (const { title, world, condition, expected, message } of cases) {
  test(title, t => {
    const verdict = judgeMachine(world())[condition] ?? fail()
    t.is(brief(verdict), expected)
    if (message !== undefined) t.regex(verdict.message, message)
  })
}

test('a zone without what a NIC or the user data needs says so by field', t => {
  const capabilities = { capabilities: ['MachineDefine', 'VirtualRouter'] } as const
  const vxlan = networkWorld([...served(), root], { capabilities })
  vxlan.drop(place)
  const verdict = judgeMachine(vxlan).Scheduled ?? fail()
  t.is(brief(verdict), 'blocked NotSupportedYet')
  t.regex(verdict.message, /^spec\.nics\[web\].*SegmentVXLAN$/)
  const flat = physicalNetwork({ isolation: 'None', segments: [] })
  const data = networkWorld([...served(), root, flat, machine({ userData: 'x' })], { capabilities })
  data.drop(place)
  t.regex(judgeMachine(data).Scheduled?.message ?? '', /^spec\.userData.*UserData$/)
})

test("a zone whose hosts carry no router: its machines say so by the offering's field", t => {
  const capabilities = { capabilities: ['MachineDefine', 'SegmentVXLAN'] } as const
  const world = networkWorld([network(), machine(), root, address], { capabilities })
  const verdict = judgeMachine(world).NetworkReady ?? fail()
  t.is(brief(verdict), 'blocked NotSupportedYet')
  t.regex(verdict.message, /^NetworkOffering "isolated-source-nat" spec\.services\[\]\.provider/)
})

test("VM-002 VM-018 the definition has the offering's size, the guest's name, disks and NICs", t => {
  const world = whole()
  const { definition } = show(world)
  t.like(definition, { role: 'Instance', cores: 1, clockMHz: 1000, memoryBytes: 512 * 2 ** 20, guestHostName: 'web-1' })
  t.deepEqual(
    definition.disks.map(({ name }) => name),
    ['root', 'data'],
  )
  t.deepEqual(
    definition.nics.map(({ addresses }) => addresses),
    [['10.1.1.20']],
  )
  t.is(brief(judgeMachine(world).Configured ?? fail()), 'satisfied AsDescribed')
  t.is(brief(judgeMachine(world).PowerApplied ?? fail()), 'satisfied Running')
})

test("VM-012 STO-076 the size of the root disk: its own, else the offering's, else the template's", t => {
  const sizeOf = (...objects: readonly Resource[]) => {
    const verdict = judgeMachine(machineWorld(objects)).VolumesAttached
    if (verdict?.is !== 'acting') return undefined
    const [effect] = verdict.effects
    return effect?.effect === 'Create' ? (effect.object.spec as { readonly size?: string }).size : undefined
  }
  t.is(sizeOf(), '8Gi')
  t.is(sizeOf(offering({ rootDiskSize: '16Gi' })), '16Gi')
  t.is(sizeOf(machine({ rootVolume: { size: '32Gi' } }), offering({ rootDiskSize: '16Gi' })), '32Gi')
  t.is(sizeOf(machine({ rootVolume: { diskOfferingName: 'data-20g' } })), undefined)
})

test('a root volume that exists already is used, and none is made', t => {
  const own = machine({ rootVolume: { volumeName: 'data-1' } })
  const world = machineWorld([own, volume()])
  t.deepEqual(created(judgeMachine(world).VolumesAttached), [`volume-${volume().metadata.uid}`])
})

test('VM-115 VM-116 another offering waits for the next stop; a running machine is left as it is', t => {
  const world = whole(offering({ name: 'large', memory: '1Gi' }))
  show(world)
  world.put(machine({ ...withData.spec, serviceOfferingName: 'large' }))
  const verdict = judgeMachine(world).Configured ?? fail()
  t.is(brief(verdict), 'waiting WaitsForRestart')
  t.regex(verdict.message, /spec\.serviceOfferingName\.memory \(now 512Mi, wished 1Gi\)/)
  t.is(brief(judgeMachine(world).Scheduled ?? fail()), 'satisfied Placed')
})

test('VM-116 a machine that is off takes its new definition at once, within its new claim', t => {
  const world = whole(offering({ name: 'large', memory: '1Gi' }))
  show(world, { powerState: 'Off', stopCause: 'Request' })
  world.put(machine({ ...withData.spec, serviceOfferingName: 'large', runStrategy: 'Halted' }))
  t.is(brief(judgeMachine(world).Scheduled ?? fail()), 'acting Resizing Update')
  t.is(brief(judgeMachine(world).Configured ?? fail()), 'acting Changing DefineMachine')
})

test('a machine does not start while its place is being resized', t => {
  const world = whole(offering({ name: 'large', memory: '1Gi' }))
  show(world, { powerState: 'Off', stopCause: 'Crash' })
  world.put(machine({ ...withData.spec, serviceOfferingName: 'large' }))
  t.is(brief(judgeMachine(world).PowerApplied ?? fail()), 'waiting Resizing')
})

test('STO-105 VM-198 disks and NICs come and go while the machine runs', t => {
  const world = whole()
  show(world)
  world.put(machine({ volumes: [] }))
  const verdict = judgeMachine(world).Configured ?? fail()
  t.is(brief(verdict), 'acting Changing DefineMachine')
  t.regex(verdict.message, /spec\.volumes/)
  t.is(brief(judgeMachine(world).VolumesAttached ?? fail()), 'waiting Detaching')
  show(world)
  t.is(brief(judgeMachine(world).VolumesAttached ?? fail()), 'acting Detaching Delete')
})

test('STO-098 a disk whose attachment another machine holds is never in the definition', t => {
  const world = whole(other)
  world.drop(attachment(volume(), withData))
  world.put(attachment(volume(), other))
  t.deepEqual(
    show(world).definition.disks.map(({ name }) => name),
    ['root'],
  )
  t.is(brief(judgeMachine(world).Configured ?? fail()), 'satisfied AsDescribed')
})

test('a disk that is attached stays attached while its volume is being deleted', t => {
  const world = whole()
  show(world)
  world.put(volume({ metadata: leaving }))
  t.deepEqual(
    show(world).definition.disks.map(({ name }) => name),
    ['root', 'data'],
  )
})

test('a new disk that is not there yet keeps no crashed machine down', t => {
  const world = machineWorld([machine(), root, placedVolume(root), attachment(root, withData)], [volumeFacts(root)])
  show(world, { powerState: 'Off', stopCause: 'Crash' })
  world.put(withData, volume(), placedVolume(volume()), attachment(volume(), withData))
  t.is(brief(judgeMachine(world).PowerApplied ?? fail()), 'acting Restarting StartMachine')
})

test('VM-039 VM-040 STO-135 STO-136 deleted: off, gone, then address and root disk go; data disks stay', t => {
  const world = whole()
  show(world, { powerState: 'Off' })
  t.is(brief(judgeMachine(world, 'teardown').PowerApplied ?? fail()), 'acting Removing RemoveMachine')
  world.see({ machines: [] })
  t.is(brief(judgeMachine(world, 'teardown').PowerApplied ?? fail()), 'satisfied Removed')
  t.is(brief(judgeMachine(world, 'teardown').Scheduled ?? fail()), 'acting Releasing Delete')
  world.drop(place)
  t.is(brief(judgeMachine(world, 'teardown').Scheduled ?? fail()), 'satisfied Released')
  const verdict = judgeMachine(world, 'teardown').VolumesAttached ?? fail()
  t.is(brief(verdict), 'acting Returning Delete Delete Delete')
  if (verdict.is === 'acting') world.apply(verdict.effects)
  const rest = judgeMachine(world, 'teardown').VolumesAttached ?? fail()
  t.is(brief(rest), 'acting Returning Delete')
  if (rest.is === 'acting') world.apply(rest.effects)
  t.truthy(world.desired.get(Volume, 'data-1', 'shop'))
  t.is(world.desired.get(Volume, 'web-1-root', 'shop'), undefined)
  t.is(brief(judgeMachine(world, 'teardown').VolumesAttached ?? fail()), 'satisfied Returned')
})

test('deleted while its host is silent: nothing is given back before a proof', t => {
  const world = whole()
  show(world)
  world.see({ endpoints: { [host1]: silent('2026-11-02T11:00:00Z') } })
  t.is(brief(judgeMachine(world, 'teardown').PowerApplied ?? fail()), 'waiting HostSilent')
})

test('the status has host, power, addresses, disks and what waits', t => {
  const world = whole(offering({ name: 'large', cores: 2 }))
  show(world)
  world.put(machine({ ...withData.spec, serviceOfferingName: 'large' }))
  const self = world.desired.get(VirtualMachine, 'web-1', 'shop')
  const status: Parameters<NonNullable<typeof virtualMachineReconciler.report>>[0] = {}
  if (self !== undefined) virtualMachineReconciler.report?.(status, self, { ...world })
  t.like(status, { hostName: 'host-1', powerState: 'Running' })
  t.is(status.nics?.[0]?.ipAddress, '10.1.1.20')
  t.deepEqual(
    status.volumes?.map(({ name, volumeName }) => `${name} ${volumeName}`),
    ['root web-1-root', 'data data-1'],
  )
  const differences = self === undefined ? [] : virtualMachineReconciler.fields?.(self, { ...world })?.differences
  t.deepEqual(differences, [{ path: 'spec.serviceOfferingName.cores', desired: '2', observed: '1', change: 'Restart' }])
})
