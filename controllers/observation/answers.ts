import type { Answer, Operation, Verb } from '../../drivers/contract/operation.ts'

/** What an operation of each verb answers with the facts of. */
const subjects = {
  DefineMachine: 'Machine',
  AdoptMachine: 'Machine',
  ReleaseMachine: 'Machine',
  StartMachine: 'Machine',
  StopMachine: 'Machine',
  RemoveMachine: 'Machine',
  ConfigureRouter: 'Machine',
  CreateVolume: 'Volume',
  AdoptVolume: 'Volume',
  ReleaseVolume: 'Volume',
  ResizeVolume: 'Volume',
  TrashVolume: 'Volume',
  RestoreVolume: 'Volume',
  DeleteVolume: 'Volume',
  StoreImage: 'Image',
  DeleteImage: 'Image',
  SetPower: 'Power',
  MigrateMachine: 'Machine',
  CancelMigration: 'Machine',
} as const satisfies Record<Verb, string>

/** Verbs that may answer that the thing is not there. */
const mayBeGone: ReadonlySet<Verb> = new Set<Verb>([
  'StopMachine',
  'RemoveMachine',
  'ReleaseMachine',
  'ReleaseVolume',
  'TrashVolume',
  'DeleteVolume',
  'DeleteImage',
  'SetPower',
  'CancelMigration',
])

/** What an operation of the verb answers with the facts of. */
export function subjectOf(verb: Verb): (typeof subjects)[Verb] {
  return subjects[verb]
}

/** Why an answer cannot be one to the operation; undefined when it can. */
export function whyNotAnswer({ verb, identity }: Operation, answer: Answer): string | undefined {
  if (answer === undefined) return mayBeGone.has(verb) ? undefined : 'the answer is empty'
  if (answer.identity !== identity) return 'the answer is about another identity'
  const subject = 'definition' in answer ? 'Machine' : 'format' in answer ? 'Volume' : 'Image'
  return subject === subjects[verb] ? undefined : 'the answer is about another sort of thing'
}
