import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import equal from 'fast-deep-equal'
import { DriverError } from '../contract/errors.ts'
import type { MachineDefinition, MachineFacts } from '../contract/facts.ts'
import { requireClaim } from '../contract/guards.ts'
import type { Verbs } from '../contract/operation.ts'
import {
  type DomainOptions,
  parseDomain,
  renderDomain,
  renderHotDisk,
  renderNic,
  renderPluggedDisk,
  renderPluggedNic,
} from './domain.ts'
import { type DomainMetadata, metadataNamespace, metadataPrefix, renderMetadata } from './domain-metadata.ts'
import type { DomainHandle, Libvirt } from './libvirt.ts'
import { isLibvirtError, LibvirtError } from './libvirt-error.ts'
import { definitionOf, type FoundDomain, machineFacts, type PoolOfDirectory } from './machine-facts.ts'
import { requireDefinable } from './machine-rules.ts'
import { domainState, errorNumber, pausedReason } from './procedures.ts'
import { requireUsable, volumePath } from './volume-files.ts'

type Arguments<V extends keyof Verbs> = Verbs[V]['arguments']

/** What carrying out an operation on a host's machines needs. */
export interface MachineCall {
  readonly libvirt: Libvirt
  readonly signal: AbortSignal
  readonly installation: string | undefined
  readonly domainType: DomainOptions['type']
  readonly diskCache: DomainOptions['diskCache']
  /** Directory of the consoles' logs. */
  readonly consoleDirectory: string
  /** The directory of a pool, by its key. Throws `FailedPrecondition` where the host does not know it. */
  readonly poolDirectory: (pool: string) => Promise<string>
  readonly poolOf: PoolOfDirectory
}

/** A domain as libvirt has it. */
export interface Located {
  readonly handle: DomainHandle
  readonly found: FoundDomain
}

/** Finds a domain by its UUID; undefined where there is none. */
export async function locate(libvirt: Libvirt, uuid: string, signal: AbortSignal): Promise<Located | undefined> {
  try {
    return await read(libvirt, await libvirt.domain(uuid, signal), signal)
  } catch (error) {
    if (isLibvirtError(error, errorNumber.noDomain)) return undefined
    throw error
  }
}

/** Reads everything about a domain. Throws a `LibvirtError` (`noDomain`) when it is gone meanwhile. */
export async function read(libvirt: Libvirt, handle: DomainHandle, signal: AbortSignal): Promise<Located> {
  const { state, reason } = await libvirt.domainState(handle, signal)
  const next = parseDomain(await libvirt.domainXML(handle, 'Inactive', signal))
  const current = isActive(state) ? parseDomain(await libvirt.domainXML(handle, 'Current', signal)) : next
  return { handle, found: { current, next, state, reason } }
}

/** Defines a machine or changes its definition; a running one gets and loses disks and NICs at once. */
export async function defineMachine(call: MachineCall, args: Arguments<'DefineMachine'>): Promise<MachineFacts> {
  requireDefinable(args)
  const { libvirt, signal } = call
  const before = await locate(libvirt, args.identity, signal)
  if (before !== undefined) requireRedefinable(before.found, args)
  const options = await domainOptions(call, args.identity, args.definition)
  if (before === undefined || !isDefinedAs(before.found, args, options)) {
    await mkdir(call.consoleDirectory, { recursive: true, mode: 0o700 })
    await define(libvirt, renderDomain(args, options, before?.found.next), signal)
  }
  if (before !== undefined && isActive(before.found.state)) await plug(call, before, args.definition, options)
  if (args.power === 'Running') return await startMachine(call, args)
  return await factsOf(call, args.identity)
}

/** Starts a machine, or lets a paused one go on. */
export async function startMachine(
  call: MachineCall,
  args: { readonly identity: string; readonly epoch: number },
): Promise<MachineFacts> {
  const { libvirt, signal } = call
  const machine = await requireMachine(call, args.identity, 'start')
  requireClaim(claimed(machine.found), 'machine', { ...args, installation: call.installation })
  const { state, reason } = machine.found
  const metadata = machine.found.next.metadata
  if (isActive(state)) {
    await note(call, machine, { epoch: args.epoch })
    if (state === domainState.paused) await resume(call, machine, reason)
    return await factsOf(call, args.identity)
  }
  for (const disk of metadata?.disks ?? []) {
    await requireUsable(await call.poolDirectory(disk.pool), disk, args.identity)
  }
  await note(call, machine, { epoch: args.epoch, stopRequested: false })
  try {
    await libvirt.startDomain(machine.handle, signal)
  } catch (error) {
    // Somebody else was faster: it runs, which is what was wished.
    if (!isLibvirtError(error, errorNumber.operationInvalid)) throw explainStart(error, args.identity)
    const now = await locate(libvirt, args.identity, signal)
    if (now === undefined || !isActive(now.found.state)) throw error
  }
  return await factsOf(call, args.identity)
}

/** Presses the power button or takes the power. */
export async function stopMachine(
  call: MachineCall,
  args: Arguments<'StopMachine'>,
): Promise<MachineFacts | undefined> {
  const { libvirt, signal } = call
  const machine = await locate(libvirt, args.identity, signal)
  if (machine === undefined) return undefined
  requireClaim(claimed(machine.found), 'machine', { ...args, installation: call.installation })
  const graceful = args.mode === 'Graceful'
  const running = isActive(machine.found.state)
  // Written down before the guest is asked: when it is off, the reason must be known whoever was restarted meanwhile.
  await note(call, machine, { epoch: args.epoch, ...(graceful && running ? { stopRequested: true } : {}) })
  if (running) {
    try {
      if (graceful) await libvirt.shutdownDomain(machine.handle, signal)
      else await libvirt.destroyDomain(machine.handle, signal)
    } catch (error) {
      // It went off, or away, by itself.
      if (!isLibvirtError(error, errorNumber.operationInvalid, errorNumber.noDomain)) throw error
    }
  }
  const after = await locate(libvirt, args.identity, signal)
  return after === undefined ? undefined : machineFacts(after.found, call.poolOf)
}

/** Removes the definition of a machine that is off, and the log of its console. */
export async function removeMachine(call: MachineCall, args: Arguments<'RemoveMachine'>): Promise<undefined> {
  const { libvirt, signal } = call
  const machine = await locate(libvirt, args.identity, signal)
  if (machine !== undefined) {
    requireClaim(claimed(machine.found), 'machine', { ...args, installation: call.installation })
    if (isActive(machine.found.state)) {
      const { powerState } = machineFacts(machine.found, call.poolOf)
      throw new DriverError(
        'FailedPrecondition',
        `Cannot remove machine ${args.identity}: current state is ${powerState}`,
      )
    }
    try {
      await libvirt.undefineDomain(machine.handle, signal)
    } catch (error) {
      if (!isLibvirtError(error, errorNumber.noDomain)) throw error
    }
  }
  // virtlogd keeps up to three older parts beside it.
  const log = consoleLog(call.consoleDirectory, args.identity)
  for (const file of [log, `${log}.0`, `${log}.1`, `${log}.2`]) await rm(file, { force: true })
  return undefined
}

/** The file that gets what a machine says on its serial console. */
export function consoleLog(directory: string, identity: string): string {
  return join(directory, `${identity}.log`)
}

/** Whether a state is one of a domain that has a process. */
export function isActive(state: number): boolean {
  return state !== domainState.shutoff && state !== domainState.none && state !== domainState.crashed
}

/** A machine as it is now; throws `NotFound`. */
export async function factsOf(call: MachineCall, identity: string): Promise<MachineFacts> {
  return machineFacts((await requireMachine(call, identity, 'read')).found, call.poolOf)
}

/** The machine of that identity; throws `NotFound`. */
export async function requireMachine(call: MachineCall, identity: string, what: string): Promise<Located> {
  const machine = await locate(call.libvirt, identity, call.signal)
  if (machine !== undefined) return machine
  throw new DriverError('NotFound', `Cannot ${what} machine ${identity}: it is not defined on this host`)
}

/** Whose a machine is, and under which epoch it was last changed. */
export function claimed(found: FoundDomain) {
  return {
    identity: found.next.uuid,
    mark: found.next.metadata?.mark ?? found.current.metadata?.mark,
    epoch: Math.max(found.next.metadata?.epoch ?? 0, found.current.metadata?.epoch ?? 0),
  }
}

function requireRedefinable(found: FoundDomain, args: Arguments<'DefineMachine'>): void {
  const { mark, definition } = args
  const now = claimed(found)
  requireClaim({ ...now, epoch: 0 }, 'machine', { epoch: args.epoch, installation: mark.installation })
  const role = found.next.metadata?.role
  if (now.mark?.kind !== mark.kind || role !== definition.role) {
    throw new DriverError(
      'AlreadyExists',
      `Cannot define machine ${args.identity} as ${mark.kind} of role ${definition.role}: ` +
        `it is ${now.mark?.kind} of role ${role}`,
    )
  }
  requireClaim(now, 'machine', { epoch: args.epoch, installation: mark.installation })
}

/** Whether its next start would be exactly what is wished. */
function isDefinedAs(found: FoundDomain, args: Arguments<'DefineMachine'>, options: DomainOptions): boolean {
  const { next } = found
  if (next.metadata?.epoch !== args.epoch || !equal(next.metadata.mark, args.mark)) return false
  const paths = args.definition.disks.map(options.diskPath)
  if (!paths.every(path => next.disks.some(disk => disk.path === path))) return false
  const poolOf = (directory: string) =>
    args.definition.disks.find(disk => dirname(options.diskPath(disk)) === directory)?.pool
  return equal(definitionOf({ ...found, current: next }, poolOf), args.definition)
}

async function domainOptions(
  call: MachineCall,
  identity: string,
  definition: MachineDefinition,
): Promise<DomainOptions> {
  const directories = new Map<string, string>()
  for (const { pool } of definition.disks) {
    if (!directories.has(pool)) directories.set(pool, await call.poolDirectory(pool))
  }
  return {
    type: call.domainType,
    diskPath: disk => volumePath(directories.get(disk.pool) ?? '', disk.identity),
    diskCache: call.diskCache,
    consoleLog: consoleLog(call.consoleDirectory, identity),
  }
}

async function define(libvirt: Libvirt, xml: string, signal: AbortSignal): Promise<void> {
  try {
    await libvirt.defineDomain(xml, signal)
  } catch (error) {
    if (!isLibvirtError(error, errorNumber.operationFailed) || !(error instanceof Error)) throw error
    if (!error.message.includes('already exists with uuid')) throw error
    throw new DriverError('AlreadyExists', `Cannot define the machine: ${error.message}`, { cause: error })
  }
}

/** Gives a running machine the disks and NICs it lacks and takes those it should not have. */
async function plug(
  call: MachineCall,
  machine: Located,
  definition: MachineDefinition,
  options: DomainOptions,
): Promise<void> {
  const { libvirt, signal } = call
  let running = machine.found.current
  const wished = definition.disks.map(options.diskPath)
  for (const nic of running.nics) {
    if (definition.nics.some(each => each.macAddress === nic.macAddress && each.segment.label === nic.bridge)) continue
    await libvirt.detachDevice(machine.handle, renderPluggedNic(nic), signal)
  }
  for (const disk of running.disks) {
    if (wished.includes(disk.path)) continue
    await libvirt.detachDevice(machine.handle, renderPluggedDisk(disk), signal)
  }
  for (const disk of definition.disks) {
    if (running.disks.some(each => each.path === options.diskPath(disk))) continue
    await requireUsable(await call.poolDirectory(disk.pool), disk, machine.found.next.uuid)
    await libvirt.attachDevice(machine.handle, renderHotDisk(disk, options, running), signal)
    running = parseDomain(await libvirt.domainXML(machine.handle, 'Current', signal))
  }
  for (const nic of definition.nics) {
    const plugged = running.nics.find(each => each.macAddress === nic.macAddress)
    if (plugged?.bridge === nic.segment.label) continue
    await libvirt.attachDevice(machine.handle, renderNic(nic), signal)
  }
}

/** Notes in the domain what must be known whatever happens next. */
async function note(
  call: MachineCall,
  machine: Located,
  changes: Partial<Pick<DomainMetadata, 'epoch' | 'stopRequested'>>,
): Promise<void> {
  const metadata = machine.found.next.metadata
  if (metadata === undefined) return
  const changed = { ...metadata, ...changes }
  if (changed.epoch === metadata.epoch && changed.stopRequested === metadata.stopRequested) return
  await call.libvirt.setMetadata(
    machine.handle,
    {
      xml: renderMetadata(changed, 'Alone'),
      prefix: metadataPrefix,
      namespace: metadataNamespace,
      live: isActive(machine.found.state),
    },
    call.signal,
  )
}

async function resume(call: MachineCall, machine: Located, reason: number): Promise<void> {
  // Both sides of a migration are paused for a moment: neither is ours to let go.
  const migrating: readonly number[] = [pausedReason.migration, pausedReason.postCopy, pausedReason.postCopyFailed]
  const { uuid } = machine.found.next
  if (migrating.includes(reason)) {
    throw new DriverError('FailedPrecondition', `Cannot start machine ${uuid}: it is paused because it moves`)
  }
  if (reason === pausedReason.startingUp) {
    throw new DriverError('Aborted', `Cannot start machine ${uuid}: an earlier start is still under way`)
  }
  await call.libvirt.resumeDomain(machine.handle, call.signal)
}

/** libvirt tells most of what goes wrong at a start as an internal error: the cause is in the text. */
function explainStart(error: unknown, identity: string): unknown {
  if (!(error instanceof LibvirtError)) return error
  const { message } = error
  const waits = [
    /Cannot get interface MTU on '[^']*'/,
    /Failed to get "?(write|consistent read|shared)[^"]*"? ?lock/i,
    /Could not open '[^']*'|Cannot access storage file/,
  ]
  if (waits.some(pattern => pattern.test(message))) {
    return new DriverError('FailedPrecondition', `Cannot start machine ${identity}: ${message}`, { cause: error })
  }
  if (/[Cc]annot (set up guest|allocate) memory/.test(message)) {
    return new DriverError('ResourceExhausted', `Cannot start machine ${identity}: ${message}`, { cause: error })
  }
  return error
}
