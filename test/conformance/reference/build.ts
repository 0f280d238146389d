/** The reference server's programs: built once from their modules, and kept. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { projectPath } from '../../../cli/repository.ts'

const run = promisify(execFile)

/** The version of Kubernetes that go.mod names. */
export const version = 'v1.36.3'

/** Where the programs are. */
export interface Programs {
  readonly etcd: string
  readonly apiserver: string
  readonly controllerManager: string
}

/** The programs, where they were built before. */
export function builtPrograms(): Programs | undefined {
  const programs = programsIn(directory())
  return Object.values(programs).every(existsSync) ? programs : undefined
}

/** Builds what is missing; the first time that takes more than ten minutes. Rejects where Go is missing. */
export async function buildPrograms(): Promise<Programs> {
  const known = builtPrograms()
  if (known !== undefined) return known
  const target = directory()
  mkdirSync(target, { recursive: true })
  const programs = programsIn(target)
  const sources: readonly (readonly [file: string, source: string])[] = [
    [programs.apiserver, 'k8s.io/kubernetes/cmd/kube-apiserver'],
    [programs.controllerManager, 'k8s.io/kubernetes/cmd/kube-controller-manager'],
    [programs.etcd, './etcd'],
  ]
  const folder = projectPath('test/conformance/reference')
  for (const [file, source] of sources) {
    await run('go', ['build', '-ldflags', linkerFlags(), '-o', file, source], { cwd: folder })
  }
  return programs
}

function directory(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  return join(cache, 'skystead', 'reference', version)
}

function programsIn(folder: string): Programs {
  return {
    etcd: join(folder, 'etcd'),
    apiserver: join(folder, 'kube-apiserver'),
    controllerManager: join(folder, 'kube-controller-manager'),
  }
}

/** Without them the server would call itself a build of nobody knows what. */
function linkerFlags(): string {
  const [major, minor] = version.replace('v', '').split('.')
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' }
  const settings = Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  return ['-s', '-w', ...settings].join(' ')
}
