import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { oneLine, UserError } from '../user-error.ts'

const run = promisify(execFile)

/** Who can render a kustomization, in the order in which they are tried. */
const renderers = [
  { command: 'kubectl', verb: 'kustomize' },
  { command: 'kustomize', verb: 'build' },
] as const

/** What rendered manifests may come to, in bytes. */
const mostBytes = 256 * 1024 ** 2

/** The manifests that a directory's kustomization comes to. Throws one clear line where nobody can render it. */
export async function renderKustomization(directory: string): Promise<string> {
  for (const { command, verb } of renderers) {
    try {
      const { stdout } = await run(command, [verb, directory], { maxBuffer: mostBytes })
      return stdout
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      if (!isMissing) throw new UserError(`Cannot render ${directory}: ${complaintOf(error)}`, { cause: error })
    }
  }
  const pipe = `kustomize build ${directory} | skystead plan -f -`
  throw new UserError(`Cannot render ${directory}: neither kubectl nor kustomize is installed; or pipe it: ${pipe}`)
}

/** What the renderer said itself. */
function complaintOf(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
  if (said === '') return oneLine(error)
  // What kubectl logs it logs with its own time and place.
  const logged = /err="((?:[^"\\]|\\.)*)"/.exec(said)?.[1] ?? said
  return logged.replace(/^error: /i, '').replaceAll(/\s*\n\s*/g, ' ')
}
