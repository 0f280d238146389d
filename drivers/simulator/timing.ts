import type { Random } from '../../crds/environment.ts'
import type { Verb } from '../contract/operation.ts'

/**
 * What takes time in the simulated world: every verb, a listing, a guest's way down, a host's boot, how long it takes
 * until a connection notices that nobody is at the other end, a migration (for each GiB of memory) and the pause at its
 * end.
 */
export type TimedStep =
  | Verb
  | 'Inventory'
  | 'SignOfLife'
  | 'Watchdog'
  | 'GuestShutdown'
  | 'HostBoot'
  | 'KeepAlive'
  | 'Migration'
  | 'MigrationPause'

/** How long each step takes, in ms, before jitter. */
export type Timing = Readonly<Record<TimedStep, number>>

/** Small times of the right proportions: enough that things overlap, not so long that anybody waits. */
export const defaultTiming: Timing = {
  DefineMachine: 20,
  AdoptMachine: 20,
  ReleaseMachine: 20,
  StartMachine: 40,
  StopMachine: 20,
  RemoveMachine: 20,
  ConfigureRouter: 60,
  CreateVolume: 60,
  AdoptVolume: 20,
  ReleaseVolume: 20,
  ResizeVolume: 20,
  TrashVolume: 10,
  RestoreVolume: 10,
  DeleteVolume: 20,
  StoreImage: 300,
  DeleteImage: 20,
  SetPower: 100,
  MigrateMachine: 40,
  CancelMigration: 20,
  Migration: 800,
  MigrationPause: 30,
  Inventory: 10,
  SignOfLife: 10,
  GuestShutdown: 500,
  HostBoot: 2000,
  KeepAlive: 15_000,
  Watchdog: 25_000,
}

/** Everything at once, for benchmarks: no timer is set at all. */
export const noTiming: Timing = {
  DefineMachine: 0,
  AdoptMachine: 0,
  ReleaseMachine: 0,
  StartMachine: 0,
  StopMachine: 0,
  RemoveMachine: 0,
  ConfigureRouter: 0,
  CreateVolume: 0,
  AdoptVolume: 0,
  ReleaseVolume: 0,
  ResizeVolume: 0,
  TrashVolume: 0,
  RestoreVolume: 0,
  DeleteVolume: 0,
  StoreImage: 0,
  DeleteImage: 0,
  SetPower: 0,
  MigrateMachine: 0,
  CancelMigration: 0,
  Migration: 0,
  MigrationPause: 0,
  Inventory: 0,
  SignOfLife: 0,
  GuestShutdown: 0,
  HostBoot: 0,
  KeepAlive: 0,
  Watchdog: 0,
}

/** The length of one step in ms: up to a fifth shorter or longer than the table says, 0 where the table says 0. */
export function duration(timing: Timing, step: TimedStep, random: Random): number {
  const mean = timing[step]
  return mean === 0 ? 0 : mean * (0.8 + 0.4 * random.next())
}

/** How long the memory of a machine takes to its next host, in ms. */
export function migrationTime(
  machine: { readonly memoryBytes: number; readonly bandwidthMbps?: number | undefined },
  { timing, random }: { readonly timing: Timing; readonly random: Random },
): number {
  const { memoryBytes, bandwidthMbps } = machine
  const full = duration(timing, 'Migration', random) * (memoryBytes / 2 ** 30)
  if (full === 0 || bandwidthMbps === undefined) return full
  return Math.max(full, (memoryBytes * 8) / (bandwidthMbps * 1000))
}
