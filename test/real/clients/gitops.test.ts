/** What Flux does with our definitions and the quickstart, by its own engine, and what kstatus says of every state. */
import { execFile, spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import anyTest from 'ava'
import { projectPath } from '../../../cli/repository.ts'
import { serveForTest } from '../../apiserver/core/serving.ts'
import { kstatusOf } from '../../clients/kstatus/kstatus.ts'
import { recordedLife } from '../../clients/kstatus/recorded-life.ts'
import { skipped } from '../../skipped.ts'
import { quickstart } from '../../stories/cloud.ts'
import { goProgram } from './programs.ts'

const flux = goProgram('flux')
const kstatus = goProgram('kstatus')

if (flux === undefined || kstatus === undefined) {
  skipped(anyTest, 'Flux and kstatus', ['npm run build:clients'])
} else {
  anyTest(
    'Flux applies the definitions and the quickstart, finds nothing to do on a second pass, and finds drift',
    async t => {
      const { kubeconfigPath, home } = await serveForTest(t)
      const folder = projectPath('manifests/crds')
      const definitions = readdirSync(folder).map(name => readFileSync(join(folder, name), 'utf8'))
      const file = join(home, 'manifests.yaml')
      const write = (manifests: string) => writeFileSync(file, [...definitions, manifests].join('\n---\n'))
      const run = (verb: string) =>
        new Promise<readonly string[]>((resolve, reject) => {
          execFile(flux, [kubeconfigPath, verb, file], (error, out, err) => {
            if (error === null) resolve(out.trim().split('\n'))
            else reject(new Error(`${verb}: ${err}`))
          })
        })
      const actions = (lines: readonly string[]) => [...new Set(lines.map(line => line.split(' ').at(-1)))]

      write(quickstart)
      const first = await run('apply')
      t.deepEqual(actions(first), ['created'])
      t.true(first.includes('apply VirtualMachine/shop/web-1 created'), first.join('\n'))
      t.deepEqual(actions(await run('apply')), ['unchanged'])
      t.deepEqual(actions(await run('diff')), ['unchanged'])
      write(quickstart.replace('publicPort: 80\n', 'publicPort: 81\n'))
      const drifted = (await run('diff')).filter(line => !line.endsWith(' unchanged'))
      t.deepEqual(drifted, ['diff PortForwardingRule/shop/web-http configured'])
      const mended = (await run('apply')).filter(line => !line.endsWith(' unchanged'))
      t.deepEqual(mended, ['apply PortForwardingRule/shop/web-http configured'])
      t.deepEqual(actions(await run('apply')), ['unchanged'])
      t.deepEqual(actions(await run('delete')), ['deleted'])
    },
  )

  anyTest('kstatus itself says of every state of every object what its restated rules say', async t => {
    const life = await recordedLife()
    const child = spawn(kstatus, { stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin.end(life.map(object => `${JSON.stringify(object)}\n`).join(''))
    const lines = (await text(child.stdout)).trim().split('\n')
    t.deepEqual(
      lines.map(line => line.split(' ')[0]),
      life.map(kstatusOf),
    )
  })
}
