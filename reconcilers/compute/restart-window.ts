import type { RestartWindow, Weekday } from '../../crds/common.ts'
import type { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { parseDuration } from '../../crds/invariants/duration.ts'
import { machineClaim } from '../claims.ts'
import type { Wish, World } from '../world.ts'

type Machine = Wish<typeof VirtualMachine>

const day = 86_400_000
const weekdays: readonly Weekday[] = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** The window in which a machine may be restarted; undefined where it has none, or is not to be started again. */
export function restartWindowOf({ spec }: Machine): RestartWindow | undefined {
  return spec.runStrategy === 'Always' || spec.runStrategy === 'OnFailure' ? spec.restartWindow : undefined
}

/** Whether the machine is being restarted in its window: its guest was asked to shut down for that. */
export function isRestarting(machine: Machine, world: World): boolean {
  const notes = machineClaim(world.identity(machine), world)?.spec.notes
  return notes?.restartRequestedAt !== undefined && notes.stopRequestedAt !== undefined
}

/** Whether the window is open and no restart was begun in it yet. While it is closed, wakes when it opens. */
export function isRestartDue(machine: Machine, world: World): boolean {
  const window = restartWindowOf(machine)
  if (window === undefined) return false
  const { open, next } = occurrences(window, Date.parse(world.now()))
  if (open === undefined) {
    world.elapsed(new Date(next).toISOString(), 0)
    return false
  }
  const last = machineClaim(world.identity(machine), world)?.spec.notes?.restartRequestedAt
  if (last === undefined || Date.parse(last) < open) return true
  world.elapsed(new Date(next).toISOString(), 0)
  return false
}

/** When the window that is open at the moment began, in ms; and when the next one begins. */
export function occurrences(
  { days, start, duration }: RestartWindow,
  now: number,
): { readonly open: number | undefined; readonly next: number } {
  const length = parseDuration(duration)
  const [hours = 0, minutes = 0] = start.split(':').map(Number)
  const midnight = Math.floor(now / day) * day
  const begins = Array.from({ length: 9 }, (_, index) => midnight + (index - 1) * day + (hours * 60 + minutes) * 60_000)
  const wished = begins.filter(begin => days?.includes(weekdays[new Date(begin).getUTCDay()] ?? 'Sunday') ?? true)
  return {
    open: wished.findLast(begin => begin <= now && now < begin + length),
    next: wished.find(begin => begin > now) ?? now + 7 * day,
  }
}
