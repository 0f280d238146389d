import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { loadKubeConfig } from '../../../controllers/api/kube-config.ts'

/** Writes kubeconfigs of one cluster each; `server` tells them apart. */
function write(t: ExecutionContext, ...servers: readonly string[]): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'skystead-kubeconfig-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return servers.map((server, index) => {
    const path = join(directory, `${index}.json`)
    const config = {
      clusters: [{ name: 'shared', cluster: { server } }],
      contexts: [{ name: `context-${index}`, context: { cluster: 'shared', user: 'u' } }],
      users: [{ name: 'u', user: {} }],
      'current-context': `context-${index}`,
    }
    writeFileSync(path, JSON.stringify(config))
    return path
  })
}

test('of several files the first that has a name counts, and its current context', t => {
  const config = loadKubeConfig(write(t, 'https://first', 'https://second'))
  t.is(config.getCurrentContext(), 'context-0')
  t.is(config.getCluster('shared')?.server, 'https://first')
  t.deepEqual(
    config.getContexts().map(({ name }) => name),
    ['context-0', 'context-1'],
  )
})

test('a file that does not exist is left out, unless there is no other', t => {
  const [path = ''] = write(t, 'https://first')
  t.is(loadKubeConfig(['/nowhere', path]).getCurrentCluster()?.server, 'https://first')
  t.throws(() => loadKubeConfig(['/nowhere', '/neither']), { message: /\/nowhere, \/neither: there is no such file/ })
})

test('a context may be chosen; one that does not exist is named', t => {
  const paths = write(t, 'https://first', 'https://second')
  t.is(loadKubeConfig(paths, { context: 'context-1' }).getCurrentContext(), 'context-1')
  t.throws(() => loadKubeConfig(paths, { context: 'nowhere' }), { message: /: it has no context nowhere$/ })
})
