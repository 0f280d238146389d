import { type Command, Option } from 'commander'
import type { ApiOptions } from '../api-access.ts'
import { UserError } from '../user-error.ts'
import type { JudgeOptions } from './judge.ts'
import type { ManifestSources } from './manifests.ts'

/** How a plan is told: to a person, to a program, in the comment of a pull request. */
export type PlanFormat = 'text' | 'json' | 'markdown'

/** Options of `skystead plan`. What `kubectl apply` has too means the same. */
export interface PlanOptions extends ApiOptions, ManifestSources {
  readonly namespace?: string
  readonly selector?: string
  readonly output: PlanFormat
  readonly delete: boolean
  readonly prune: boolean
  readonly all: boolean
  readonly pruneAllowlist?: readonly string[]
  readonly serverSide: boolean
  readonly forceConflicts: boolean
  readonly fieldManager: string
}

/** Gives a command the options of `skystead plan`. */
export function addPlanOptions(command: Command): Command {
  return command
    .option('-f, --filename <path...>', 'files and directories of manifests; - is standard input')
    .option('-R, --recursive', 'directories within the directories as well', false)
    .option('-k, --kustomize <directory>', 'a directory with a kustomization; kubectl or kustomize renders it')
    .option('-n, --namespace <name>', "namespace of what names none; left out: the context's")
    .option('-l, --selector <labels>', 'only manifests with these labels')
    .option('--delete', 'plan the deletion of what the manifests name instead', false)
    .option('--prune', 'plan the deletion of what was applied before and has no manifest any more', false)
    .option('--all', 'with --prune: whatever its labels', false)
    .option('--prune-allowlist <kind...>', 'with --prune: only these kinds, as GROUP/VERSION/KIND')
    .option('--server-side', "as applied on the server's side, by the field manager", false)
    .option('--force-conflicts', 'with --server-side: take over fields that others manage', false)
    .option('--field-manager <name>', 'with --server-side: who applies', 'kubectl')
    .addOption(
      new Option('-o, --output <format>', 'for people, for programs, or for the comment of a pull request')
        .choices(['text', 'json', 'markdown'])
        .default('text'),
    )
}

/** How the manifests would be applied. Throws one clear line where options contradict each other. */
export function judgeOptionsOf(options: PlanOptions): JudgeOptions {
  const problem = problemOf(options)
  if (problem !== undefined) throw new UserError(`Cannot plan: ${problem}`)
  const { selector, pruneAllowlist: allowlist, fieldManager, forceConflicts: force } = options
  const prune = {
    ...(selector === undefined ? {} : { selector }),
    ...(allowlist === undefined ? {} : { allowlist }),
  }
  return {
    delete: options.delete,
    ...(options.serverSide ? { serverSide: { fieldManager, force } } : {}),
    ...(options.prune ? { prune } : {}),
  }
}

function problemOf(options: PlanOptions): string | undefined {
  const { filename, kustomize, prune, all, selector, pruneAllowlist, serverSide, forceConflicts } = options
  if ((filename === undefined) === (kustomize === undefined)) return 'name the manifests either by -f or by -k'
  if (prune && options.delete) return '--prune goes with applying, not with --delete'
  if (prune && all === (selector !== undefined)) return '--prune needs either --selector or --all'
  if (!prune && (all || pruneAllowlist !== undefined)) return '--all and --prune-allowlist go with --prune'
  if (forceConflicts && !serverSide) return '--force-conflicts goes with --server-side'
  return undefined
}
