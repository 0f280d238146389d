/** What the official Python client does with the server: Debian's python3-kubernetes, and another that a shell's python3 finds. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import anyTest from 'ava'
import { projectPath } from '../../../cli/repository.ts'
import { group, serveThings } from '../../clients/served-things.ts'
import { skipped } from '../../skipped.ts'

const run = promisify(execFile)

async function versionFor(python: string): Promise<string | undefined> {
  try {
    return (await run(python, ['-c', 'import kubernetes; print(kubernetes.__version__)'])).stdout.trim()
  } catch {
    return undefined
  }
}

const versions = new Map<string, string>()
for (const python of ['/usr/bin/python3', 'python3']) {
  const version = await versionFor(python)
  if (version !== undefined && !versions.has(version)) versions.set(version, python)
}

if (versions.size === 0) skipped(anyTest, 'the Python client', ['python3-kubernetes'])

for (const [version, python] of versions) {
  anyTest(`the Python client ${version} writes, reads, watches, discovers and applies`, async t => {
    const { kubeconfig } = await serveThings(t)
    const program = projectPath('test/real/clients/python/client.py')
    const { stdout } = await run(python, [program, kubeconfig, group])
    t.deepEqual(JSON.parse(stdout), {
      patched: { x: '1', y: '2' },
      pages: [['a', 'b'], ['c']],
      custom: [true, 2, 'Fast'],
      stale: [409, 'Conflict'],
      refused: [422, 'Invalid'],
      watched: [
        ['ADDED', 'b'],
        ['DELETED', 'b'],
      ],
      discovered: ['things', true],
      applied: ['python'],
      allowed: true,
      definition: 'Thing',
      version: '36',
    })
  })
}
