/** Where and of what a recorded run was. */
import { execFileSync } from 'node:child_process'
import { cpus, release } from 'node:os'
import { projectPath } from '../../../cli/repository.ts'

/** What a result is worth nothing without. */
export interface Circumstances {
  readonly machine: string
  readonly kernel: string
  readonly node: string
  /** The commit that ran; with a plus where files differ from it. */
  readonly commit: string
}

/** The circumstances of this run. */
export function circumstances(): Circumstances {
  const git = (...words: readonly string[]) =>
    execFileSync('git', words, { cwd: projectPath('.'), encoding: 'utf8' }).trim()
  const isChanged = git('status', '--porcelain', '--untracked-files=no') !== ''
  return {
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    kernel: release(),
    node: process.version,
    commit: `${git('rev-parse', '--short', 'HEAD')}${isChanged ? '+' : ''}`,
  }
}
