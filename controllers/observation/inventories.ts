import equal from 'fast-deep-equal'
import type { InventoryEvent } from '../../drivers/contract/driver.ts'
import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import type { ImageFacts, Inventory, JobFacts, MachineFacts, Mark, VolumeFacts } from '../../drivers/contract/facts.ts'
import type { Answer, Operation } from '../../drivers/contract/operation.ts'
import { segmentKey } from '../../drivers/contract/segment-key.ts'
import type { Observed, Seen } from '../../reconcilers/world.ts'
import { subjectOf } from './answers.ts'
import { FactTable } from './fact-table.ts'
import type { Sighting } from './hooks.ts'
import { MachineUsers } from './machine-users.ts'
import { NamedIndex, sameName } from './named-index.ts'
import { topics } from './topics.ts'

/** Whom inventories belong to, and who is told of changes. */
export interface InventoriesOptions {
  /** Marks with another installation are not ours. */
  readonly installation: string
  readonly tell: (topic: string) => void
  /** The present moment on the monotonic clock. */
  readonly now: () => number
  /** Called after each single change of what is seen of a machine or volume. */
  readonly sighted: (sighting: Sighting) => void
  /** Called after an identity came to be seen at an endpoint. */
  readonly appeared: (endpoint: EndpointKey, identity: string) => void
}

/** When an answer came, and what there was before. */
export interface AnswerTime {
  readonly moment: number
  /** When the operation was given to its driver. */
  readonly since: number
  /** When the last listing taken in was begun. */
  readonly listedFrom: number
  /** Whether the endpoint answers. */
  readonly current: boolean
}

/** Counts at an endpoint. */
export type Counts = ReturnType<Observed['counts']>

/** Steps in which the progress of jobs moves, in percent. */
const progressStep = 5

/** The machines, volumes, images and jobs of all endpoints, with the resources for which they are marked. */
export class Inventories {
  readonly machines = this.#table<MachineFacts>(topics.machine, (endpoint, before, after) => {
    for (const disk of this.diskUsers.change(endpoint, before?.facts, after?.facts))
      this.#options.tell(topics.diskUsers(disk))
    for (const segment of this.segmentUsers.change(endpoint, before?.facts, after?.facts))
      this.#options.tell(topics.segmentUsers(segment))
    this.#options.sighted({ sort: 'Machine', before, after })
  })
  readonly volumes = this.#table<VolumeFacts>(topics.volume, (_endpoint, before, after) => {
    this.#options.sighted({ sort: 'Volume', before, after })
  })
  readonly images = this.#table<ImageFacts>(topics.image)
  readonly jobs = new FactTable<JobFacts>({
    keyOf: job => job.operationId,
    identitiesOf: job => job.targets,
    now: () => this.#options.now(),
    changed: (_endpoint, before, after) => {
      for (const identity of before?.facts.targets ?? []) this.#options.tell(topics.job(identity))
      for (const identity of after?.facts.targets ?? []) this.#options.tell(topics.job(identity))
    },
  })
  readonly named = new NamedIndex()
  readonly diskUsers = new MachineUsers(({ disks }) => disks.map(({ identity }) => identity))
  readonly segmentUsers = new MachineUsers(({ nics }) => nics.flatMap(({ segment }) => segmentKey(segment) ?? []))
  readonly #options: InventoriesOptions
  /** How many things at an endpoint are not ours; left out: none. */
  readonly #foreign = new Map<EndpointKey, number>()

  constructor(options: InventoriesOptions) {
    this.#options = options
  }

  /** Takes in what a complete listing, begun at the moment, says of things and jobs. */
  takeListing(endpoint: EndpointKey, begun: number, inventory: Inventory): void {
    const listing = { endpoint, begun, current: true }
    if (inventory.type === 'Host') this.machines.list({ ...listing, facts: inventory.machines })
    if (inventory.type === 'PrimaryStorage') this.volumes.list({ ...listing, facts: inventory.volumes })
    if (inventory.type === 'SecondaryStorage') this.images.list({ ...listing, facts: inventory.images })
    if (inventory.type !== 'PowerController') this.jobs.list({ ...listing, facts: inventory.jobs.map(inSteps) })
  }

  /** Takes in an event. */
  takeEvent(endpoint: EndpointKey, event: InventoryEvent, at: { moment: number; current: boolean }): void {
    if (event.event === 'Machine') this.machines.put(endpoint, event.facts, at.moment, at.current)
    if (event.event === 'MachineGone') this.machines.remove(endpoint, event.identity, at.moment)
    if (event.event === 'Volume') this.volumes.put(endpoint, event.facts, at.moment, at.current)
    if (event.event === 'VolumeGone') this.volumes.remove(endpoint, event.identity, at.moment)
  }

  /** Takes in an operation's answer, and says whether an event since the moment `since` told otherwise. */
  takeAnswer(operation: Operation, answer: Answer, at: AnswerTime): boolean {
    const subject = subjectOf(operation.verb)
    if (answer === undefined) {
      if (subject === 'Machine') return answeredGone(this.machines, operation, at)
      if (subject === 'Volume') return answeredGone(this.volumes, operation, at)
      return subject === 'Image' && answeredGone(this.images, operation, at)
    }
    if ('definition' in answer) return answered(this.machines, operation, answer, at)
    if ('format' in answer) return answered(this.volumes, operation, answer, at)
    return answered(this.images, operation, answer, at)
  }

  /** Whether anything of the identity is seen at the endpoint. */
  isAt(endpoint: EndpointKey, identity: string): boolean {
    return this.#things().some(table => table.isAt(endpoint, identity))
  }

  /** When the identity was first seen at the endpoint, on the monotonic clock. */
  seenSince(endpoint: EndpointKey, identity: string): number | undefined {
    const since = this.#things().map(table => table.firstSeen(endpoint, identity))
    return since.find(each => each !== undefined)
  }

  /** Whether an answer or event said that the identity is gone, and no listing begun since has settled it. */
  isUnsettled(endpoint: EndpointKey, identity: string): boolean {
    return this.#things().some(table => table.goneAt(endpoint, identity) !== undefined)
  }

  /** How many things at the endpoint bear our mark, and how many do not. */
  counts(endpoint: EndpointKey): Counts {
    const things = this.machines.count(endpoint) + this.volumes.count(endpoint) + this.images.count(endpoint)
    const foreign = this.#foreign.get(endpoint) ?? 0
    return { things: things - foreign, foreign }
  }

  /** Identities of everything seen at an endpoint. */
  *identitiesAt(endpoint: EndpointKey): Generator<string> {
    for (const table of this.#things()) for (const { facts } of table.at(endpoint)) yield facts.identity
  }

  /** Marks everything at an endpoint as what is, or merely what was. */
  setCurrent(endpoint: EndpointKey, current: boolean): void {
    for (const table of [...this.#things(), this.jobs]) table.setCurrent(endpoint, current)
  }

  /** Forgets an endpoint. */
  forget(endpoint: EndpointKey): void {
    for (const table of [...this.#things(), this.jobs]) table.forget(endpoint)
    this.#foreign.delete(endpoint)
  }

  #things(): readonly [FactTable<MachineFacts>, FactTable<VolumeFacts>, FactTable<ImageFacts>] {
    return [this.machines, this.volumes, this.images]
  }

  #table<Facts extends MachineFacts | VolumeFacts | ImageFacts>(
    topic: (identity: string) => string,
    changed?: (endpoint: EndpointKey, before: Seen<Facts> | undefined, after: Seen<Facts> | undefined) => void,
  ): FactTable<Facts> {
    return new FactTable({
      keyOf: facts => facts.identity,
      identitiesOf: facts => [facts.identity],
      now: () => this.#options.now(),
      changed: (endpoint, before, after) => {
        const identity = (after ?? before)?.facts.identity
        if (identity === undefined) return
        this.#options.tell(topic(identity))
        changed?.(endpoint, before, after)
        this.#countForeign(endpoint, before?.facts, after?.facts)
        this.#renamed(identity, nameOf(before?.facts), nameOf(after?.facts))
        if (before === undefined) this.#options.appeared(endpoint, identity)
      },
    })
  }

  #countForeign(endpoint: EndpointKey, before: { mark?: Mark } | undefined, after: { mark?: Mark } | undefined): void {
    const came = after !== undefined && !this.#isOurs(after.mark) ? 1 : 0
    const went = before !== undefined && !this.#isOurs(before.mark) ? 1 : 0
    if (came === went) return
    const foreign = (this.#foreign.get(endpoint) ?? 0) + came - went
    if (foreign === 0) this.#foreign.delete(endpoint)
    else this.#foreign.set(endpoint, foreign)
  }

  /** Keeps the index of names: an identity leaves a name only when it bears it nowhere any more. */
  #renamed(identity: string, before: Mark | undefined, after: Mark | undefined): void {
    const was = this.#isOurs(before) ? before : undefined
    const is = this.#isOurs(after) ? after : undefined
    if (was !== undefined && (is === undefined || !sameName(was, is)) && !this.#isMarked(identity, was)) {
      this.named.remove(was, identity)
      this.#options.tell(topics.named(was.kind, was.namespace, was.name))
    }
    if (is !== undefined && this.named.add(is, identity))
      this.#options.tell(topics.named(is.kind, is.namespace, is.name))
  }

  #isMarked(identity: string, mark: Mark): boolean {
    return this.#things().some(table =>
      table.of(identity).some(({ facts }) => this.#isOurs(nameOf(facts)) && sameName(nameOf(facts), mark)),
    )
  }

  #isOurs(mark: Mark | undefined): boolean {
    return mark?.installation === this.#options.installation
  }
}

/** The mark by whose name a thing is found. A disk in the trash has given its name away. */
function nameOf(facts: { readonly mark?: Mark; readonly trashedAt?: string } | undefined): Mark | undefined {
  return facts?.trashedAt === undefined ? facts?.mark : undefined
}

function answered<Facts>(table: FactTable<Facts>, operation: Operation, facts: Facts, at: AnswerTime): boolean {
  const told = wasTold(table, operation, at)
  table.put(operation.endpoint, facts, at.moment, at.current)
  return told === 'Gone' || (told !== undefined && !equal(told, facts))
}

function answeredGone<Facts>(table: FactTable<Facts>, operation: Operation, at: AnswerTime): boolean {
  const told = wasTold(table, operation, at)
  table.remove(operation.endpoint, operation.identity, at.moment)
  return told !== undefined && told !== 'Gone'
}

/**
 * What an event told since the operation was given. A listing does not count: it was begun before the answer, and most
 * likely shows how it was before.
 */
function wasTold<Facts>(
  table: FactTable<Facts>,
  { endpoint, identity }: Operation,
  { since, listedFrom }: AnswerTime,
): Facts | 'Gone' | undefined {
  if ((table.goneAt(endpoint, identity) ?? 0) > since) return 'Gone'
  const learned = table.learned(endpoint, identity) ?? 0
  return learned > since && learned !== listedFrom ? table.get(endpoint, identity)?.facts : undefined
}

/** Progress moves in steps, so that it does not wake everybody with every listing. */
function inSteps(job: JobFacts): JobFacts {
  return { ...job, progressPercent: Math.floor(job.progressPercent / progressStep) * progressStep }
}
