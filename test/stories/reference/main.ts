/**
 * `npm run stories:reference`: tells all stories on a Kubernetes API as it really is, and keeps which of them hold there;
 * `-- drain.test.ts` tells only those. `--kubeconfig FILE` takes that cluster, which is emptied of everything of ours, again
 * and again. With `--cached` nothing is built: where the programs are missing it says so and ends well.
 */
import { spawn } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { projectPath } from '../../../cli/repository.ts'
import { buildPrograms, builtPrograms, version } from '../../conformance/reference/build.ts'
import { startReference } from '../../conformance/reference/server.ts'

interface Story {
  readonly title: string
  readonly holds: boolean
}

const { values, positionals } = parseArgs({
  options: { cached: { type: 'boolean', default: false }, kubeconfig: { type: 'string' } },
  allowPositionals: true,
})
if (values.kubeconfig !== undefined) await tell(values.kubeconfig)
else await tellOnReference()

async function tellOnReference(): Promise<void> {
  const programs = values.cached ? builtPrograms() : await buildPrograms()
  if (programs === undefined) {
    process.stdout.write(
      'skipped: the reference server was not built on this machine: npm run test:reference builds it\n',
    )
    return
  }
  await using server = await startReference(programs)
  const stories = await tell(server.kubeconfig)
  if (positionals.length > 0) return
  const record = { reference: `kube-apiserver ${version}`, stories }
  writeFileSync(projectPath('test/stories/reference/results.json'), `${JSON.stringify(record, undefined, 2)}\n`)
}

/** One after the other: each begins with an API that it has for itself. */
async function tell(kubeconfig: string): Promise<readonly Story[]> {
  const all = readdirSync(projectPath('test/stories')).filter(name => name.endsWith('.test.ts'))
  const files = (positionals.length > 0 ? positionals : all).map(name => projectPath(`test/stories/${name}`))
  const ava = projectPath('node_modules/ava/entrypoints/cli.js')
  const flags = ['--serial', '--concurrency', '1', '--timeout', '20m', '--tap']
  const child = spawn(process.execPath, [ava, ...flags, ...files], {
    cwd: projectPath('.'),
    env: { ...process.env, SKYSTEAD_STORIES_KUBECONFIG: kubeconfig },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise(resolve => child.once('close', resolve))
  const stories: Story[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    process.stdout.write(`${line}\n`)
    const { result, title } =
      /^(?<result>ok|not ok) \d+ - (?<title>(?:(?! # (?:SKIP|TODO)).)*)$/.exec(line)?.groups ?? {}
    if (title !== undefined) stories.push({ title, holds: result === 'ok' })
  }
  if ((await ended) !== 0) process.exitCode = 1
  return stories
}
