import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { applyDiff, guideFiles } from './guide.ts'

const root = resolve(import.meta.dirname, '../..')
const guide = readFileSync(join(root, 'docs/how-to-add-a-kind.md'), 'utf8')
const run = promisify(execFile)

/** What the guide's reader has: the sources without what is not theirs. */
const copied = [
  'apiserver',
  'cli',
  'controllers',
  'crds',
  'docs/reference',
  'drivers',
  'manifests',
  'reconcilers',
  'test',
  'tools',
]
const files = ['ava.config.js', 'package.json', 'tsconfig.json', 'tsdoc.json']

test.serial('the steps of "how to add a kind", followed literally, make an object of the new kind Ready', async t => {
  t.timeout(120_000)
  const copy = mkdtempSync(join(tmpdir(), 'skystead-guide-'))
  t.teardown(() => rmSync(copy, { recursive: true }))
  for (const path of [...copied, ...files]) cpSync(join(root, path), join(copy, path), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))

  const blocks = guideFiles(guide)
  t.deepEqual(
    blocks.map(({ path }) => path),
    [
      'crds/infrastructure/capacity-reserve.ts',
      'crds/kinds.ts',
      'reconcilers/infrastructure/capacity-reserve.ts',
      'reconcilers/reconcilers.ts',
      'manifests/samples/capacityreserve.yaml',
      'test/stories/capacity-reserve.test.ts',
    ],
  )
  for (const { path, language, text } of blocks) {
    const target = join(copy, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, language === 'diff' ? applyDiff(readFileSync(target, 'utf8'), text) : text)
  }

  const node = (...args: readonly string[]) => run(process.execPath, args, { cwd: copy, timeout: 100_000 })
  await node('tools/generate/main.ts')
  t.regex(
    readFileSync(join(copy, 'manifests/crds/capacityreserves.infrastructure.skystead.dev.yaml'), 'utf8'),
    /CapacityReserve/,
  )
  t.regex(readFileSync(join(copy, 'docs/reference/capacityreserve.md'), 'utf8'), /CapacityReserve/)
  const checked = await node('node_modules/.bin/tsc', '--noEmit').catch((error: { readonly stdout: string }) => error)
  t.notRegex(checked.stdout, /capacity-reserve/, 'the example has types that fit')
  const ava = 'node_modules/.bin/ava'
  const { stdout } = await node(ava, '--tap', 'test/stories/capacity-reserve.test.ts', 'test/crds/samples.test.ts')
  t.regex(stdout, /^# fail 0$/m)
  t.regex(stdout, /ok \d+ - .*a reserve is Ready while its zone has that much memory left/)
})

test('a change of a guide that no longer fits is told', t => {
  t.is(applyDiff('a\nb\nc', ' a\n+x\n c\n+y\n'), 'a\nx\nb\nc\ny')
  t.throws(() => applyDiff('a', ' b\n+x\n'), { message: /the line 'b' is not there/ })
})
