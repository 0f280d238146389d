/**
 * `npm run build:clients`: gets the clients that are not on every machine, once, and keeps them: kubectl of Debian (unpacked,
 * never installed: a shell goes on finding its own) and of several versions of its Go module, and the programs in go/.
 * With `--packages` only what comes as a package: that takes seconds, and CI does it.
 */
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { projectPath } from '../../../cli/repository.ts'
import { clientsFolder } from '../../clients/kubectl/programs.ts'
import { goPrograms } from './programs.ts'

const run = promisify(execFile)
const { values } = parseArgs({ options: { packages: { type: 'boolean', default: false } } })

/** Versions of k8s.io/kubectl: the newest patch of each minor version that can be had. */
const kubectlModules = ['0.34.4', '0.35.4', '0.36.3', '0.37.2']

const kubectlSource = `// Command kubectl is kubectl as its module has it.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
)

func main() { os.Exit(cli.Run(cmd.NewDefaultKubectlCommand())) }
`

async function within<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'skystead-clients-'))
  try {
    return await action(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function unpackDebian(): Promise<void> {
  if (readdirSync(clientsFolder).some(name => name.startsWith('kubectl-1.20'))) return
  await within(async folder => {
    await run('apt-get', ['download', '-qq', 'kubernetes-client'], { cwd: folder })
    const [archive = ''] = readdirSync(folder)
    const [, version = ''] = /really([0-9.]+)-|_([0-9.]+)/.exec(archive) ?? []
    await run('dpkg', ['-x', archive, 'unpacked'], { cwd: folder })
    copyFileSync(join(folder, 'unpacked/usr/bin/kubectl'), join(clientsFolder, `kubectl-${version}`))
  })
}

async function buildKubectl(version: string): Promise<void> {
  const target = join(clientsFolder, `kubectl-1.${version.slice(2)}`)
  if (existsSync(target)) return
  await within(async folder => {
    writeFileSync(join(folder, 'main.go'), kubectlSource)
    const module = `module skystead.test/kubectl\n\ngo 1.26.0\n\nrequire k8s.io/kubectl v${version}\n`
    writeFileSync(join(folder, 'go.mod'), module)
    await run('go', ['mod', 'tidy'], { cwd: folder })
    const [, minor] = version.split('.')
    const values = { gitVersion: `v1.${version.slice(2)}`, gitMajor: '1', gitMinor: minor }
    const settings = Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    await run('go', ['build', '-ldflags', ['-s', '-w', ...settings].join(' '), '-o', target, '.'], { cwd: folder })
  })
}

async function buildProgram(name: string): Promise<void> {
  const cwd = projectPath('test/real/clients/go')
  await run('go', ['build', '-ldflags', '-s -w', '-o', join(clientsFolder, name), `./${name}`], { cwd })
}

async function step(name: string, action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    process.stdout.write(`skipped: ${name}: ${error instanceof Error ? error.message.trim() : error}\n`)
  }
}

mkdirSync(clientsFolder, { recursive: true })
await step('kubectl of Debian', unpackDebian)
if (!values.packages) {
  for (const version of kubectlModules) await step(`kubectl ${version}`, () => buildKubectl(version))
  for (const name of goPrograms) await step(name, () => buildProgram(name))
}
