/** The kubectls of this machine. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/** One of them. */
export interface Program {
  readonly path: string
  /** Of version 1.MINOR. */
  readonly minor: number
}

/** Where clients are kept that were built or unpacked for tests: `npm run build:clients`. */
export const clientsFolder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'skystead', 'clients')

/** The kubectl that a shell finds. */
export function kubectlOnPath(): Program | undefined {
  const path = pathOfKubectl()
  if (path === undefined) return undefined
  const { clientVersion } = JSON.parse(execFileSync(path, ['version', '--client', '-o', 'json'], { encoding: 'utf8' }))
  return { path, minor: Number.parseInt(clientVersion.minor, 10) }
}

/** All others, the oldest first, one of each minor version: those kept for tests, and those that a distribution puts beside its own. */
export function otherKubectls(): readonly Program[] {
  const onPath = pathOfKubectl()
  const folders = [clientsFolder, ...(onPath === undefined ? [] : [dirname(realpathSync(onPath))])]
  const byMinor = new Map<number, string>()
  for (const folder of folders.filter(existsSync)) {
    for (const name of readdirSync(folder)) {
      const minor = Number(/^kubectl[-.]1\.([0-9]+)/.exec(name)?.[1])
      if (!Number.isNaN(minor) && !byMinor.has(minor)) byMinor.set(minor, join(folder, name))
    }
  }
  return [...byMinor].map(([minor, path]) => ({ minor, path })).toSorted((left, right) => left.minor - right.minor)
}

function pathOfKubectl(): string | undefined {
  const places = (process.env.PATH ?? '').split(':')
  return places.map(place => join(place, 'kubectl')).find(existsSync)
}
