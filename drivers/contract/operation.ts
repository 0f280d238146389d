import type { EndpointKey } from './endpoint.ts'
import type { ImageFacts, MachineDefinition, MachineFacts, Mark, RouterDocument, VolumeFacts } from './facts.ts'

/**
 * Every verb, what it takes and what it answers. All are idempotent and take the identity from the caller.
 * `epoch` is that of the claim the caller holds: an endpoint refuses one older than it has seen (`StaleEpoch`).
 */
export interface Verbs {
  /** Defines the machine, or changes its definition. What a running machine cannot take live holds from its next start. */
  readonly DefineMachine: {
    readonly arguments: {
      readonly identity: string
      readonly epoch: number
      readonly mark: Mark
      readonly definition: MachineDefinition
      /** Handed to the guest. Secret: never logged, and left out of the operation's id. */
      readonly userData?: string
      /** `Running`: also starts it, in the same call. Default: its power stays as it is. */
      readonly power?: 'Running'
    }
    readonly answer: MachineFacts
  }
  /** Starts a defined machine; one that runs already is a success. `FailedPrecondition` while a disk is missing. */
  readonly StartMachine: {
    readonly arguments: { readonly identity: string; readonly epoch: number }
    readonly answer: MachineFacts
  }
  /** Asks the guest to shut down (`Graceful`: returns once it was asked) or takes its power (`Forced`: returns when it is off). */
  readonly StopMachine: {
    readonly arguments: { readonly identity: string; readonly epoch: number; readonly mode: 'Graceful' | 'Forced' }
    readonly answer: MachineFacts | undefined
  }
  /** Removes the definition of a machine that is off; `FailedPrecondition` when it runs. Its disks stay. */
  readonly RemoveMachine: {
    readonly arguments: { readonly identity: string; readonly epoch: number }
    readonly answer: undefined
  }
  /**
   * Begins to move a running machine to another host without stopping it. A job of the source that outlives the caller:
   * answers as soon as it has begun (`migratingTo` is then its target). Refused (`FailedPrecondition`) when the machine
   * does not run or is migrating elsewhere, or the target cannot be reached from the source; `AlreadyExists` when the
   * target has a machine of that identity.
   */
  readonly MigrateMachine: {
    readonly arguments: {
      readonly identity: string
      readonly epoch: number
      /** The endpoint of the host that it moves to. */
      readonly target: EndpointKey
      /** The most that the copying of memory may take of the network, in Mbit/s. Left out: no limit. */
      readonly bandwidthMbps?: number
    }
    readonly answer: MachineFacts
  }
  /**
   * Ends a migration at its source: the machine runs on there, and the target loses what it has of it. Without one, or
   * when the machine has left already, nothing happens. Like all others it raises the epoch: an older `MigrateMachine`
   * that arrives later is refused.
   */
  readonly CancelMigration: {
    readonly arguments: { readonly identity: string; readonly epoch: number }
    readonly answer: MachineFacts | undefined
  }
  /**
   * Puts the caller's mark on a machine that bears none, with the definition by which it is known from now on; neither
   * its processors nor its disks are touched. What is real in the definition (cores, memory, disks, MACs, segments) must be
   * as the host has it: `InvalidArgument` names the first field that is not. `NotFound` where it is missing.
   */
  readonly AdoptMachine: {
    readonly arguments: {
      readonly identity: string
      readonly epoch: number
      readonly mark: Mark
      readonly definition: MachineDefinition
    }
    readonly answer: MachineFacts
  }
  /** Takes the caller's mark off a machine, which stays as it is. One without a mark, or missing, is a success. */
  readonly ReleaseMachine: {
    readonly arguments: { readonly identity: string; readonly epoch: number }
    readonly answer: MachineFacts | undefined
  }
  /** Gives a router its whole configuration; it applies the difference. */
  readonly ConfigureRouter: {
    readonly arguments: {
      readonly identity: string
      readonly epoch: number
      readonly hash: string
      readonly document: RouterDocument
    }
    readonly answer: MachineFacts
  }
  /** Makes a volume: empty, or a clone of the image. One that exists with the same or a larger size is a success. */
  readonly CreateVolume: {
    readonly arguments: {
      readonly identity: string
      readonly epoch: number
      readonly mark: Mark
      readonly sizeBytes: number
      readonly image?: { readonly url: string; readonly format: string; readonly checksum?: string }
    }
    readonly answer: VolumeFacts
  }
  /** Grows a volume. Never shrinks: a smaller size is `InvalidArgument`. */
  readonly ResizeVolume: {
    readonly arguments: { readonly identity: string; readonly epoch: number; readonly sizeBytes: number }
    readonly answer: VolumeFacts
  }
  /** Moves a volume to the pool's trash, with its mark and the time. */
  readonly TrashVolume: {
    readonly arguments: { readonly identity: string; readonly epoch: number; readonly at: string }
    readonly answer: VolumeFacts | undefined
  }
  /** Takes a volume back from the trash. */
  readonly RestoreVolume: {
    readonly arguments: {
      readonly identity: string
      readonly epoch: number
      /** The mark that it bears from now on. Left out: the one that it had. */
      readonly mark?: Mark
    }
    readonly answer: VolumeFacts
  }
  /** Destroys a volume for good. `FailedPrecondition` while a machine on any host that the pool knows has it attached. */
  readonly DeleteVolume: {
    readonly arguments: { readonly identity: string; readonly epoch: number }
    readonly answer: undefined
  }
  /** Puts the caller's mark on a volume that bears none; its content is not touched. `NotFound` where it is missing. */
  readonly AdoptVolume: {
    readonly arguments: { readonly identity: string; readonly epoch: number; readonly mark: Mark }
    readonly answer: VolumeFacts
  }
  /**
   * Takes the caller's mark off a volume, which stays where it is. One without a mark, or missing, is a success. In the
   * trash: `FailedPrecondition`.
   */
  readonly ReleaseVolume: {
    readonly arguments: { readonly identity: string; readonly epoch: number }
    readonly answer: VolumeFacts | undefined
  }
  /** Fetches an image into the store and verifies it. */
  readonly StoreImage: {
    readonly arguments: {
      readonly identity: string
      readonly mark: Mark
      readonly url: string
      readonly format: string
      readonly checksum?: string
    }
    readonly answer: ImageFacts
  }
  /** Removes an image from the store. */
  readonly DeleteImage: { readonly arguments: { readonly identity: string }; readonly answer: undefined }
  /** Switches a host's power. */
  readonly SetPower: { readonly arguments: { readonly power: 'On' | 'Off' }; readonly answer: undefined }
}

/** The name of an operation. */
export type Verb = keyof Verbs

/** One operation, as data: what a reconciler asks for and an executor carries out. */
export type Operation<V extends Verb = Verb> = {
  readonly [Each in V]: {
    readonly verb: Each
    /** Where it is carried out. */
    readonly endpoint: EndpointKey
    /** The identity it changes: one identity has at most one operation running. */
    readonly identity: string
    /** Other identities that must not change meanwhile. */
    readonly alsoLocks?: readonly string[]
    readonly arguments: Verbs[Each]['arguments']
    /** How long it may take, in ms, before it counts as unanswered. Default 60,000. */
    readonly deadline?: number
  }
}[V]

/** What an operation answered: the facts after it, or that the thing is gone. */
export type Answer<V extends Verb = Verb> = Verbs[V]['answer']

/** Makes an operation, checked against its verb. */
export function operation<V extends Verb>(
  verb: V,
  target: { endpoint: EndpointKey; identity: string; alsoLocks?: readonly string[]; deadline?: number },
  args: Verbs[V]['arguments'],
): Operation<V> {
  return { verb, ...target, arguments: args } as unknown as Operation<V>
}
