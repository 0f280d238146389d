import type { Random } from '../../crds/environment.ts'
import type { DriverErrorCode } from '../contract/errors.ts'
import type { Verb } from '../contract/operation.ts'

/**
 * What a fault can be scripted on: any verb, a listing, an event on its way to the listeners, or a migration that was
 * begun (it fails halfway, or `After` all was copied; hangs; or takes longer).
 */
export type FaultTarget = Verb | 'Inventory' | 'SignOfLife' | 'Event' | 'Migration'

/**
 * What goes wrong.
 * `Fail`: the call fails with `code`. `LoseReply`: the connection breaks (`Unavailable`, in doubt).
 * `Hang`: nothing more is heard of it. `Delay`: it takes `milliseconds` longer.
 * `Duplicate`: the request arrives a second time, `milliseconds` later; an event is delivered twice.
 * `WrongAnswer`: it takes effect, but the answer tells what was before.
 * `Drop`: the event is lost (events only).
 */
export type FaultEffect = 'Fail' | 'LoseReply' | 'Hang' | 'Delay' | 'Duplicate' | 'WrongAnswer' | 'Drop'

/** A scripted fault. What is left out matches everything. */
export interface Fault {
  readonly verb?: FaultTarget
  /** An endpoint's key or name. */
  readonly endpoint?: string
  readonly identity?: string
  /** How many calls it meets. Default 1; `Infinity` for all. */
  readonly times?: number
  /** How many matching calls it lets pass first. Default 0. */
  readonly skip?: number
  /** The chance that a matching call is met, 0 to 1. Default 1. */
  readonly probability?: number
  /** Before or after the effect on the world. Default `Before`. */
  readonly when?: 'Before' | 'After'
  readonly effect: FaultEffect
  /** For `Fail`. Default `Internal`. */
  readonly code?: DriverErrorCode
  /** For `Delay` and `Duplicate`, in ms. Default 0. */
  readonly milliseconds?: number
}

/** A call that faults are looked up for. */
export interface FaultySubject {
  readonly verb: FaultTarget
  /** The endpoint's key. */
  readonly endpoint: string
  /** The endpoint's name. */
  readonly name: string
  readonly identity?: string
}

/** A fault that has been added. */
export interface ScriptedFault extends Disposable {
  readonly fault: Fault
  /** How many calls it has met so far. */
  readonly met: number
  /** Takes the fault back. */
  remove(): void
}

interface Entry {
  readonly fault: Fault
  left: number
  skip: number
  met: number
}

const callEffects: readonly FaultEffect[] = ['Fail', 'LoseReply', 'Hang', 'Delay', 'Duplicate', 'WrongAnswer']
const eventEffects: readonly FaultEffect[] = ['Drop', 'Duplicate', 'Delay']
const migrationEffects: readonly FaultEffect[] = ['Fail', 'Hang', 'Delay']

/** The faults that wait for their calls. The oldest that matches a call meets it. */
export class Faults {
  readonly #random: Random
  readonly #entries = new Set<Entry>()

  constructor(random: Random) {
    this.#random = random
  }

  /** Scripts a fault. Throws `RangeError` where no such call or event can meet such a fate. */
  add(fault: Fault): ScriptedFault {
    const possible = possibleEffects(fault.verb)
    if (!possible.includes(fault.effect)) {
      const what = fault.verb ?? 'every call'
      throw new RangeError(`Cannot script ${fault.effect} on ${what}: it can meet ${possible.join(', ')}`)
    }
    const entry: Entry = { fault, left: fault.times ?? 1, skip: fault.skip ?? 0, met: 0 }
    const remove = () => void this.#entries.delete(entry)
    this.#entries.add(entry)
    return {
      fault,
      get met() {
        return entry.met
      },
      remove,
      [Symbol.dispose]: remove,
    }
  }

  /** Takes all faults back. */
  clear(): void {
    this.#entries.clear()
  }

  /** The faults that still wait. */
  list(): readonly { readonly fault: Fault; readonly met: number }[] {
    return [...this.#entries].map(({ fault, met }) => ({ fault, met }))
  }

  /** The fault that meets this call, if any; it counts as used. */
  take(subject: FaultySubject): Fault | undefined {
    if (this.#entries.size === 0) return undefined
    for (const entry of this.#entries) {
      if (!matches(entry.fault, subject)) continue
      if (entry.skip > 0) {
        entry.skip--
        continue
      }
      if (entry.fault.probability !== undefined && this.#random.next() >= entry.fault.probability) continue
      entry.met++
      entry.left--
      if (entry.left <= 0) this.#entries.delete(entry)
      return entry.fault
    }
    return undefined
  }
}

/** What can go wrong with calls of a verb (left out: any), with events, or with migrations. */
export function possibleEffects(verb?: FaultTarget): readonly FaultEffect[] {
  if (verb === 'Event') return eventEffects
  return verb === 'Migration' ? migrationEffects : callEffects
}

function matches(fault: Fault, subject: FaultySubject): boolean {
  // An event or a migration is only met by a fault that says so: a fault on "everything" is one on calls.
  const isCall = subject.verb !== 'Event' && subject.verb !== 'Migration'
  if (fault.verb === undefined ? !isCall : fault.verb !== subject.verb) return false
  if (fault.identity !== undefined && fault.identity !== subject.identity) return false
  return fault.endpoint === undefined || fault.endpoint === subject.endpoint || fault.endpoint === subject.name
}
