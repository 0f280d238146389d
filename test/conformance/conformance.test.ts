import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { serve } from '../../apiserver/serving/serve.ts'
import { realEnvironment } from '../../cli/environment.ts'
import { areas, createSuite } from './suite.ts'

const home = mkdtempSync(join(tmpdir(), 'skystead-conformance-'))
const environment = realEnvironment()
const server = await serve({ home, environment })
// By its token: a certificate would say who asks whatever token a case sends.
const suite = createSuite(server.kubeconfigPath, environment, { context: 'skystead-token' })

test.after.always(async () => {
  await suite[Symbol.asyncDispose]()
  await server.close()
  rmSync(home, { recursive: true })
})

for (const area of areas) {
  for (const one of area.cases) {
    test(`${area.name}: ${one.title}`, async t => {
      t.is((await suite.run(area, one)).failure, undefined)
    })
  }
}
