import type { Verdict } from '../../reconcilers/verdict.ts'
import type { OperationState } from '../../reconcilers/world.ts'
import type { ToldFailure } from '../observation/failures.ts'
import type { History } from '../records/recorder.ts'

/** An object as people name it. */
export interface Named {
  readonly kind: string
  readonly namespace?: string
  readonly name: string
}

/** What the condition Ready of an object says. `Missing`: there is no such object. */
export interface Standing {
  readonly ready: 'True' | 'False' | 'Unknown' | 'Missing'
  readonly reason: string
  readonly message: string
  /** Since when it is so (RFC 3339). */
  readonly since?: string
}

/** What a phase waits for: another object, an endpoint that does not answer, an operation in doubt. */
export type Cause =
  | {
      readonly type: 'Object'
      readonly object: Named
      readonly standing: Standing
      /** Why it is not Ready itself: the phase that Ready quotes. Empty where it is Ready, or where it was told before. */
      readonly phases: readonly PhaseExplanation[]
      /** Told elsewhere in this explanation, or too deep. */
      readonly cut?: true
    }
  | {
      readonly type: 'Endpoint'
      readonly endpoint: string
      /** For people: `Host host-1`. */
      readonly name: string
      /** `No`: it does not answer. `NotListed`: this process has not read it yet. */
      readonly state: 'No' | 'NotListed'
      readonly since?: string
      readonly message?: string
    }
  | { readonly type: 'InDoubt'; readonly identity: string; readonly endpoints: readonly string[] }

/** What one phase says. */
export interface PhaseExplanation {
  readonly condition: string
  readonly verdict: Verdict['is']
  readonly reason: string
  readonly message: string
  /** The condition's last change, as its status tells it. */
  readonly since?: string
  /** `Ready` does not depend on it. */
  readonly informational?: true
  /** What it would do next: verbs of operations at endpoints, and writes. */
  readonly wants?: readonly string[]
  /** In how many ms it asks to be judged again. */
  readonly recheckMs?: number
  /** What it read and rests on that is not well. Only of phases that are not satisfied. */
  readonly causes: readonly Cause[]
  /** How many more there are. */
  readonly moreCauses?: number
}

/** A claim or scarce value that an object holds. */
export interface HeldClaim {
  readonly type: string
  readonly value: string
  readonly epoch: number
  readonly since: string
  /** The host, pool or machine that it is about. */
  readonly of?: string
}

/** An operation and where it is done. */
export interface Where extends Pick<OperationState, 'verb' | 'endpoint'> {
  /** For people: `Host host-1`. */
  readonly endpointName: string
}

/** What every host of the zone says to a machine, as of now. */
export interface PlaceExplanation {
  readonly planner: string
  /** Where it is; left out while it has no place. */
  readonly hostName?: string
  readonly hosts: readonly { readonly hostName: string; readonly refusals: readonly string[] }[]
}

/** Everything that the controllers can say about one object. */
export interface Explanation {
  readonly object: Named & { readonly uid: string; readonly generation: number }
  /** When it was told (RFC 3339). */
  readonly at: string
  readonly standing: Standing
  /** Deletion was asked for then (RFC 3339). */
  readonly deletedAt?: string
  /** The field manager that last changed the spec. */
  readonly changedBy?: string
  readonly phases: readonly PhaseExplanation[]
  readonly claims: readonly HeldClaim[]
  readonly place?: PlaceExplanation
  /** Running at this moment, with the verb and where. */
  readonly running: readonly Where[]
  readonly failures: readonly (ToldFailure & Where)[]
  /** In how many ms it is judged again though nothing changes; left out where nothing is planned. */
  readonly dueInMs?: number
  readonly failedPasses: number
  readonly queue?: { readonly queue: string; readonly position: number; readonly length: number }
  readonly history: History
}
