import equal from 'fast-deep-equal'
import { adoptionObstacle } from '../contract/adoption.ts'
import { DriverError } from '../contract/errors.ts'
import type { MachineFacts, VolumeFacts } from '../contract/facts.ts'
import { requireClaim } from '../contract/guards.ts'
import type { Verbs } from '../contract/operation.ts'
import {
  type DomainMetadata,
  metadataNamespace,
  metadataOf,
  metadataPrefix,
  renderMetadata,
} from './domain-metadata.ts'
import { machineFacts } from './machine-facts.ts'
import { requireDefinable } from './machine-rules.ts'
import { claimed, factsOf, isActive, type Located, locate, type MachineCall, requireMachine } from './machines.ts'
import { findVolume, removeRecord, volumeFacts, writeRecord } from './volume-files.ts'
import { ownPool, type VolumeCall } from './volumes.ts'

type Arguments<V extends keyof Verbs> = Verbs[V]['arguments']

/** Writes our mark and the definition into a domain's metadata: nothing else of it changes. */
export async function adoptMachine(call: MachineCall, args: Arguments<'AdoptMachine'>): Promise<MachineFacts> {
  const { identity, epoch, mark, definition } = args
  requireDefinable(args)
  const machine = await requireMachine(call, identity, 'adopt')
  const before = claimed(machine.found)
  if (before.mark !== undefined) requireClaim(before, 'machine', { epoch, installation: mark.installation })
  const obstacle = adoptionObstacle(definition, machineFacts(machine.found, call.poolOf).definition)
  if (obstacle !== undefined) throw new DriverError('InvalidArgument', `Cannot adopt machine ${identity}: ${obstacle}`)
  const stopRequested = machine.found.next.metadata?.stopRequested ?? false
  const metadata = metadataOf(definition, { mark, epoch, stopRequested })
  const { current, next } = machine.found
  if (!equal(current.metadata, metadata) || !equal(next.metadata, metadata)) await write(call, machine, metadata)
  return await factsOf(call, identity)
}

/** Takes our metadata out of a domain: nothing else of it changes. */
export async function releaseMachine(
  call: MachineCall,
  args: Arguments<'ReleaseMachine'>,
): Promise<MachineFacts | undefined> {
  const machine = await locate(call.libvirt, args.identity, call.signal)
  if (machine === undefined) return undefined
  const before = claimed(machine.found)
  if (before.mark === undefined) return machineFacts(machine.found, call.poolOf)
  requireClaim(before, 'machine', { epoch: args.epoch, installation: call.installation })
  await write(call, machine, undefined)
  return await factsOf(call, args.identity)
}

/** Writes a record beside a volume's file, which is not touched. */
export async function adoptVolume(call: VolumeCall, args: Arguments<'AdoptVolume'>): Promise<VolumeFacts> {
  const { identity, epoch, mark } = args
  const found = await findVolume(call.directory, identity)
  if (found === undefined) {
    throw new DriverError('NotFound', `Cannot adopt volume ${identity}: it is not in ${call.directory}`)
  }
  const facts = volumeFacts(identity, found)
  if (found.header.format !== 'QCOW2') {
    throw new DriverError(
      'Unsupported',
      `Cannot adopt volume ${identity}: its format is ${found.header.format}, not QCOW2`,
    )
  }
  if (facts.mark !== undefined) requireClaim(facts, 'volume', { epoch, installation: mark.installation })
  // A directory with a volume of ours is a pool of ours.
  await ownPool(call)
  const record = { ...found.record, identity, mark, epoch, state: 'Ready' } as const
  if (!equal(record, found.record)) await writeRecord(call.directory, record)
  return volumeFacts(identity, { ...found, record })
}

/** Removes the record beside a volume's file, which stays. */
export async function releaseVolume(
  call: VolumeCall,
  args: Arguments<'ReleaseVolume'>,
): Promise<VolumeFacts | undefined> {
  const { identity, epoch } = args
  const found = await findVolume(call.directory, identity)
  if (found === undefined) return undefined
  const facts = volumeFacts(identity, found)
  if (facts.mark === undefined) return facts
  requireClaim(facts, 'volume', { epoch, installation: call.installation })
  if (facts.trashedAt !== undefined) {
    throw new DriverError('FailedPrecondition', `Cannot release volume ${identity}: it is in the trash`)
  }
  await removeRecord(call.directory, identity)
  return volumeFacts(identity, { header: found.header })
}

/** Replaces our metadata, or takes it out; in what runs and in what its next start will use. */
async function write(call: MachineCall, machine: Located, metadata: DomainMetadata | undefined): Promise<void> {
  await call.libvirt.setMetadata(
    machine.handle,
    {
      xml: metadata === undefined ? undefined : renderMetadata(metadata, 'Alone'),
      prefix: metadataPrefix,
      namespace: metadataNamespace,
      live: isActive(machine.found.state),
    },
    call.signal,
  )
}
